"""Links to private files and to whole folders are handed in beside the notebook, to be copied."""

import json


def place(folder, released):
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ipynb").write_text(json.dumps(released))
    (folder / "gradebook.txt").symlink_to("../../../gradebook.db")
    (folder / "neighbours").symlink_to("../..")
    (folder / "shadow").symlink_to("/etc/shadow")
