"""Grade a class with nbgrader, one submission after the other."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograde.course import EXERCISES, Course, UsageError
from autograde.release import is_fresh, last_words, release
from autograde.verdict import MIME


@dataclass(frozen=True)
class Part:
    """One graded cell of one submission. `score` is None while it waits for a human."""

    name: str
    score: float | None
    max_score: float


@dataclass
class Result:
    """How one student's submission fared. `problem` says why it could not be graded."""

    student: str
    parts: list[Part] = field(default_factory=list)
    verdicts: list[dict] = field(default_factory=list)
    problem: str | None = None
    kept: bool = False

    @property
    def score(self) -> float:
        """The points so far, those given by hand included."""
        return sum(p.score or 0.0 for p in self.parts)

    @property
    def max_score(self) -> float:
        """The points there are to earn."""
        return sum(p.max_score for p in self.parts)

    @property
    def waiting(self) -> list[str]:
        """The parts that are still to be marked by hand."""
        return [p.name for p in self.parts if p.score is None]

    @property
    def note(self) -> str:
        """What an instructor should know at a glance, or nothing."""
        unstarted = sum(not v["started"] for v in self.verdicts)
        notes = []
        if unstarted:
            notes.append(
                "not started" if unstarted == len(self.verdicts) else f"{unstarted} not started"
            )
        texts = [a["message"] for v in self.verdicts for a in v["aspects"]]
        for sign, note in (
            ("did not finish within", "endless loop"),
            (" raised ", "crashes"),
            ("There is no function called", "a function is missing"),
        ):
            if any(sign in text for text in texts):
                notes.append(note)
        if self.waiting:
            notes.append(f"{len(self.waiting)} to mark by hand")
        return ", ".join(notes)

    @property
    def misconceptions(self) -> dict[str, str]:
        """The misconception that each exercise shows, by exercise."""
        return {v["exercise"]: v["misconception"] for v in self.verdicts if v["misconception"]}


def grade_class(
    course: Course,
    problem_set: str,
    *,
    only: Iterable[str] = (),
    force: bool = False,
    on_progress: Callable[[str], None] = lambda student: None,
) -> list[Result]:
    """Grade every submission for `problem_set` and return the results, sorted by student.

    A submission that has not changed since it was graded is kept as it is, unless `force`.
    `only` limits the run to some students. Raises `UsageError` if the release is out of date,
    nobody has handed in, or a student in `only` has not.
    """
    students = _students(course, problem_set, only)
    require_fresh_release(problem_set)
    ledger = _Ledger(course, problem_set)
    todo = [s for s in students if force or not ledger.has(s)]
    results = {s: Result(s, kept=True) for s in students if s not in todo}
    if todo:
        with tempfile.TemporaryDirectory() as elsewhere:  # enters it in the gradebook
            release(problem_set, course, into=Path(elsewhere))
        api = course.nbgrader()
        for student in todo:
            on_progress(student)
            ledger.forget(student)
            problem = unreadable(_notebook(course.submitted, student, problem_set))
            if problem is None:
                outcome = api.autograde(problem_set, student, force=True, create=True)
                if "KeyboardInterrupt" in outcome.get("error", ""):  # which the API swallows
                    raise KeyboardInterrupt
                problem = None if outcome["success"] else last_words(outcome)
            results[student] = Result(student, problem=problem)
            if problem is None:
                ledger.add(student)
    _read_scores(course, problem_set, results)
    return [results[s] for s in students]


def require_fresh_release(problem_set: str) -> Path:
    """Return the released notebook. Raises `UsageError` if it is missing or out of date."""
    released = EXERCISES / problem_set / f"{problem_set}.ipynb"
    if not released.is_file():
        raise UsageError(
            f"{problem_set} has not been released. Run: autograde release {problem_set}"
        )
    if not is_fresh(problem_set, released):
        raise UsageError(
            f"The release of {problem_set} is out of date: its source or specs have changed. "
            f"Run: autograde release {problem_set}"
        )
    return released


def unreadable(path: Path) -> str | None:
    """Return why `path` is not a notebook that can be run, or None if it is one."""
    if not path.is_file():
        others = sorted(p.name for p in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        found = f" It has {', '.join(others)}." if others else ""
        return f"no notebook {path.name} in {path.parent.resolve()}.{found}"
    try:
        nbformat.validate(nbformat.read(path, as_version=4))
    except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return f"{path} is not a readable notebook: {reason[:120]}"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None


def verdicts_in(path: Path) -> list[dict]:
    """Return the verdicts that the executed notebook at `path` shows, in order."""
    return verdicts_shown(nbformat.read(path, as_version=4))


def verdicts_shown(notebook: nbformat.NotebookNode) -> list[dict]:
    """Return the verdicts that an executed notebook's cells show, in order."""
    outputs = (o for cell in notebook.cells for o in cell.get("outputs", []))
    return [o["data"][MIME] for o in outputs if MIME in o.get("data", {})]


def _students(course: Course, problem_set: str, only: Iterable[str]) -> list[str]:
    students = course.students(problem_set)
    if not students:
        raise UsageError(
            f"Nobody has handed in {problem_set}: there is no "
            f"{course.submitted}/STUDENT/{problem_set}/{problem_set}.ipynb."
        )
    unknown = sorted(set(only) - set(students))
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)} handed in nothing for {problem_set}. "
            f"Those who did: {', '.join(students)}."
        )
    return [s for s in students if not only or s in set(only)]


def _notebook(step: Path, student: str, problem_set: str) -> Path:
    return step / student / problem_set / f"{problem_set}.ipynb"


def _read_scores(course: Course, problem_set: str, results: dict[str, Result]) -> None:
    """Fill in the parts from the gradebook and the verdicts from the executed notebooks."""
    with course.open_gradebook() as gradebook:
        for student, result in results.items():
            if result.problem:
                continue
            submission = gradebook.find_submission(problem_set, student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    waits = grade.needs_manual_grade and grade.manual_score is None
                    score = None if waits and grade.auto_score is None else grade.score
                    result.parts.append(Part(grade.cell.name, score, grade.max_score))
            result.verdicts = verdicts_in(_notebook(course.autograded, student, problem_set))


class _Ledger:
    """Which submissions are graded as they stand: a digest of each beside the gradebook.

    The digest covers the submitted notebook and the release it was graded against.
    """

    def __init__(self, course: Course, problem_set: str):
        self.course, self.problem_set = course, problem_set
        self.path = course.directory / "graded.json"
        self.release = (EXERCISES / problem_set / f"{problem_set}.ipynb").read_bytes()
        try:
            self.digests = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.digests = {}

    def digest(self, student: str) -> str | None:
        path = _notebook(self.course.submitted, student, self.problem_set)
        if not path.is_file():
            return None
        return hashlib.sha256(path.read_bytes() + self.release).hexdigest()

    def has(self, student: str) -> bool:
        graded = _notebook(self.course.autograded, student, self.problem_set)
        known = self.digests.get(self.problem_set, {}).get(student)
        return graded.is_file() and known is not None and known == self.digest(student)

    def add(self, student: str) -> None:
        self.digests.setdefault(self.problem_set, {})[student] = self.digest(student)
        self._save()

    def forget(self, student: str) -> None:
        self.digests.get(self.problem_set, {}).pop(student, None)
        self._save()

    def _save(self) -> None:
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.digests, indent=1, sort_keys=True))
        temporary.replace(self.path)
