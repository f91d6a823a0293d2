"""In the place of the folder there is a file."""


def place(folder, released):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("my homework\n")
