"""The file is in UTF-16, as some Windows editors save it."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    return dump(released).decode().encode("utf-16")
