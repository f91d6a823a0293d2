"""The notebook is a symbolic link to a device that never ends."""


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ipynb").symlink_to("/dev/zero")
