"""Grade a class: execute submissions side by side, record them in nbgrader's gradebook."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from autograde.course import EXERCISES, Course, UsageError
from autograde.engine.execute import Executed
from autograde.engine.kernels import SandboxUnavailable
from autograde.engine.pool import ClusterError, dask_pool, local_pool
from autograde.release import build, is_fresh, release
from autograde.submission import NAME, Unreadable, handed_in, notebook_in, parse, read_bytes
from autograde.verdict import MIME

if TYPE_CHECKING:
    from autograde.engine.record import Recorder


@dataclass(frozen=True)
class Part:
    """One graded cell of one submission. `score` is None while it waits for a human."""

    name: str
    score: float | None
    max_score: float


@dataclass
class Result:
    """How one student's submission fared.

    `problem` says why it could not be graded, `incidents` what happened while it was, `seconds`
    where the time went (see `Executed`). A `kept` one was graded in an earlier run.
    """

    student: str
    parts: list[Part] = field(default_factory=list)
    verdicts: list[dict] = field(default_factory=list)
    problem: str | None = None
    incidents: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
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
    workers: int | None = None,
    scheduler: str | None = None,
    unsandboxed: bool = False,
    on_progress: Callable[[str, int, int], None] = lambda student, done, of: None,
) -> list[Result]:
    """Grade every submission for `problem_set` and return the results, sorted by student.

    A submission that has not changed since it was graded is kept as it is, unless `force`.
    `only` limits the run to some students. Submissions are executed by `workers` at a time
    (default: one for each core), or by the Dask cluster at the address `scheduler`.
    `on_progress` is told each student who is done, how many are, and of how many. With
    `unsandboxed`, a machine that gives no sandbox grades all the same.

    Raises `UsageError` if the release is out of date, nobody has handed in, a student in `only`
    has not, there is no sandbox, the cluster or the gradebook cannot be used, or the class is
    being graded already.
    """
    students = _students(course, problem_set, only)
    require_fresh_release(problem_set)
    try:
        with course.at_work() as folder, ExitStack() as kept:
            make = partial(_pool, course.secret(), problem_set, workers, scheduler, unsandboxed)
            pool = cache(lambda: kept.enter_context(make()))
            ledger = _Ledger(course, problem_set)
            if force or not all(map(ledger.has, students)):
                pool()  # its processes import the frameworks while this one imports nbgrader
            course.open_gradebook(create=True).close()
            ledger.held = _held(course, problem_set)
            todo = [s for s in students if force or not ledger.has(s)]
            results = {s: Result(s, kept=s not in todo) for s in students}
            if todo:
                run = _Run(course, problem_set, ledger, results)
                for number, student in enumerate(run.through(todo, pool(), folder), 1):
                    on_progress(student, number, len(todo))
            for result in results.values():
                if result.kept:
                    result.incidents = ledger.incidents(result.student)
            _read_scores(course, problem_set, results)
    except SandboxUnavailable as error:
        raise UsageError(
            f"submissions cannot be run safely on this machine: {error} (To grade without "
            "a sandbox, and only work you trust: --unsandboxed.)"
        ) from None
    except ClusterError as error:
        raise UsageError(str(error)) from None
    return [results[s] for s in students]


def _pool(secret, problem_set, workers: int | None, scheduler: str | None, unsandboxed: bool):
    if scheduler:
        return dask_pool(secret, scheduler, unsandboxed=unsandboxed)
    workers = workers or len(os.sched_getaffinity(0))
    return local_pool(secret, workers, problem_set=problem_set, unsandboxed=unsandboxed)


class _Run:
    """One class through a pool and into the gradebook."""

    def __init__(self, course: Course, problem_set: str, ledger: _Ledger, results):
        self.course, self.problem_set = course, problem_set
        self.ledger, self.results = ledger, results
        self.files: dict[str, dict[str, bytes]] = {}
        self.unreadable: list[str] = []

    def through(self, students: list[str], pool, folder: Path) -> Iterator[str]:
        """Yield each student once the submission is recorded, or cannot be."""
        from autograde.database import Database
        from autograde.engine.record import Recorder

        with (
            Database(self.course.gradebook) as database,
            closing(pool.run(self._jobs(students), self.problem_set)) as executed,
        ):
            if not _is_entered(self.course, self.problem_set):
                with database.transaction():
                    release(self.problem_set, self.course, into=folder / "release")
            recorder = Recorder(self.course, folder / "submitted", database)
            gc.freeze()  # all that was imported, which even the end of Python would go through
            for student, outcome in executed:
                yield from self._given_up()
                self._record(student, outcome, recorder)
                yield student
        yield from self._given_up()

    def _jobs(self, students: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each student's notebook when a worker is free for it."""
        for student in students:
            path = notebook_in(self.course.submitted, student, self.problem_set)
            try:
                if not NAME.fullmatch(student):
                    raise Unreadable("a student's folder cannot have such a name")
                self.files[student] = handed_in(path)
            except Unreadable as error:
                self.results[student].problem = str(error)
                self.unreadable.append(student)
            else:
                yield student, self.files[student][path.name]

    def _given_up(self) -> Iterator[str]:
        while self.unreadable:
            yield self.unreadable.pop()

    def _record(self, student: str, outcome: Executed | Exception, recorder: Recorder) -> None:
        result, files = self.results[student], self.files.pop(student)
        if isinstance(outcome, (SandboxUnavailable, ClusterError)):
            raise outcome
        if isinstance(outcome, Exception):
            result.problem = str(outcome) or type(outcome).__name__
            return
        result.incidents, result.seconds = outcome.incidents, outcome.seconds
        result.problem = recorder.record(self.problem_set, student, files, outcome)
        if result.problem:
            self.course.open_gradebook().close()  # or the fault is the gradebook's
        else:
            self.ledger.add(student, files, outcome.incidents)


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


def _is_entered(course: Course, problem_set: str) -> bool:
    """Return whether the gradebook holds the problem set as it is released."""
    from nbgrader.api import MissingEntry
    from nbgrader.utils import compute_checksum

    wanted = {mark["grade_id"]: mark["checksum"] for mark in _marks(problem_set)}
    for cell in build(problem_set).cells:  # the gradebook knows the hidden tests too
        if cell.metadata.get("nbgrader", {}).get("locked"):
            wanted[cell.metadata.nbgrader.grade_id] = compute_checksum(cell)
    with course.open_gradebook() as gradebook:
        try:
            cells = gradebook.find_notebook(problem_set, problem_set).source_cells
        except MissingEntry:
            return False
        return {cell.name: cell.checksum for cell in cells} == wanted


def verdicts_in(path: Path) -> list[dict]:
    """Return the judge's verdicts in the graded notebook at `path`, in order.

    Only test cells hold them: any other cell may show what looks like one.
    """
    cells = json.loads(path.read_bytes())["cells"]  # nbgrader has written and validated it
    return verdicts_shown(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade"))


def verdicts_shown(cells: Iterable[dict]) -> list[dict]:
    """Return the verdicts that executed cells show, in order."""
    outputs = (o for cell in cells for o in cell.get("outputs", []))
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


def _held(course: Course, problem_set: str) -> set[str]:
    """Return whose submissions the gradebook holds."""
    from nbgrader.api import SubmittedAssignment

    with course.open_gradebook() as gradebook:
        column = gradebook.db.query(SubmittedAssignment.student_id)
        return {student for (student,) in column.filter(SubmittedAssignment.name == problem_set)}


def _read_scores(course: Course, problem_set: str, results: dict[str, Result]) -> None:
    """Fill in the parts from the gradebook and the verdicts from the executed notebooks."""
    from nbgrader.api import Grade, GradeCell, SubmittedAssignment, SubmittedNotebook

    with course.open_gradebook() as gradebook:
        rows = (
            gradebook.db.query(SubmittedAssignment.student_id, GradeCell.name, Grade)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(GradeCell, GradeCell.id == Grade.cell_id)
            .filter(SubmittedAssignment.name == problem_set)
            .all()
        )
        parts = {(student, name): _part(name, grade) for student, name, grade in rows}
    order = _grade_cells(problem_set)
    for student, result in results.items():
        if not result.problem:
            mine = (parts.get((student, name)) for name in order)
            result.parts = [part for part in mine if part]
            result.verdicts = verdicts_in(notebook_in(course.autograded, student, problem_set))


def _part(name: str, grade) -> Part:
    waits = grade.needs_manual_grade and grade.manual_score is None
    score = None if waits and grade.auto_score is None else grade.score
    return Part(name, score, grade.max_score)


def _grade_cells(problem_set: str) -> list[str]:
    """Return the graded cells of a problem set in the order of its release."""
    return [mark["grade_id"] for mark in _marks(problem_set) if mark.get("grade")]


def _marks(problem_set: str) -> list[dict]:
    """Return what the released notebook says to nbgrader, cell by cell."""
    released = parse(read_bytes(EXERCISES / problem_set / f"{problem_set}.ipynb"))
    marks = (cell.metadata.get("nbgrader", {}) for cell in released.cells)
    return [mark for mark in marks if "grade_id" in mark]


class _Ledger:
    """Which submissions are graded as they stand: one line of JSON each, beside the gradebook.

    A line names the gradebook, holds a digest of what was handed in and the release it was
    graded against, and says what happened on the way. The last line on a student counts. One
    that a killed run has left unfinished does not, and that submission is graded again; so is
    one whose student is not in `held`, those whom the gradebook knows, once that is set.
    """

    def __init__(self, course: Course, problem_set: str):
        self.course, self.problem_set = course, problem_set
        self.held: set[str] | None = None
        self.gradebook = course.gradebook_shown if course.db_url else ""
        self.path = course.directory / "graded.jsonl"
        self.release = (EXERCISES / problem_set / f"{problem_set}.ipynb").read_bytes()
        self.lines = {}
        written = self.path.read_bytes() if self.path.is_file() else b""
        self.unfinished = not written.endswith(b"\n") and written != b""
        for line in written.splitlines():
            try:
                entry = json.loads(line)
                self.lines[self._key(entry)] = entry
            except (ValueError, LookupError, TypeError):
                continue

    def digest(self, files: dict[str, bytes]) -> str:
        """Return what stands for these files, graded against this release."""
        digest = hashlib.sha256(self.release)
        for name, data in sorted(files.items()):
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()

    def has(self, student: str) -> bool:
        """Return whether the student's submission has been graded as it is now."""
        path = notebook_in(self.course.submitted, student, self.problem_set)
        entry = self.lines.get((self.gradebook, self.problem_set, student))
        if (
            entry is None
            or (self.held is not None and student not in self.held)
            or not notebook_in(self.course.autograded, student, self.problem_set).is_file()
        ):
            return False
        try:
            return entry["digest"] == self.digest(handed_in(path))
        except Unreadable:
            return False

    def incidents(self, student: str) -> list[str]:
        """Return what happened while the student's submission was graded."""
        return list(self.lines[self.gradebook, self.problem_set, student]["incidents"])

    def add(self, student: str, files: dict[str, bytes], incidents: list[str]) -> None:
        """Note that a submission has been graded."""
        entry = {
            "gradebook": self.gradebook,
            "problem_set": self.problem_set,
            "student": student,
            "digest": self.digest(files),
            "incidents": incidents,
        }
        self.lines[self._key(entry)] = entry
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * self.unfinished + json.dumps(entry) + "\n")
        self.unfinished = False

    @staticmethod
    def _key(entry: dict) -> tuple[str, str, str]:
        return entry["gradebook"], entry["problem_set"], entry["student"]
