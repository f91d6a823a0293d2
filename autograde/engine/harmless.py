"""What may be shown of a submission to whoever marks it, and what of it nbgrader can take.

nbgrader's formgrader puts a notebook's HTML into a page with the rights of whoever marks: one
script in an answer could give it all its points.
"""

from __future__ import annotations

import re
from typing import Any

import nbformat

from autograde.submission import grade_id, parse

MOST_CODE = 100_000
MOST_WORDS = 20_000
"""Characters of code, and of texts not in the release. A page takes minutes to make of more."""
CUT = "\n\n(This is cut: there is more of it than can be shown.)"
PICTURES = ("image/png", "image/jpeg", "image/gif")
BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
TAG = re.compile(r"<(?=[A-Za-z/!?])")  # with a space behind it, it is none
ADDRESS = re.compile(r"\](?:\(|:)[\s<]*(?!https?://|mailto:|attachment:)(?=[^)\n]*[:&\\])", re.I)
"""Where a link's address begins that may name a scheme such as `javascript:`."""
ATTACHED = re.compile(r"attachment:([^\s)]*)")


def harmless(data: dict[str, Any]) -> dict[str, str]:
    """Return the plain text and the pictures of what is displayed, by their types."""
    return {
        mime: value
        for mime, value in data.items()
        if isinstance(value, str)
        and (mime == "text/plain" or (mime in PICTURES and BASE64.fullmatch(value)))
    }


def mended(data: bytes, released: nbformat.NotebookNode) -> bytes:
    """Return a submitted notebook as nbgrader gets it: with the metadata of the release.

    nbgrader refuses a whole notebook for one damaged mark. Of several cells with the same mark the
    last keeps it. HTML that was not in the release becomes text, and what is far longer than any
    answer is cut. Raises `Unreadable`.
    """
    notebook = parse(data)
    notebook.metadata = released.metadata
    marks = {name: cell.metadata for cell in released.cells if (name := grade_id(cell))}
    texts = {cell.source for cell in released.cells}
    for cell in reversed(notebook.cells):
        cell.metadata = marks.pop(grade_id(cell), nbformat.NotebookNode())
    room = {"code": MOST_CODE, "text": MOST_WORDS}
    for cell in notebook.cells:
        if cell.source in texts:
            continue
        kind = "code" if cell.cell_type == "code" else "text"
        if len(cell.source) > room[kind]:
            cell.source = cell.source[: room[kind]] + CUT
        room[kind] = max(0, room[kind] - len(cell.source))
        if kind == "text":
            _make_harmless(cell)
    return nbformat.writes(notebook).encode()


def _make_harmless(cell: nbformat.NotebookNode) -> None:
    given = {name: harmless(kinds) for name, kinds in cell.pop("attachments", {}).items()}
    pictures = {name: kinds for name, kinds in given.items() if kinds}
    if pictures:
        cell.attachments = pictures
    source = TAG.sub("< ", cell.source)
    source = ADDRESS.sub(r"\g<0>#", source)
    # nbconvert writes no page that names a picture which is not there.
    cell.source = ATTACHED.sub(lambda m: m[0] if m[1] in pictures else m[1], source)
