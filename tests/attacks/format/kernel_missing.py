"""The notebook has no metadata at all: no kernel and no language."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"] = {}
    return dump(released)
