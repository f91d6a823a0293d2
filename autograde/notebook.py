"""What the cells of a problem set call: `check` for the learner, `grade` for the gradebook."""

from __future__ import annotations

import os
import sys

from IPython.display import display

from autograde import specs
from autograde.judge import undefined
from autograde.verdict import Verdict


class CheckFailed(AssertionError):
    """Raised by `check` while nbgrader validates, so that *Validate* reports a failing check."""


def check(name: str) -> None:
    """Show how the function called `name` in this notebook fares on the visible cases.

    Under nbgrader's autograding it shows nothing: the hidden test in the same cell says it all.
    Under nbgrader's validation it raises `CheckFailed` where a check does not pass. Otherwise it
    never raises, so that *Run all* goes on to the next exercise.
    """
    doing = os.environ.get("NBGRADER_EXECUTION")
    if doing == "autograde":
        return
    verdict = _judge(name, sys._getframe(1).f_globals, visible_only=True)
    display(verdict)
    if doing == "validate" and not verdict.passed:
        raise CheckFailed(verdict.headline)


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
    return undefined(spec, visible_only=visible_only)
