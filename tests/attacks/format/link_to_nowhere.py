"""The notebook is a symbolic link to a file that does not exist."""


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ipynb").symlink_to("nowhere.ipynb")
