"""The notebook's cells are an object and not a list."""

from tests.attacks.bank import dump


def build(released):
    released["cells"] = {str(i): c for i, c in enumerate(released["cells"])}
    return dump(released)
