"""The metadata that nbgrader reads are a string, a list, a number and from the year 2099."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump


def build(released):
    answer(released, "same_padding")
    names = ("conv1d", "conv1d-answer", "conv1d_matrix", "conv1d_matrix-answer")
    first, *others = [cell(released, name)["metadata"] for name in names]
    first["nbgrader"]["schema_version"] = 99
    for metadata, absurd in zip(others, ("conv1d", ["grade"], 5), strict=True):
        metadata["nbgrader"] = absurd
    return dump(released)
