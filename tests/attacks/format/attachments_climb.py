"""Attachments have names that are paths out of the folder, and contents that are none."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    released["cells"][0]["attachments"] = {
        "../../../../gradebook.db": {"application/octet-stream": "AAAA"},
        "x.png": {"image/png": "this is not base64"},
        "": {},
    }
    return dump(released)
