"""Gradebook to LMS files, as nbgrader export plugins.

They also work with nbgrader alone: `nbgrader export --exporter=autograde.export.CanvasExport`.
Formats: the *Import grades* CSV of Canvas (one row a student, one column an assignment, a row
with the points possible) and the grade import CSV of Moodle.
"""

from __future__ import annotations

import csv
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins.export import CsvExportPlugin, ExportPlugin

from autograde.course import Course, UsageError


class _TableExport(ExportPlugin):
    """Write one row a student with one column for each assignment."""

    default_name: str
    identity: tuple[str, ...]

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `self.to`."""
        assignments = [
            a for a in gradebook.assignments if not self.assignment or a.name in self.assignment
        ]
        with Path(self.to or self.default_name).open("w", newline="", encoding="utf-8") as file:
            write = csv.writer(file).writerow
            write([*self.identity, *(a.name for a in assignments)])
            for row in self.before_students(assignments):
                write(row)
            for student in gradebook.students:
                if self.student and student.id not in self.student:
                    continue
                scores = [_score(gradebook, a.name, student.id) for a in assignments]
                write([*self.who(student), *scores])

    def before_students(self, assignments):
        """Return the rows between the header and the students."""
        return []

    def who(self, student):
        """Return the cells that identify a student, one for each column of `identity`."""
        raise NotImplementedError


class CanvasExport(_TableExport):
    """The CSV that Canvas imports as grades."""

    default_name = "canvas.csv"
    identity = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

    def before_students(self, assignments):
        """Return the row with the points possible, which Canvas reads as such."""
        return [["    Points Possible", "", "", "", "", *(a.max_score for a in assignments)]]

    def who(self, student):
        """Return the name and the login, by which Canvas finds the student."""
        name = ", ".join(part for part in (student.last_name, student.first_name) if part)
        return [name or student.id, "", "", student.id, ""]


class MoodleExport(_TableExport):
    """The CSV that Moodle imports as grades, matched by user name or e-mail address."""

    default_name = "moodle.csv"
    identity = ("Username", "First name", "Last name", "Email address")

    def who(self, student):
        """Return the columns Moodle can match a user by."""
        return [student.id, student.first_name, student.last_name, student.email]


FORMATS = {"nbgrader": CsvExportPlugin, "canvas": CanvasExport, "moodle": MoodleExport}


def export(course: Course, kind: str, to: Path) -> dict[str, list[str]]:
    """Write the course's gradebook to `to` in one of `FORMATS`.

    Returns the parts that still wait to be marked by hand, by student: their totals lack them.

    Raises `UsageError` if there is no gradebook yet or `to` cannot be written.
    """
    if not to.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {to.resolve().parent} to write {to.name} to.")
    plugin = FORMATS[kind](config=course.nbgrader_config())
    plugin.to = str(to)
    with course.open_gradebook() as gradebook:
        plugin.export(gradebook)
        return {
            f"{submission.student.id} ({assignment.name})": parts
            for assignment in gradebook.assignments
            for submission in assignment.submissions
            if (parts := _waiting(submission))
        }


def _score(gradebook: Gradebook, assignment: str, student: str) -> float | str:
    """Return the score less any late penalty, or nothing where nothing was handed in."""
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return ""
    return max(0.0, submission.score - (submission.late_submission_penalty or 0.0))


def _waiting(submission) -> list[str]:
    grades = (grade for notebook in submission.notebooks for grade in notebook.grades)
    return [g.cell.name for g in grades if g.needs_manual_grade and g.manual_score is None]
