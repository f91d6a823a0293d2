"""The metadata are objects within objects, five hundred deep, and a key of a megabyte."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    deep = {}
    for _ in range(500):
        deep = {"x": deep}
    released["metadata"]["deep"] = deep
    released["cells"][0]["metadata"] = {"deep": deep, "k" * 1_000_000: 1}
    return dump(released)
