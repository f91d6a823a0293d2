"""The file is empty."""


def build(released):
    return b""
