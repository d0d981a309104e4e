package sqlservertest

import "strings"

// masked is a statement as the server's own audit and trace show it: a text
// after PASSWORD is not there.
func masked(source string, tokens []token) string {
	var b strings.Builder
	at := 0
	for i, t := range tokens {
		if t.kind == stringToken && i > 1 && tokens[i-1].is("=") && (tokens[i-2].is("password") || tokens[i-2].is("old_password")) {
			b.WriteString(source[at:t.begin] + "'******'")
			at = t.end
		}
	}
	return b.String() + source[at:]
}
