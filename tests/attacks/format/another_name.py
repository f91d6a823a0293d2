"""The notebook was handed in under another name."""
# earned: same_padding=4

from tests.attacks.bank import answer, dump


def place(folder, released):
    folder.mkdir(parents=True)
    answer(released, "same_padding")
    (folder / f"{folder.name} (1).ipynb").write_bytes(dump(released))
