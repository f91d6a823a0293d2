"""The whole folder is a symbolic link to a neighbour's."""


def place(folder, released):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(f"../zoe/{folder.name}")
