"""The notebook asks for a kernel that nobody has."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"]["kernelspec"] = {
        "display_name": "Mine",
        "language": "python",
        "name": "my-kernel",
    }
    return dump(released)
