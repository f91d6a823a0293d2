"""The notebook says that it is of format version 3, and is not."""

from tests.attacks.bank import dump


def build(released):
    released["nbformat"] = 3
    return dump(released)
