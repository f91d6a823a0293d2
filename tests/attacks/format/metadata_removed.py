"""All metadata of all cells are gone, as some editors leave it; one answer is right."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    for c in released["cells"]:
        c["metadata"] = {}
    return dump(released)
