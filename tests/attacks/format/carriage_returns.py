"""All lines of the file and of its cells end as on Windows; one answer is right."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def build(released):
    answer(released, "same_padding")
    for c in released["cells"]:
        c["source"] = c["source"].replace("\n", "\r\n")
    return dump(released).replace(b"\n", b"\r\n")
