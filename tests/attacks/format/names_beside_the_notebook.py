"""Files beside the notebook have names that no text can hold, and names that terminals obey."""
# earned: same_padding=4

import os

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    answer(released, "same_padding")
    (folder / f"{folder.name}.ipynb").write_bytes(dump(released))
    names = [b"\xff.png", b"\xff.ipynb", b"\x1b]0;owned\x07.png", b"\n.png", b"-rf.png"]
    names += [b"$(id).png", "\u202egpj.png".encode(), b"a" * 250 + b".png"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(b"no picture")
