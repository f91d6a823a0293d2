"""Cells carry tags that ask the grader not to run them, or to expect an error."""

from tests.attacks.bank import dump


def build(released):
    for c in released["cells"]:
        c["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
        c["metadata"]["editable"] = False
    return dump(released)
