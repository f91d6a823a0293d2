"""The notebook says that it is of format version 3, with its cells in a worksheet."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    cells = released.pop("cells")
    for c in cells:
        if c["cell_type"] == "code":
            c["input"], c["language"] = c.pop("source"), "python"
            c["prompt_number"] = c.pop("execution_count")
    released.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": cells, "metadata": {}}])
    return dump(released)
