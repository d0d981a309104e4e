"""Reads Redshift's SQL by sqlglot."""

import logging

import protocol
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

logging.disable(logging.CRITICAL)
dialect = sqlglot.Dialect.get_or_raise("redshift")
kinds = {TokenType.IDENTIFIER: "name", TokenType.STRING: "text", TokenType.VAR: "bare"}


def all_words(statement):
    return [(kinds.get(t.token_type, "bare"), t.text) for t in dialect.tokenize(statement)]


def read(statement):
    words = []
    try:
        for token in dialect.tokenize(statement):
            words += [("comment", c) for c in token.comments]
            if token.token_type in kinds:
                words.append((kinds[token.token_type], token.text))
        trees = [t for t in sqlglot.parse(statement, read="redshift") if t]
    except sqlglot.errors.SqlglotError as e:
        return 0, words, str(e).splitlines()[0]
    if any(isinstance(t, exp.Command) for t in trees):
        return 0, words, "taken as it is, not parsed"
    return len(trees), words, ""


protocol.serve(read, all_words)
