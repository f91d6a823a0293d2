"""The file holds half a sentence instead of JSON."""


def build(released):
    return b"{'cells': this is my homework, sorry"
