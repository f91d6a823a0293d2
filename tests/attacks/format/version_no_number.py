"""The notebook's format version is a word."""

from tests.attacks.bank import dump


def build(released):
    released["nbformat"], released["nbformat_minor"] = "four", None
    return dump(released)
