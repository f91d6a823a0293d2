"""A time stamp long after the deadline is padded until it is too long to be read."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    answer(released, "same_padding")
    (folder / f"{folder.name}.ipynb").write_bytes(dump(released))
    (folder / "timestamp.txt").write_text("2099-12-31 23:59:59 UTC" + " " * 200)
