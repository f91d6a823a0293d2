"""The notebook asks for a bash kernel, in which a test cell may well succeed."""

from tests.attacks.bank import dump


def build(released):
    released["metadata"]["kernelspec"] = {
        "display_name": "Bash",
        "language": "bash",
        "name": "bash",
    }
    released["metadata"]["language_info"] = {"name": "bash"}
    return dump(released)
