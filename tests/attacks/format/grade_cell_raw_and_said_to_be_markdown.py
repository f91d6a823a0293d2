"""A test cell is a raw cell whose metadata says that it was Markdown from the start."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    test = cell(released, "conv1d")
    test["cell_type"] = "raw"
    test["metadata"]["nbgrader"]["cell_type"] = "markdown"
    del test["outputs"], test["execution_count"]
    return dump(released)
