"""A second notebook stands beside the first, with the right answers that the first one lacks."""

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ipynb").write_bytes(dump(released))
    answer(released, "same_padding")
    (folder / f"{folder.name}-final.ipynb").write_bytes(dump(released))
