"""Enter an executed submission in nbgrader's gradebook, by nbgrader's own steps.

`Autograde` sanitises the submitted notebook as ever. Then, instead of executing it, it gets the
outputs that the engine has: the learner's for the learner's cells, the judge's for the test
cells. Scores, late penalties and the stored notebook are nbgrader's from there on.
"""

from __future__ import annotations

import nbformat
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)

from autograde.course import Course
from autograde.engine.execute import Executed, graded_outputs


class InsertResults(NbGraderPreprocessor):
    """Stands where nbgrader's `Execute` stands. `executed` is the submission being recorded."""

    executed: Executed | None = None

    def preprocess(self, nb, resources):
        """Put the outputs into the notebook's code cells."""
        executed, count = type(self).executed, 0
        own = iter(executed.outputs)
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            count += 1
            cell.execution_count = count
            verdict = executed.graded.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            outputs = graded_outputs(verdict) if verdict else next(own, [])
            cell.outputs = [nbformat.from_dict(output) for output in outputs]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        return nb, resources


class Recorder:
    """Records executed submissions of one course, one after the other."""

    def __init__(self, course: Course):
        self.api = course.nbgrader()
        self.api.config.Autograde.autograde_preprocessors = [
            InsertResults,
            IgnorePattern,
            LimitOutput,
            SaveAutoGrades,
            AssignLatePenalties,
            CheckCellMetadata,
        ]

    def record(self, problem_set: str, student: str, executed: Executed) -> dict:
        """Record one submission; return what nbgrader's API says of it."""
        InsertResults.executed = executed
        try:
            return self.api.autograde(problem_set, student, force=True, create=True)
        finally:
            InsertResults.executed = None
