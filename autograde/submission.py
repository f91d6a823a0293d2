"""What was handed in: reading it, and saying why it cannot be read. Nothing in it is trusted."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import warnings
from pathlib import Path

import nbformat

LARGEST_NOTEBOOK = 20 << 20
MOST_VALUES = 50_000
"""How many lines and values a notebook may have, its outputs aside: each takes time to check."""
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
LARGEST_PICTURES = 20 << 20
NAME = re.compile(r"[\w@+][\w@+=., ~'()-]*")
"""What a student's folder may be called: nbgrader searches by patterns made of it."""

# nbformat gives a cell without an identity, or with another's, a new one; nothing to act on.
for _harmless in (nbformat.warnings.MissingIDFieldWarning, nbformat.warnings.DuplicateCellId):
    warnings.filterwarnings("ignore", category=_harmless)


class Unreadable(ValueError):
    """What was handed in is not a notebook that can be run; the message says why.

    It is made fit to print: a learner's file may be called anything.
    """

    def __init__(self, why: str):
        super().__init__("".join(c if c.isprintable() else "�" for c in why))


def notebook_in(step: Path, student: str, problem_set: str) -> Path:
    """Return where a student's notebook lies in `submitted/`, `autograded/` or `feedback/`."""
    return step / student / problem_set / f"{problem_set}.ipynb"


def read_bytes(path: Path) -> bytes:
    """Return the content of the notebook file at `path`. Raises `Unreadable`.

    Only a regular file is opened, no link to one and no pipe.
    """
    try:
        data = _regular(path, LARGEST_NOTEBOOK)
    except FileNotFoundError:
        others = sorted(p.name for p in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        shown = ", ".join(others[:3]) + (" and more" if len(others) > 3 else "")
        found = f" It has {shown}." if others else ""
        raise Unreadable(f"no notebook {path.name} in {path.parent.resolve()}.{found}") from None
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise Unreadable(f"not a readable notebook: {why}") from None
    if data is None:
        raise Unreadable(f"not a readable notebook: it has over {LARGEST_NOTEBOOK >> 20} MiB")
    return data


def parse(data: bytes) -> nbformat.NotebookNode:
    """Return the notebook in `data`, as nbformat 4 and without outputs. Raises `Unreadable`."""
    try:
        plain = json.loads(data.decode("utf-8-sig"))
        _strip(plain)
        notebook = nbformat.reads(json.dumps(plain), as_version=4)
        nbformat.validate(notebook)
        nbformat.writes(notebook).encode()  # half characters can be read, but not written
    except json.JSONDecodeError as error:
        raise Unreadable(f"not a readable notebook: not JSON ({error})") from None
    except RecursionError:
        raise Unreadable("not a readable notebook: it is nested too deeply") from None
    except Exception as error:  # nbformat raises what it stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unreadable(f"not a readable notebook: {reason[:120]}") from None
    return notebook


def _strip(notebook: dict) -> None:
    """Take the outputs away and make sure that what is left can be checked in seconds."""
    for cell in notebook.get("cells", []):
        if isinstance(cell, dict) and "outputs" in cell:
            cell["outputs"] = []
    queue, count = [notebook], 0
    while queue:
        value = queue.pop()
        if isinstance(value, str):
            count += value.count("\n")
        elif isinstance(value, (dict, list)):
            count += len(value)
        if count > MOST_VALUES:
            raise ValueError(f"it has over {MOST_VALUES} lines and values")
        if isinstance(value, dict):
            queue += value.values()
        elif isinstance(value, list):
            queue += value


def grade_id(cell: nbformat.NotebookNode) -> str | None:
    """Return the name under which nbgrader knows a cell, or says that it does."""
    mark = cell.metadata.get("nbgrader")
    name = mark.get("grade_id") if isinstance(mark, dict) else None
    return name if isinstance(name, str) else None


def handed_in(notebook: Path) -> dict[str, bytes]:
    """Return a submission's files by name, the notebook first. Raises `Unreadable`."""
    if notebook.parent.is_symlink():  # to a neighbour's
        raise Unreadable("not a readable notebook: its folder is a link")
    return {notebook.name: read_bytes(notebook), **beside(notebook)}


def beside(notebook: Path) -> dict[str, bytes]:
    """Return what else belongs to a submission: its time stamp, and pictures shown in its text.

    Raises `Unreadable` if the time stamp is none.
    """
    found, left = {}, LARGEST_PICTURES
    for path in sorted(notebook.parent.iterdir()):
        if path.name == "timestamp.txt":
            found[path.name] = _time_stamp(path)
        elif path.suffix.lower() in PICTURES and path.name.isprintable():
            try:
                data = _regular(path, left)
            except OSError:
                continue
            if data is not None:
                found[path.name] = data
                left -= len(data)
    return found


def _time_stamp(path: Path) -> bytes:
    """Return a time stamp as nbgrader reads it. Raises `Unreadable`: it says what is late."""
    from nbgrader.utils import parse_utc

    try:
        data = _regular(path, 100) or b""
        if text := data.decode().strip():
            # What stands for a time zone may name any file that dateutil would open.
            if not re.fullmatch(r"[\w :.,+-]+( [A-Za-z_]+(/[A-Za-z_]+)*)?", text):
                raise ValueError
            parse_utc(text)
        elif path.stat().st_size:
            raise ValueError
    except Exception:  # dateutil raises what it stumbles over
        raise Unreadable("its time stamp is no date") from None
    return data


def _regular(path: Path, most: int) -> bytes | None:
    """Return a regular file's content, None if it is larger than `most`. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(mode) else "it is no file")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(most + 1)
    return data if len(data) <= most else None
