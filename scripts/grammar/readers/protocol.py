"""What scripts/grammar says to a reader, and what a reader answers: JSON, a line each."""

import json
import sys


def serve(read):
    """Reads each statement of standard input: read returns the number of statements, all words, and what was not understood."""
    for line in sys.stdin:
        statements, words, error = read(json.loads(line))
        print(json.dumps({"statements": statements, "words": words, "error": error}), flush=True)
