"""The test cells' metadata say that each is worth 1000 points; one answer is right."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    for c in released["cells"]:
        if "points" in c["metadata"].get("nbgrader", {}):
            c["metadata"]["nbgrader"]["points"] = 1000
    return dump(released)
