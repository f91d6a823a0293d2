"""A cell's source is nine million empty lines."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["cells"][-1]["source"] = "\n" * 9_000_000
    return dump(released)
