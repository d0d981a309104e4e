"""What scripts/grammar says to a reader, and what a reader answers: JSON, a line each."""

import json
import sys


def serve(read, words):
    """Answers for each statement of standard input.

    read gives the number of statements in it, their words, and what was not understood. words gives the words alone, which
    costs less: those in no delimiters are all of them then, keywords too.
    """
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["words"]:
            answer = {"words": words(asked["text"])}
        else:
            answer = dict(zip(("statements", "words", "error"), read(asked["text"])))
        print(json.dumps(answer), flush=True)
