"""The folder that was handed in holds a link to itself, and the notebook is one too."""


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ipynb").symlink_to(f"{folder.name}.ipynb")
    (folder / "circle").symlink_to(".")
