// Reads Oracle's SQL by the grammar of PL/SQL that comes with ANTLR, as the package antlr4ts-sql has it.
'use strict'
const readline = require('readline')
const { CharStreams, CommonTokenStream } = require('antlr4ts')
const { CaseChangingStream } = require('antlr4ts-sql/dist/src/models/CaseChangingStream')
const { PlSqlLexer: Lexer } = require('antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlLexer')
const { PlSqlParser: Parser, Unit_statementContext: Unit } = require('antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlParser')

// A token as a word, null if it is none that matters. Its text is cut out of the source, whose characters are code points
// to the lexer: the stream that changes case has none of its own.
function word (token, characters) {
  const text = characters.slice(token.startIndex, token.stopIndex + 1).join('')
  switch (token.type) {
    case Lexer.DELIMITED_ID: return ['name', text.slice(1, -1)]
    case Lexer.CHAR_STRING: return ['text', text.slice(1, -1).replaceAll("''", "'")]
    case Lexer.NATIONAL_CHAR_STRING_LIT: return ['text', text.slice(2, -1).replaceAll("''", "'")]
    case Lexer.REGULAR_ID: return ['bare', text]
    case Lexer.SINGLE_LINE_COMMENT: case Lexer.MULTI_LINE_COMMENT: return ['comment', text]
  }
  return null
}

function lexed (source) {
  const lexer = new Lexer(new CaseChangingStream(CharStreams.fromString(source), true))
  lexer.removeErrorListeners()
  return lexer
}

// All words, keywords too as bare ones: see protocol.py.
function allWords (statement) {
  const characters = [...statement]
  const tokens = lexed(statement).getAllTokens()
  return tokens.map(t => word(t, characters) || ['bare', characters.slice(t.startIndex, t.stopIndex + 1).join('')])
}

function read (statement) {
  const errors = []
  const listener = { syntaxError: (recognizer, symbol, line, column, message) => errors.push(`${message.replace(/ expecting .*/s, '')} at ${line}:${column}`) }
  // The grammar reads scripts, in which a semicolon ends a statement.
  const source = /^(SELECT|BEGIN)\b/.test(statement) ? statement : statement + '\n;'
  const lexer = lexed(source)
  lexer.addErrorListener(listener)
  const tokens = new CommonTokenStream(lexer)
  const parser = new Parser(tokens)
  parser.removeErrorListeners()
  parser.addErrorListener(listener)
  const units = parser.sql_script().children.filter(c => c instanceof Unit)
  const characters = [...source]
  const words = tokens.getTokens().map(t => word(t, characters)).filter(w => w)
  return { statements: units.length, words, error: errors[0] || '' }
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const asked = JSON.parse(line)
  process.stdout.write(JSON.stringify(asked.words ? { words: allWords(asked.text) } : read(asked.text)) + '\n')
})
