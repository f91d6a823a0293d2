"""All cells have the same id."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    for c in released["cells"]:
        c["id"] = "same"
    return dump(released)
