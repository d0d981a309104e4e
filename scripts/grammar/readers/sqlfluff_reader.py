"""Reads SQL by sqlfluff: sqlfluff_reader.py redshift, or oracle."""

import logging
import re
import sys

import protocol
from sqlfluff.core import FluffConfig
from sqlfluff.core.parser import Lexer, Parser

logging.disable(logging.CRITICAL)
config = FluffConfig(overrides={"dialect": sys.argv[1]})
lexer, parser = Lexer(config=config), Parser(config=config)


def word(segment):
    """A leaf of the tree as a word, None if it is none that matters."""
    raw = segment.raw
    if segment.is_type("comment"):
        return "comment", raw
    if raw.startswith('"'):
        return "name", raw[1:-1].replace('""', '"')
    if raw.startswith("'"):
        return "text", raw[1:-1].replace("''", "'").replace("\\\\", "\\")
    if segment.is_type("naked_identifier", "function_name_identifier", "parameter"):
        return "bare", raw
    return None


# sqlfluff knows names of parameters, and no numbers (:1).
PARAMETER = re.compile(r"""('[^']*'|"[^"]*")|:(\d+)""")


def all_words(statement):
    tokens, _ = lexer.lex(statement)
    return [word(t) or ("bare", t.raw) for t in tokens if t.raw]


def read(statement):
    if sys.argv[1] == "oracle":
        statement = PARAMETER.sub(lambda m: m[1] or ":p" + m[2], statement)
    tokens, errors = lexer.lex(statement)
    tree = parser.parse(tokens)
    words = [w for w in map(word, tree.raw_segments) if w]
    unread = next(tree.recursive_crawl("unparsable"), None)
    if errors or unread:
        return 0, words, str(errors[0] if errors else unread.raw)
    parts = [p for s in tree.segments for p in (s.segments if s.is_type("batch") else [s]) if p.is_type("statement", "statement_terminator")]
    for one, next_one in zip(parts, parts[1:]):
        if one.is_type("statement") and next_one.is_type("statement"):
            return 0, words, f"{next_one.raw} is taken for a statement, with no semicolon before it"
    return sum(s.is_type("statement") for s in parts), words, ""


protocol.serve(read, all_words)
