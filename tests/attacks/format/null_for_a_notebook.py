"""The file is JSON, but nothing more than null."""


def build(released):
    return b"null\n"
