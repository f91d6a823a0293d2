"""Enter an executed submission in nbgrader's gradebook, by nbgrader's own steps.

`Autograde` sanitises the submitted notebook as ever. Then, instead of executing it, it gets the
outputs that the engine has: the learner's for the learner's cells, the judge's for the test
cells. Scores, late penalties and the stored notebook are nbgrader's from there on.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
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
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograde.course import EXERCISES, Course
from autograde.database import Database
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
    stamp and the pictures: no link, no pipe, and no file that has changed since. `database` is
    the course's gradebook, entered.
    """

    def __init__(self, course: Course, folder: Path, database: Database):
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
        self._database = database
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
