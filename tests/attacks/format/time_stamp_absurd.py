"""The time stamp lies beyond all calendars, in a time zone that names a file of the grader's."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    answer(released, "same_padding")
    (folder / f"{folder.name}.ipynb").write_bytes(dump(released))
    (folder / "timestamp.txt").write_text("9999-12-31 23:59:59.999999999 /etc/passwd\n")
