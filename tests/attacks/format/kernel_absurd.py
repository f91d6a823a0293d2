"""The kernel's name is a path out of the folder, the language a list, the version a number."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["metadata"]["kernelspec"] = {"name": "../../bin/sh", "display_name": ["x"]}
    released["metadata"]["language_info"] = {"name": ["python"], "version": 3}
    return dump(released)
