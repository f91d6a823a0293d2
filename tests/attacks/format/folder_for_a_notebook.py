"""In the place of the notebook there is a folder of that name."""


def place(folder, released):
    (folder / f"{folder.name}.ipynb").mkdir(parents=True)
