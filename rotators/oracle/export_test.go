package oracle

// For the external tests, which alone can use the stand-in's lexer.
var (
	Ident         = ident
	QuotePassword = quotePassword
	CheckPassword = checkNew
)
