"""All test cells are gone; the answers that stand there are wrong, but one."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["cells"] = [
        c for c in released["cells"] if not c["metadata"].get("nbgrader", {}).get("locked")
    ]
    return dump(released)
