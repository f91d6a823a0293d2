"""The time stamp is no text at all."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    answer(released, "same_padding")
    (folder / f"{folder.name}.ipynb").write_bytes(dump(released))
    (folder / "timestamp.txt").write_bytes(b"\xff\xfe\x00\x1b]0;owned\x07")
