"""Enter an executed submission in nbgrader's gradebook, by nbgrader's own steps.

`Autograde` sanitises the submitted notebook as ever. Then, instead of executing it, it gets the
outputs that the engine has: the learner's for the learner's cells, the judge's for the test
cells. Scores, late penalties and the stored notebook are nbgrader's from there on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import nbgrader.api
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import (
    AssignLatePenalties,
    ClearOutput,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
)
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograde.course import EXERCISES, Course
from autograde.engine.execute import Executed, graded_outputs
from autograde.engine.harmless import mended
from autograde.release import grade_cell_metadata, last_words
from autograde.submission import parse, read_bytes


class InsertResults(NbGraderPreprocessor):
    """Stands where nbgrader's `Execute` stands. `executed` is the submission being recorded."""

    executed: Executed | None = None

    def preprocess(self, nb, resources):
        """Put the outputs into the notebook's cells, and the test cells back that it has lost."""
        executed = type(self).executed
        count, there = 0, set()
        for cell, own in zip(nb.cells, executed.outputs, strict=True):
            if cell.cell_type != "code":
                continue
            count += 1
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            self._fill(cell, executed.graded.get(name), own, count)
            there.add(name)
        for name in executed.graded.keys() - there:
            cell = new_code_cell(f'check("{name}")')
            cell.metadata["nbgrader"] = grade_cell_metadata(name)
            self._fill(cell, executed.graded[name], [], count := count + 1)
            nb.cells.append(cell)
        return nb, resources

    def _fill(self, cell, verdict, own, count):
        outputs = graded_outputs(verdict) if verdict else own
        cell.execution_count = count
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


class Recorder:
    """Records executed submissions of one course, one after the other, by way of `folder`.

    nbgrader gets to see a folder with nothing in it but the notebook that was executed, the time
    stamp and the pictures: no link, no pipe, and no file that has changed since. Use it as a
    context manager.
    """

    def __init__(self, course: Course, folder: Path):
        config = Config()
        # Without those that mend or check the metadata: `mended` gives it the release's.
        config.Autograde.sanitize_preprocessors = [ClearOutput, OverwriteCells]
        config.Autograde.autograde_preprocessors = [
            InsertResults,
            IgnorePattern,
            LimitOutput,
            SaveAutoGrades,
            AssignLatePenalties,
        ]
        self._folder = folder
        self._kept = ExitStack()
        self._database = self._kept.enter_context(_Database(course.gradebook))
        self.api = course.nbgrader(config, submitted_directory=str(folder))

    def record(self, problem_set: str, student: str, files: dict[str, bytes], executed: Executed):
        """Record one submission, whose `files` are given by name; return nbgrader's words if it
        refuses, or None. The gradebook gets all of it at once or, killed on the way, nothing.
        """
        own = self._folder / student
        folder = own / problem_set
        folder.mkdir(parents=True)
        released = parse(read_bytes(EXERCISES / problem_set / f"{problem_set}.ipynb"))
        InsertResults.executed = executed
        try:
            for name, data in files.items():
                own_notebook = name == f"{problem_set}.ipynb"
                (folder / name).write_bytes(mended(data, released) if own_notebook else data)
            with self._database.transaction():
                outcome = self.api.autograde(problem_set, student, force=True, create=True)
        except SQLAlchemyError as error:
            return str(error)
        finally:
            InsertResults.executed = None
            shutil.rmtree(own)
        return None if outcome["success"] else last_words(outcome)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kept.close()


class _Database:
    """Has the gradebooks that nbgrader opens meanwhile share one engine, and one transaction.

    It opens nine for each submission and commits 35 times. An engine of its own for each would
    connect again, look the tables up again and compile every statement again; and a commit waits
    for the disk.
    """

    def __init__(self, address: str):
        self._address, self._make, self._connection = address, nbgrader.api.create_engine, None

    def __enter__(self):
        self._engine = self._make(self._address, echo=False, future=True)
        self._dispose, self._engine.dispose = self._engine.dispose, _nothing
        if self._engine.dialect.name == "sqlite":
            # Python's driver begins transactions by rules of its own, and not before a savepoint.
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _begin)
        nbgrader.api.create_engine = self._shared
        return self

    def __exit__(self, *_):
        nbgrader.api.create_engine = self._make
        self._dispose()

    def _shared(self, address, **options):
        if address != self._address:
            return self._make(address, **options)
        return self._connection or self._engine

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make one transaction of all that is committed meanwhile; undo it after an exception."""
        # A session bound to a connection within a savepoint commits by savepoints of its own.
        with self._engine.connect() as self._connection, self._connection.begin():
            self._connection.dispose = _nothing
            try:
                with self._connection.begin_nested():
                    yield
            finally:
                self._connection = None


def _nothing() -> None:
    """Stands for the `dispose` that a gradebook calls as it is closed."""


def _leave_transactions_to_us(connection, _):
    connection.isolation_level = None


def _begin(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")
