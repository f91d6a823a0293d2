"""Solutions to learners' notebooks: the text source, the notebook nbgrader reads, the release.

    solutions/PS/PS.py  --build-->  solutions/PS/PS.ipynb  --nbgrader-->  exercises/PS/PS.ipynb

The source is a text notebook (Jupytext's percent format) with three marks of our own:

- a code cell `exercise="NAME"` holds the function NAME with its reference solution; the build
  puts the cell behind it that checks the function and, once handed in, grades it;
- a Markdown cell `open="NAME" points=N` is answered in words and marked by hand;
- in Markdown, `{facts: NAME}` and `{points: NAME}` stand for the line of facts on an exercise.

All that nbgrader needs to know (identity, points, hidden test) comes from the spec.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from pathlib import Path

import jupytext
import nbformat
from nbformat.v4 import new_code_cell

from autograde import specs
from autograde.course import EXERCISES, Course, UsageError, source_of

DAMAGE = (OSError, LookupError, TypeError, ValueError, AttributeError, nbformat.ValidationError)
"""What nbformat raises on a file that is no notebook, and reading its metadata on a damaged one."""

NBGRADERS_OWN = re.compile("There was an error processing assignment|Please see the")
"""What it adds to every reason."""

TEST_CELL = """\
check("{name}")
### BEGIN HIDDEN TESTS
from autograde.notebook import grade
grade("{name}")
### END HIDDEN TESTS"""


def build(problem_set: str) -> nbformat.NotebookNode:
    """Return the notebook that nbgrader takes as its source, made from the text source.

    The same source gives the same notebook to the byte. Raises `ValueError` if the source's
    exercises are not those of the problem set's specs, in the same order.
    """
    text = jupytext.read(source_of(problem_set), fmt="py:percent")
    points = {c.metadata["open"]: c.metadata["points"] for c in text.cells if "open" in c.metadata}
    cells, exercises = [], []
    for cell in text.cells:
        marks = {key: cell.metadata.pop(key, None) for key in ("exercise", "open", "points")}
        if cell.cell_type == "markdown":
            cell.source = _fill(cell.source, points)
        if name := marks["exercise"]:
            exercises.append(name)
            cell.metadata["nbgrader"] = _nbgrader(f"{name}-answer", solution=True)
            test = new_code_cell(TEST_CELL.format(name=name))
            test.metadata["nbgrader"] = grade_cell_metadata(name)
            cells += [cell, test]
            continue
        if name := marks["open"]:
            cell.metadata["nbgrader"] = _nbgrader(
                name, grade=True, solution=True, points=marks["points"]
            )
        cells.append(cell)
    if exercises != specs.names(problem_set):
        raise ValueError(
            f"{source_of(problem_set).name} has the exercises {exercises}, "
            f"but the specs are {specs.names(problem_set)}"
        )
    for number, cell in enumerate(cells):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.id = grade_id or f"cell-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.nbformat_minor = 5
    notebook.metadata["kernelspec"] = text.metadata["kernelspec"]
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["autograde"] = {"problem_set": problem_set}
    notebook.metadata["autograde"]["source"] = _digest(notebook)
    nbformat.validate(notebook)
    return notebook


def release(problem_set: str, course: Course, *, into: Path | None = None) -> Path:
    """Release a problem set by nbgrader's `generate_assignment`; return the released notebook.

    The assignment is entered in the course's gradebook. `into` is the release directory,
    `exercises/` by default. Raises `UsageError` with nbgrader's own words if it refuses.
    """
    target = (into or EXERCISES) / problem_set / f"{problem_set}.ipynb"
    if holds_work(target):
        raise UsageError(
            f"{target} holds somebody's work, which a release would overwrite. Move it away "
            "(make lab works on copies in work/), then run the same command again."
        )
    write_source(problem_set)
    earlier = target.read_bytes() if target.is_file() else None
    api = course.nbgrader(release_directory=str(into or EXERCISES))
    result = api.generate_assignment(problem_set, force=True, create=True)
    if not result["success"]:
        if earlier is not None:  # nbgrader removes it first and asks then
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(earlier)
        raise UsageError(f"nbgrader refused to release {problem_set}:\n{last_words(result)}")
    return target


def holds_work(released: Path) -> bool:
    """Return whether somebody has worked in a released notebook: run it or changed a cell."""
    from nbgrader.utils import compute_checksum

    try:
        cells = nbformat.read(released, as_version=4).cells
        marks = [(c, c.metadata.get("nbgrader", {}).get("checksum")) for c in cells]
        return any(
            c.get("outputs") or (checksum and checksum != compute_checksum(c))
            for c, checksum in marks
        )
    except DAMAGE:
        return False  # nothing in it can be worked on


def write_source(problem_set: str) -> Path:
    """Write the built notebook beside its text source and return its path."""
    path = source_of(problem_set).with_suffix(".ipynb")
    nbformat.write(build(problem_set), path)
    return path


def before_generate(assignment: str, **_) -> None:
    """Refresh the built notebook when plain nbgrader generates an assignment (its hook)."""
    write_source(assignment)


def is_fresh(problem_set: str, released: Path) -> bool:
    """Return whether a released notebook was made from the source as it is now."""
    try:
        stamp = nbformat.read(released, as_version=4).metadata["autograde"]["source"]
    except DAMAGE:
        return False
    return stamp == build(problem_set).metadata["autograde"]["source"]


def last_words(result: dict) -> str:
    """Return what nbgrader's API says went wrong: its reasons, or else its own last line.

    Raises `KeyboardInterrupt` if that was it, which the API swallows.
    """
    error = (result.get("error") or "no reason given").splitlines()
    if any(line.startswith("KeyboardInterrupt") for line in error):
        raise KeyboardInterrupt
    reasons = []
    for entry in re.split(r"^(?=\[[A-Z]+\] )", result.get("log", ""), flags=re.M):
        if entry.startswith("[ERROR] Traceback"):
            *_, last = re.split(r"^(?:\[ERROR\] )?Traceback .*\n", entry, flags=re.M)
            lines = textwrap.dedent(last).splitlines()  # it may stand further in
            reasons += [line for line in lines if line[:1].strip()][:1]
        elif entry.startswith("[ERROR]") and not NBGRADERS_OWN.search(entry):
            reasons.append(entry.removeprefix("[ERROR]").strip())
    return " ".join(dict.fromkeys(reasons)) or error[-1]


def facts(name: str) -> str:
    """Return the line that stands under an exercise's heading: points, time, difficulty."""
    spec = specs.get(name)
    parts = ", ".join(f"{a.name} ({a.points})" for a in spec.aspects)
    points = f"{spec.points} point{'s' * (spec.points != 1)}"
    points += f": {parts}" if len(spec.aspects) > 1 else ""
    return f"*{points} · about {spec.minutes} minutes · {spec.difficulty}*"


def _fill(source: str, open_points: dict[str, int]) -> str:
    source = re.sub(r"\{facts: (\w+)\}", lambda m: facts(m[1]), source)
    return re.sub(
        r"\{points: (\w+)\}", lambda m: f"*{open_points[m[1]]} points, marked by hand*", source
    )


def grade_cell_metadata(name: str) -> dict:
    """Return what tells nbgrader that a cell is the test of the exercise `name`."""
    return _nbgrader(name, grade=True, points=specs.get(name).points)


def _nbgrader(grade_id, *, grade=False, solution=False, points=None):
    metadata = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return metadata | ({"points": points} if grade else {})


def _digest(notebook) -> str:
    return hashlib.sha256(nbformat.writes(notebook).encode()).hexdigest()
