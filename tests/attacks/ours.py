"""What the attacks do to `autograde grade`: our column beside that of plain.py.

    python -m tests.attacks.ours

The whole bank is handed in to one course, each attack by a student of its own and honest
students in between, and graded like any class, by two workers and with short limits. What came
of it goes to ours.json, as plain.py writes it to plain.json. Where there is no sandbox this
refuses to run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from autograde import specs
from autograde.course import Course, UsageError
from autograde.grading import Result, grade_class
from autograde.submission import notebook_in
from tests.attacks.bank import (
    PROBLEM_SET,
    Attack,
    attacks,
    balance,
    leaked,
    released_notebook,
    scores_in,
)
from tests.sample_class.hand_in import HERE, answers, submission

RESULTS = Path(__file__).with_suffix(".json")
LIMITS = {"cell": 6, "test": 12, "notebook": 40}
EVERY = 25
"""One honest student comes after so many attacks."""
NEIGHBOUR = "zoe"
"""The honest student whom some attacks know by name."""


def student(attack: Attack) -> str:
    """Return the name under which an attack is handed in."""
    return attack.name.replace("/", "-")


def honest_students() -> list[str]:
    """Return the names of the honest students; graded in alphabetical order, they are spread."""
    names = sorted(student(a) for a in attacks())
    return [f"{name}~" for name in names[EVERY - 1 :: EVERY]] + [NEIGHBOUR]


def grade_bank(folder: Path) -> dict[str, dict]:
    """Hand in the bank to a course in `folder`, grade it, and return what came of each attack.

    Raises `UsageError` where there is no sandbox.
    """
    course, bank = Course(folder), attacks()
    _hand_in(course, bank)
    with _limits(LIMITS):
        results = {r.student: r for r in grade_class(course, PROBLEM_SET, workers=2)}
    return {a.name: _result(a, course, results[student(a)]) for a in bank}


def _hand_in(course: Course, bank: list[Attack]) -> None:
    right = nbformat.writes(submission(PROBLEM_SET, answers(HERE / PROBLEM_SET / "ada.py")))
    for name in honest_students():
        path = notebook_in(course.submitted, name, PROBLEM_SET)
        path.parent.mkdir(parents=True)
        path.write_text(right, encoding="utf-8")
    released = released_notebook()
    for attack in bank:
        attack.hand_in(course.submitted / student(attack) / PROBLEM_SET, released)


@contextmanager
def _limits(limits: dict[str, float]) -> Iterator[None]:
    before = specs.LIMITS.get(PROBLEM_SET)
    specs.LIMITS[PROBLEM_SET] = limits
    try:
        yield
    finally:
        del specs.LIMITS[PROBLEM_SET]
        if before is not None:
            specs.LIMITS[PROBLEM_SET] = before


def _result(attack: Attack, course: Course, graded: Result) -> dict:
    paid, lost, notes = balance(attack, scores_in(course.gradebook_file, graded.student))
    if graded.problem:
        notes.append(f"was not graded: {graded.problem}".replace(f"{course.directory}/", "")[:200])
    if got := leaked(notebook_in(course.autograded, graded.student, PROBLEM_SET)):
        notes.append(f"leaked: {got}")
    notes += dict.fromkeys(graded.incidents)
    notes += [graded.note] if graded.note else []
    return {"paid": paid, "lost": lost, "note": "; ".join(notes)}


def main() -> None:
    """Grade the bank and write the results."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            results = grade_bank(Path(folder) / "course")
        except UsageError as error:
            sys.exit(str(error))
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
