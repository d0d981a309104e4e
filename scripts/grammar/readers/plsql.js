// Reads Oracle's SQL by the grammar of PL/SQL that comes with ANTLR, as the package antlr4ts-sql has it.
'use strict'
const readline = require('readline')
const { CharStreams, CommonTokenStream } = require('antlr4ts')
const { CaseChangingStream } = require('antlr4ts-sql/dist/src/models/CaseChangingStream')
const { PlSqlLexer: Lexer } = require('antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlLexer')
const { PlSqlParser: Parser, Unit_statementContext: Unit } = require('antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlParser')

// A token as a word, null if it is none that matters.
function word (token) {
  const text = token.text
  switch (token.type) {
    case Lexer.DELIMITED_ID: return ['name', text.slice(1, -1)]
    case Lexer.CHAR_STRING: return ['text', text.slice(1, -1).replaceAll("''", "'")]
    case Lexer.NATIONAL_CHAR_STRING_LIT: return ['text', text.slice(2, -1).replaceAll("''", "'")]
    case Lexer.REGULAR_ID: return ['bare', text]
    case Lexer.SINGLE_LINE_COMMENT: case Lexer.MULTI_LINE_COMMENT: return ['comment', text]
  }
  return null
}

function read (statement) {
  const errors = []
  const listener = { syntaxError: (recognizer, symbol, line, column, message) => errors.push(`${message} at ${line}:${column}`) }
  // The grammar reads scripts, in which a semicolon ends a statement.
  const source = /^(SELECT|BEGIN)\b/.test(statement) ? statement : statement + '\n;'
  const lexer = new Lexer(new CaseChangingStream(CharStreams.fromString(source), true))
  const tokens = new CommonTokenStream(lexer)
  const parser = new Parser(tokens)
  for (const r of [lexer, parser]) {
    r.removeErrorListeners()
    r.addErrorListener(listener)
  }
  const units = parser.sql_script().children.filter(c => c instanceof Unit)
  return { statements: units.length, words: tokens.getTokens().map(word).filter(w => w), error: errors[0] || '' }
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  process.stdout.write(JSON.stringify(read(JSON.parse(line))) + '\n')
})
