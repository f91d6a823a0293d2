"""In the place of the notebook there is a named pipe, on which every reader waits for ever."""

import os


def place(folder, released):
    folder.mkdir(parents=True)
    os.mkfifo(folder / f"{folder.name}.ipynb")
