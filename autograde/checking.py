"""Run a learner's notebook and collect its visible verdicts."""

from __future__ import annotations

from pathlib import Path

from nbclient import NotebookClient

from autograde import specs
from autograde.course import KERNEL_QUIET, UsageError, find_problem_set
from autograde.grading import verdicts_shown
from autograde.judge import undefined
from autograde.submission import Unreadable, parse, read_bytes
from autograde.verdict import Verdict


def check_notebook(path: Path) -> tuple[list[Verdict], list[str]]:
    """Execute the notebook at `path` in its folder and judge it by the visible cases.

    Returns a verdict for each exercise of its problem set, and what is still to do that no
    check can see. The file itself is not changed. Raises `UsageError` if it is not a notebook
    of this course.
    """
    try:
        notebook = parse(read_bytes(path))
    except Unreadable as error:
        raise UsageError(f"{path}: {error}") from None
    try:
        problem_set = find_problem_set(notebook.metadata["autograde"]["problem_set"])
    except (KeyError, TypeError):
        raise UsageError(
            f"{path} is not a problem set of this course. They are in exercises/."
        ) from None
    NotebookClient(
        notebook,
        timeout=120,
        allow_errors=True,
        extra_arguments=[KERNEL_QUIET],
        resources={"metadata": {"path": str(path.resolve().parent)}},
    ).execute()
    shown = {v["exercise"]: Verdict.from_dict(v) for v in verdicts_shown(notebook.cells)}
    verdicts = [shown.get(name) or _unseen(name) for name in specs.names(problem_set)]
    return verdicts, list(_unanswered(notebook))


def _unseen(name: str) -> Verdict:
    why = f'The cell check("{name}") is missing or did not run to its end.'
    return undefined(specs.get(name), why, visible_only=True)


def _unanswered(notebook):
    """Yield the questions answered in words whose cell still is as released."""
    from nbgrader.utils import compute_checksum

    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        by_hand = mark.get("grade") and mark.get("solution")
        if by_hand and mark.get("checksum") == compute_checksum(cell):
            yield mark["grade_id"]
