"""What an exercise is: one `Spec` describes one graded function, and all else derives from it.

A problem set's module in `autograde/specs/` builds its specs from the four small records
below. The visible check and the hidden test in the notebook, the diagnosis in the feedback,
the points in the gradebook and the exercise box in the book all come from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograde.layout import layout, room


@dataclass(frozen=True)
class Aspect:
    """A named part of what the function has to get right, worth `points` if every case passes."""

    name: str
    points: int


@dataclass(frozen=True)
class Case:
    """One call of the learner's function.

    `aspect` names the `Aspect` that the case counts for. A `visible` case is shown to the
    learner and carries its `expected` answer, small enough to check by hand; the tests prove
    that answer against every oracle. A hidden case takes its truth from the first oracle.
    With `exact_dtype` the result must have the oracle's dtype and the inputs must be left as
    they were. Arguments that make no sense have to raise a `ValueError`; `refused` says why, as
    the rest of "these arguments make no sense: …".
    """

    aspect: str
    args: tuple
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    visible: bool = False
    expected: Any = None
    exact_dtype: bool = False
    refused: str = ""

    @property
    def size(self) -> int:
        """How much there is to read in the inputs: the smallest failing case is the one shown."""
        return sum(np.size(a) for a in (*self.args, *self.kwargs.values()))

    def copy(self) -> Case:
        """Return the case with arrays of its own, which keep their strides and read-only flag."""
        args = tuple(_copy(a) for a in self.args)
        return replace(self, args=args, kwargs={k: _copy(v) for k, v in self.kwargs.items()})


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation that learners really write.

    `name` is a slug, `title` the short form, `message` says in one or two sentences what is
    confused without giving the code, `section` is the place in the book that clears it up
    (`"book/page#label"`), and `fn` is what a learner who holds it would write.
    """

    name: str
    title: str
    message: str
    section: str
    fn: Callable


@dataclass(frozen=True)
class Rules:
    """What the learner's function may do.

    `libraries` may be used besides the standard library; `given` maps a global name to the
    function it stands for while this exercise is judged, so that a mistake in an earlier
    exercise costs nothing here; `must_call` is the `given` name that the aspect of the same
    rule demands; `seconds` of computing are allowed for one call, and `calling.WAITING` times as
    many by the clock.

    `calls_amiss(calls, *args, **kwargs)` looks at the calls of that function for one case, each
    the pair (args, kwargs), and returns what is wrong with them or None. It reads the calls
    where they are answered, so work can be counted there.
    """

    libraries: tuple[str, ...] = ("numpy",)
    given: Mapping[str, Callable] = field(default_factory=dict)
    must_call: str | None = None
    must_call_aspect: str | None = None
    calls_amiss: Callable[..., str | None] | None = None
    seconds: float = 0.25


@dataclass(frozen=True)
class Spec:
    """The single description of one graded function.

    `parameters` is the signature as the catalogue gives it. `cases(rng)` yields the cases,
    visible ones first. `oracles` maps a framework's name to a function that takes the case's
    arguments and returns the framework's answer; the first one defines the truth, and the
    tests prove that all agree. `explain(index, *args, **kwargs)` says in words how the
    expected element at `index` comes about.

    A function that returns several arrays has `parts`: their names, or an empty tuple for a
    list of any length. `driver(fn, *args, **kwargs)` calls what the learner wrote where that is
    not simply `fn(*args, **kwargs)` on arrays: with tensors, under `tf.function`, a class, a
    gradient. It returns arrays, and raises `autograde.calling.NotAsked` on a result of the wrong
    kind. It runs in the learner's process, to which its source is sent, so it imports what it
    needs and refers to nothing outside itself.
    """

    name: str
    title: str
    summary: str
    chapter: str
    parameters: str
    aspects: tuple[Aspect, ...]
    cases: Callable[[np.random.Generator], Iterable[Case]]
    oracles: Mapping[str, Callable]
    misconceptions: tuple[Misconception, ...]
    minutes: int
    difficulty: str
    explain: Callable[..., str] | None = None
    size_formula: Callable[..., str] | None = None
    rules: Rules = Rules()
    parts: tuple[str, ...] | None = None
    driver: Callable | None = None
    problem_set: str = ""

    def __post_init__(self):
        if self.difficulty not in {"easy", "medium", "hard"}:
            raise ValueError(f"{self.name}: difficulty is easy, medium or hard")

    @property
    def points(self) -> int:
        """The most points the exercise gives."""
        return sum(aspect.points for aspect in self.aspects)

    @property
    def max_score(self) -> float:
        """The same as `points`, as nbgrader stores it."""
        return float(self.points)

    @cached_property
    def solution(self) -> Callable:
        """The reference solution, loaded from the problem set's source in `solutions/`."""
        from autograde.course import load_solutions

        return load_solutions(self.problem_set)[self.name]

    def all_cases(self, seed: int) -> list[Case]:
        """Return every case, visible first, with the hidden ones drawn from `seed`."""
        return list(self.cases(np.random.default_rng(seed)))

    def truth(self, case: Case) -> Any:
        """Return what the function has to return for `case`, None where it has to raise."""
        if case.refused:
            return None
        if case.expected is not None:
            return case.expected
        case = case.copy()
        return next(iter(self.oracles.values()))(*case.args, **case.kwargs)

    def judge(self, fn: Callable, seed: int = 7, *, visible_only: bool = False):
        """Run `fn` over the cases in this process and return a `Verdict`.

        `seed` draws the hidden cases: the same seed gives the same cases.
        """
        from autograde.judge import judge

        return judge(self, fn, seed, visible_only=visible_only)


def _copy(value):
    """Copy an array with its layout in memory and its writeable flag; pass anything else."""
    if not isinstance(value, np.ndarray):
        return value
    _, new = room(value.shape, value.dtype, *layout(value))
    new[...] = value
    new.flags.writeable = value.flags.writeable
    return new
