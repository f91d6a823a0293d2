"""The gradebook is looked for and other students' names and scores are read from it."""

# %% conv1d
import sqlite3
from pathlib import Path

for _up in Path.cwd().parents:
    for _path in [*_up.glob("gradebook.db"), *_up.glob("*/gradebook.db")]:
        try:
            with sqlite3.connect(f"file:{_path}?mode=ro", uri=True) as _file:
                _names = _file.execute("SELECT id FROM student").fetchall()
                print("LEAKED: the gradebook knows", len(_names), "students")
        except sqlite3.Error:
            pass
