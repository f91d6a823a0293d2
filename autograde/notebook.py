"""What the cells of a problem set call: `check` for the learner, `grade` for the gradebook."""

from __future__ import annotations

import os
import sys

from IPython.display import display

from autograde import specs
from autograde.verdict import AspectVerdict, Verdict


def check(name: str) -> None:
    """Show how the function called `name` in this notebook fares on the visible cases.

    Under nbgrader's autograding it shows nothing: the hidden test in the same cell says it all.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return
    display(_judge(name, sys._getframe(1).f_globals, visible_only=True))


def grade(name: str) -> float:
    """Judge the function called `name` on every case, show the verdict, return the points.

    nbgrader takes a test cell's last value as its score.
    """
    verdict = _judge(name, sys._getframe(1).f_globals, visible_only=False)
    display(verdict)
    return verdict.score


def _judge(name: str, scope: dict, *, visible_only: bool) -> Verdict:
    spec = specs.get(name)
    fn = scope.get(name)
    if callable(fn):
        return spec.judge(fn, visible_only=visible_only)
    missing = (
        f"There is no function called {name} here. Run the cell that defines it; "
        "if that cell shows an error, mend that first."
    )
    aspects = tuple(AspectVerdict(a.name, a.points, False, missing) for a in spec.aspects)
    return Verdict(spec.name, spec.title, aspects, visible_only)
