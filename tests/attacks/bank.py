"""The bank of attacks: submissions that try to get points they have not earned, or to do harm.

    forge/   fake the verdict or the score
    steal/   get the answer, or somebody's secret, from where it is kept
    harm/    break the grader, the machine or another student's work
    format/  break the notebook, or the folder that it is handed in in

Each file's docstring says in one sentence what it tries. A file in the first three folders is
written like the sample class: a line `# %% NAME` begins the answer to NAME. Two more sections
are known here: `# %% setup` goes into the notebook's first code cell, after its own lines, and
`# %% file NAME` is a file handed in beside the notebook. A file in `format/` is a module that
defines `build(released) -> bytes | None`, the notebook file's content or None for no file, or
`place(folder, released)`, which makes the folder that is handed in. `released` is theirs to
change.

A comment `# earned: NAME=POINTS ...` gives the points that the answers are honestly worth;
everything else is worth 0. No grader may give more. It has to give a file in `harm/` as much,
because one bad cell costs that cell and no other; in `format/` it may instead say that the
notebook cannot be read. A file that gets hold of what it should not, and cannot turn it into
points, prints a line that begins with `LEAKED`.

Never run one of these outside a sandbox. They are bounded: a sandbox that fails costs the
grader and a few GB for a few minutes, not the machine, and nothing leaves the loopback.
"""

from __future__ import annotations

import copy
import json
import math
import re
import runpy
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograde import specs
from autograde.course import EXERCISES

HERE = Path(__file__).parent
KINDS = ("forge", "steal", "harm", "format")
PROBLEM_SET = "ps03-transposed-conv-1d"
LEAKED = "LEAKED"
"""What a line of output begins with if the submission got hold of something."""

HONEST = {name: float(specs.get(name).points) for name in specs.names(PROBLEM_SET)}
"""The points that a right answer to each exercise earns."""

RIGHT = {
    "same_padding": """\
def same_padding(n, k, s):
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2"""
}
"""The answers that files in `format/` can put in their place with `answer`."""


@dataclass(frozen=True)
class Attack:
    """One submission. `name` is KIND/FILE, `what` says what it tries.

    `earned` holds the points that it is honestly worth, by exercise, where that is not 0.
    `beside` holds the content of other files in the folder, by name.
    """

    name: str
    kind: str
    what: str
    earned: dict[str, float]
    _build: Callable[[dict], bytes | None] | None = None
    _place: Callable[[Path, dict], None] | None = None
    beside: dict[str, str] = field(default_factory=dict)

    def build(self, released: dict) -> bytes | None:
        """Return the content of the submitted notebook file.

        None means that there is no such file, or none that content could describe (a link, a
        folder): then only `hand_in` makes it. `released` is left as it is.
        """
        return self._build(copy.deepcopy(released)) if self._build else None

    def hand_in(self, folder: Path, released: dict) -> None:
        """Make `folder`, which must not exist yet, as `submitted/STUDENT/PROBLEM-SET`.

        The notebook's file is called after the folder.
        """
        if self._place:
            self._place(folder, copy.deepcopy(released))
            return
        folder.mkdir(parents=True)
        content = self.build(released)
        if content is not None:
            (folder / f"{folder.name}.ipynb").write_bytes(content)
        for name, text in self.beside.items():
            (folder / name).write_text(text, encoding="utf-8")


def attacks(*kinds: str) -> list[Attack]:
    """Return every attack of the given kinds, or of all, sorted by kind and name."""
    paths = [p for kind in kinds or KINDS for p in sorted((HERE / kind).glob("*.py"))]
    return [_load(path) for path in paths]


def released_notebook() -> dict[str, Any]:
    """Return the notebook as learners get it, as plain data; each source is one string."""
    path = EXERCISES / PROBLEM_SET / f"{PROBLEM_SET}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return json.loads(nbformat.writes(notebook, split_lines=False))


# -- what came of an attack ----------------------------------------------------------------


def balance(attack: Attack, scores: dict[str, float | None]) -> tuple[float, float, list[str]]:
    """Return the points paid beyond those earned, those earned and not paid, and oddities."""
    odd = {k: s for k, s in scores.items() if s is not None and not math.isfinite(s)}
    sound = {k: s or 0.0 for k, s in scores.items() if k not in odd}
    paid = sum(max(0.0, s - attack.earned.get(k, 0)) for k, s in sound.items())
    lost = sum(max(0.0, e - sound.get(k, 0)) for k, e in attack.earned.items())
    return round(paid, 3), round(lost, 3), [f"{k} has the score {s}" for k, s in odd.items()]


def scores_in(gradebook: Path, student: str) -> dict[str, float | None]:
    """Return a student's automatic scores by exercise; none if they cannot be read."""
    query = """
        SELECT base_cell.name, grade.auto_score FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        WHERE submitted_assignment.student_id = ? AND base_cell.name != 'why_not_inverse'
    """
    try:
        with closing(sqlite3.connect(f"file:{gradebook}?mode=ro", uri=True)) as connection:
            return dict(connection.execute(query, [student]))
    except sqlite3.Error:
        return {}


def leaked(executed: Path, log: str = "") -> str | None:
    """Return what an executed notebook's outputs, or a log, say has been got hold of."""
    try:
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
        said = [text for c in cells for o in c.get("outputs", []) for text in _strings(o)]
    except (OSError, ValueError, LookupError, TypeError):
        said = []
    lines = (line.strip() for text in (*said, log) for line in text.splitlines())
    found = (line for line in lines if line.startswith(LEAKED))
    return next((line.removeprefix(LEAKED).lstrip(": ")[:90] for line in found), None)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [s for v in inner for s in _strings(v)]


# -- for the files in format/ --------------------------------------------------------------


def cell(notebook: dict, grade_id: str) -> dict:
    """Return the cell that nbgrader knows as `grade_id`; an answer's ends in `-answer`."""
    return next(
        c
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def answer(notebook: dict, name: str) -> None:
    """Put the right answer to `name` into its cell."""
    cell(notebook, f"{name}-answer")["source"] = RIGHT[name]


def dump(notebook: dict) -> bytes:
    """Return the notebook as the bytes of a file."""
    return json.dumps(notebook, indent=1).encode() + b"\n"


# -- loading -------------------------------------------------------------------------------


def _load(path: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    kind = path.parent.name
    name = f"{kind}/{path.stem}"
    what = re.match(r'"""(.*?)"""', text, re.S)[1]
    earned = {
        exercise: float(points)
        for line in re.findall(r"^# earned: (.*)$", text, re.M)
        for exercise, points in (pair.split("=") for pair in line.split())
    }
    if kind == "format":
        module = runpy.run_path(str(path))
        return Attack(name, kind, what, earned, module.get("build"), module.get("place"))
    parts = re.split(r"^# %% (file \S+|\w+)\n", text, flags=re.M)
    sections = {n: t.strip() + "\n" for n, t in zip(parts[1::2], parts[2::2], strict=True)}
    beside = {n.split()[1]: t for n, t in sections.items() if n.startswith("file ")}
    answers = {n: t.rstrip() for n, t in sections.items() if not n.startswith("file ")}
    return Attack(
        name, kind, what, earned, lambda released: _filled(released, answers), None, beside
    )


def _filled(notebook: dict, answers: dict[str, str]) -> bytes:
    for name, text in answers.items():
        if name == "setup":
            first = next(c for c in notebook["cells"] if c["cell_type"] == "code")
            first["source"] += f"\n\n{text}"
        else:
            cell(notebook, f"{name}-answer")["source"] = text
    return dump(notebook)
