"""The only notebook has a name that terminals obey, for whoever reads why it was not found."""


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / "\x1b]0;owned\x07\x1b[2J\udcff.ipynb").write_text("{}")
