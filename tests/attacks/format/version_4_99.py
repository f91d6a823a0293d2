"""The notebook says that it is of format version 4.99, which may be newer or nonsense."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["nbformat_minor"] = 99
    return dump(released)
