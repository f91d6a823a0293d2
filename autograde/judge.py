"""The judge: runs a function over a spec's cases and says the most specific true thing.

It runs in the caller's process. That suits authors, tests and a learner's own laptop; it
trusts the function it runs.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograde.calling import Called, call, quiet
from autograde.spec import Case, Misconception, Rules, Spec
from autograde.verdict import AspectVerdict, Verdict

FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "scipy", "cv2", "skimage", "sklearn")
"""Top-level packages that hold the operations which learners write by hand."""


COMPARED = {"ok", "value", "shape", "dtype", "mutated", "uncalled", "unrefused"}
"""Kinds of outcome whose values can be held against a misconception's."""
EVIDENCE = {"value", "shape", "unrefused"}
"""Those that show a misconception at work."""

UNSTARTED = "Not started: the function still raises NotImplementedError."


class Local:
    """A learner's function in this process. The engine has one that lies in a sandbox."""

    def __init__(self, fn: Callable):
        self.fn = fn

    def ahead(self, cases: list[Case], spec: Spec) -> None:
        """Hear which cases will be asked for, in this order, unless a call is slow."""

    def call(self, case: Case, spec: Spec) -> Called:
        """Call the function on a copy of the case's inputs, which it may spoil."""
        case = case.copy()
        return call(
            self.fn,
            case.args,
            case.kwargs,
            given=spec.rules.given,
            seconds=spec.rules.seconds,
            driver=spec.driver,
            several=spec.parts is not None,
        )

    def forbidden(self, rules: Rules) -> str | None:
        """Return a sentence if the function uses what the rules do not allow."""
        return _forbidden_use(self.fn, rules)


@dataclass
class Outcome:
    """What came of one case: `kind` is "ok" if it passed, else `problem` tells the learner."""

    case: Case
    truth: Any
    value: Any = None
    kind: str = "ok"  # or exception, unstarted, slow, type, shape, dtype, nan, unrefused, ...
    problem: str = ""
    cause: str = ""
    mutated: bool = False
    calls: dict[str, list[tuple[tuple, dict]]] = field(default_factory=dict)

    def fail(self, kind: str, problem: str, cause: str = "") -> None:
        """Note what went wrong; `cause` is the part that does not depend on the inputs."""
        self.kind, self.problem, self.cause = kind, problem, cause


def judge(spec: Spec, fn: Callable | Local, seed: int, *, visible_only: bool = False) -> Verdict:
    """Judge `fn` by `spec` and return the `Verdict`; see `Spec.judge`.

    `fn` is a function, or something with the methods of `Local`.
    """
    fn = fn if hasattr(fn, "forbidden") else Local(fn)
    every = spec.all_cases(seed)
    cases = [c for c in every if c.visible or not visible_only]
    unseen = [c for c in every if not c.visible] if visible_only else []
    if not cases:  # a prediction has nothing to show before it is handed in
        return _noted(spec, fn, every[0])
    aspects = [a for a in spec.aspects if any(c.aspect == a.name for c in cases)]
    outcomes: list[Outcome] = []
    slow: set[str] = set()
    fn.ahead(cases, spec)
    for case in cases:
        if case.aspect in slow:  # one endless loop is enough to know
            continue
        outcome = run_case(spec, fn, case)
        if outcome.kind == "slow":
            slow.add(case.aspect)
        outcomes.append(outcome)
    if all(o.kind == "unstarted" for o in outcomes):
        verdicts = tuple(AspectVerdict(a.name, a.points, False, UNSTARTED) for a in aspects)
        return Verdict(spec.name, spec.title, verdicts, visible_only, started=False)
    if forbidden := fn.forbidden(spec.rules):
        for outcome in outcomes:
            outcome.fail("forbidden", forbidden)

    whole = _explains(spec, fn, outcomes, unseen)
    verdicts = []
    for aspect in aspects:
        mine = [o for o in outcomes if o.case.aspect == aspect.name]
        bad = [o for o in mine if o.kind != "ok"]
        if not bad:
            verdicts.append(AspectVerdict(aspect.name, aspect.points, True))
            continue
        if whole and any(o.kind in EVIDENCE for o in bad):
            found = whole
        else:
            found = _explains(spec, fn, mine, unseen)
        shown = min(bad, key=lambda o: (not o.case.visible, o.case.size))
        verdicts.append(_verdict(aspect, shown, found))
    return Verdict(spec.name, spec.title, tuple(verdicts), visible_only)


def _verdict(aspect, shown: Outcome, found: Misconception | None) -> AspectVerdict:
    """Return the verdict on an aspect that failed, with the one counter-example to show."""
    if found is None:
        return AspectVerdict(aspect.name, aspect.points, False, shown.problem, cause=shown.cause)
    message = f"{found.title}: {found.message}\n{shown.problem}"
    return AspectVerdict(aspect.name, aspect.points, False, message, found.name, found.section)


def _noted(spec: Spec, fn: Local, case: Case) -> Verdict:
    """Say whether `fn` gives an answer at all, and nothing about whether it is right."""
    outcome = Outcome(case, truth=None)
    _run(spec, fn, outcome)
    if outcome.kind == "unstarted":
        outcome.problem = UNSTARTED
    answered = outcome.kind == "ok"
    aspects = tuple(
        AspectVerdict(a.name, a.points, answered, outcome.problem) for a in spec.aspects
    )
    started = outcome.kind != "unstarted"
    return Verdict(spec.name, spec.title, aspects, True, started, noted=answered)


def undefined(spec: Spec, why: str = "", *, visible_only: bool = False) -> Verdict:
    """Return the verdict where there is no function to judge, for the reason `why`."""
    why = why or (
        f"There is no function called {spec.name} here. Run the cell that defines it; "
        "if that cell shows an error, mend that first."
    )
    aspects = tuple(AspectVerdict(a.name, a.points, False, why) for a in spec.aspects)
    return Verdict(spec.name, spec.title, aspects, visible_only)


def run_case(spec: Spec, fn: Local, case: Case) -> Outcome:
    """Call `fn` on a copy of the case's inputs and compare what it returns with the truth."""
    outcome = Outcome(case, spec.truth(case))
    _run(spec, fn, outcome)
    if outcome.kind == "ok" and not case.refused and (problem := _compare(spec, outcome)):
        outcome.fail(*problem)
    return outcome


def _run(spec: Spec, fn: Local, outcome: Outcome) -> None:
    """Call `fn` and put what it returns, or why it does not, into `outcome`."""
    case = outcome.case
    called = fn.call(case, spec)
    outcome.mutated, outcome.calls = called.mutated, called.calls
    if called.kind == "ok":
        outcome.value = list(called.value) if spec.parts is not None else called.value
    elif not (case.refused and called.refused):
        text = called.text
        if called.refused and "of your cell: raise" in text:
            text += "\nThese arguments make sense: they are not to be refused."
        outcome.fail(called.kind, f"{_call(spec, case)} {text}", text)
    if case.refused and outcome.kind in {"ok", "exception"} and not called.refused:
        _not_refused(spec, outcome)


def _not_refused(spec: Spec, outcome: Outcome) -> None:
    """Say that arguments without a sense were taken."""
    wanted = (
        f"These arguments make no sense: {outcome.case.refused}. Raise a ValueError that says so."
    )
    if outcome.kind == "ok":
        call = f"{_call(spec, outcome.case)} returned {_show_result(outcome.value)}."
        outcome.fail("unrefused", f"{call} {wanted}")
    else:
        outcome.problem = f"{outcome.problem} {wanted}"


# -- comparing -----------------------------------------------------------------------------


def agree(value: Any, truth: Any) -> bool:
    """Return whether two results have the same shape and equal values, rounding aside.

    The tolerance is 1024 rounding units at the largest magnitude in `truth`: enough for any
    order of summation, or an FFT. A float32 answer to a float64 question may round as float32
    does; a coarser type is no excuse.
    """
    try:
        a, b = np.asarray(value), np.asarray(truth)
    except ValueError:  # a ragged list
        return False
    kinds = a.dtype.kind, b.dtype.kind
    if a.shape != b.shape or not {*kinds} <= {*"fiub"} or kinds.count("b") == 1:
        return False
    return not _differs(a, b).any()


def agree_on(spec: Spec, value: Any, truth: Any) -> bool:
    """Return whether two results of a spec's function agree, part by part if it has several."""
    if spec.parts is None:
        return agree(value, truth)
    both = (value, truth)
    if not all(isinstance(x, (list, tuple)) for x in both) or len(value) != len(truth):
        return False
    return all(map(agree, value, truth))


def _differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return where two arrays of the same shape differ by more than rounding (NaN does)."""
    types_ = [x.dtype for x in (a, b) if x.dtype.kind == "f"] or [np.dtype(np.float64)]
    unit = min(max(np.finfo(t).eps for t in types_), np.finfo(np.float32).eps)
    scale = max(1.0, float(np.max(np.abs(b), initial=0)))
    with np.errstate(invalid="ignore"):
        return ~(np.abs(a.astype(float) - b.astype(float)) <= 1024 * unit * scale)


def _compare(spec: Spec, outcome: Outcome) -> tuple[str, str] | None:
    """Return the kind of difference between value and truth and a sentence on it, or None."""
    case, call = outcome.case, _call(spec, outcome.case)
    pairs = [(call, "returned", outcome.value, outcome.truth)]
    if spec.parts is not None:
        value, truth = outcome.value, outcome.truth
        if len(value) != len(truth):
            return "shape", f"{call} returned {len(value)} arrays, expected {len(truth)}."
        names = [f"`{name}`" for name in spec.parts] or [f"array {i}" for i in range(len(truth))]
        pairs = [(f"{call}: {n}", "is", v, t) for n, v, t in zip(names, value, truth, strict=True)]
    for subject, verb, got, truth in pairs:
        problem = _compare_arrays(spec, case, np.asarray(got), np.asarray(truth), verb)
        if problem:
            return problem[0], f"{subject} {problem[1]}"
    if case.exact_dtype and outcome.mutated:
        return "mutated", (
            f"{call} changed its input in place. Work on a copy: the caller still needs the "
            "original."
        )
    if case.aspect == spec.rules.must_call_aspect and (problem := _calls_amiss(spec, outcome)):
        return "uncalled", f"{call}: the values are right, but {problem}"
    return None


def _calls_amiss(spec: Spec, outcome: Outcome) -> str | None:
    """Return what is wrong with the calls of the function that has to be called, or None."""
    wanted, case = spec.rules.must_call, outcome.case
    calls = outcome.calls.get(wanted)
    if not calls:
        return (
            f"`{wanted}` was never called. This exercise asks you to express the operation "
            f"through `{wanted}`."
        )
    if not spec.rules.calls_amiss:
        return None
    try:
        return spec.rules.calls_amiss(calls, *case.args, **case.kwargs)
    except Exception:  # nobody has checked what it was called with
        return f"`{wanted}` was called with other arguments than this exercise asks for."


def _compare_arrays(spec: Spec, case: Case, got, truth, verb: str) -> tuple[str, str] | None:
    """Return the kind of difference between two arrays and what there is to say of the first."""
    if got.shape != truth.shape:
        formula = ""
        if spec.size_formula:
            formula = f" {spec.size_formula(*case.args, **case.kwargs)}"
        return "shape", f"has shape {got.shape}, expected {truth.shape}.{formula}"
    if (got.dtype.kind == "b") != (truth.dtype.kind == "b"):
        return "type", f"{verb} {show(got)}, expected {show(truth)}: numbers are no truth values."
    if np.isnan(got).any() and not np.isnan(truth).any():
        return "nan", "contains NaN: was an array used before it was filled?"
    differs = _differs(got, truth)
    if differs.any():
        return "value", f"{verb} {_difference(spec, case, got, truth, differs)}"
    if case.exact_dtype and got.dtype != truth.dtype:
        return "dtype", (
            f"has dtype {got.dtype}, expected {truth.dtype}: the result keeps the input's "
            "floating type."
            if truth.dtype.kind == "f"
            else f"has dtype {got.dtype}, expected {truth.dtype}."
        )
    return None


def _difference(spec: Spec, case: Case, got, truth, differs) -> str:
    """Say how two arrays differ: both of them, the first place, and what belongs there."""
    both = f"{show(got)}, expected {show(truth)}."
    if not truth.ndim:
        return both
    at = tuple(int(i) for i in np.argwhere(differs)[0])
    here, there = show(got[at]), show(truth[at])
    if here == there:  # they differ in digits that are not usually shown
        here, there = f"{got[at]:.17g}", f"{truth[at]:.17g}"
    why = ""
    if spec.explain and spec.parts is None:
        place = at if len(at) > 1 else at[0]
        why = f" {spec.explain(place, *case.args, **case.kwargs)}"
    index = ", ".join(map(str, at))
    return f"{both} The first difference is at [{index}]: {here} instead of {there}.{why}"


# -- diagnosing ----------------------------------------------------------------------------


def _explains(
    spec: Spec, fn: Local, outcomes: list[Outcome], unseen: list[Case]
) -> Misconception | None:
    """Return the misconception that gives exactly these answers, right ones included, or None.

    A few visible cases may fit by chance. So the misconception has to give the learner's
    answers to the `unseen` cases of the same aspects too, for which no truth is needed.
    """
    found = [m for m in spec.misconceptions if _fits(spec, m, outcomes)]
    if not found or not unseen:
        return found[0] if found else None
    aspects = {o.case.aspect for o in outcomes}
    more = []
    for case in unseen:
        if case.aspect in aspects:
            more.append(Outcome(case, truth=None))
            _run(spec, fn, more[-1])
            if more[-1].kind == "slow":
                return None
            if more[-1].kind == "ok":
                more[-1].kind = "value"  # whether it is right is not known
    return next((m for m in found if _fits(spec, m, more)), None)


def _fits(spec: Spec, misconception: Misconception, outcomes: list[Outcome]) -> bool:
    """Return whether a misconception accounts for every outcome, and for one failure at least.

    Where the misconception itself has no answer (nothing is left to compute, or it raises),
    it says nothing about how a learner's version of it fails.
    """
    evidence = False
    for outcome in outcomes:
        case = outcome.case
        try:
            with quiet():
                wrong = answer(spec, misconception.fn, case)
        except Exception:
            wrong = None
        if case.refused and outcome.kind == "ok":
            if wrong is not None:
                return False
        elif outcome.kind == "unrefused" and wrong is None:
            return False  # it refuses, as it should, what the learner's takes
        elif (wrong is None or not _size(wrong)) and _size(outcome.value):
            if outcome.kind == "ok":
                return False
        elif outcome.kind not in COMPARED or not agree_on(spec, wrong, outcome.value):
            return False
        else:
            evidence |= outcome.kind in EVIDENCE
    return evidence


def answer(spec: Spec, fn: Callable, case: Case) -> Any:
    """Return what `fn`, written as a learner would, returns for a case, or raise as it does."""
    case = case.copy()
    if spec.driver:
        return spec.driver(fn, *case.args, **case.kwargs)
    return fn(*case.args, **case.kwargs)


def _size(value: Any) -> int:
    """Return how many numbers a result has. No result counts as one: there is an outcome."""
    return sum(map(np.size, value)) if isinstance(value, (list, tuple)) else np.size(value)


# -- what is not allowed ---------------------------------------------------------------------


def _forbidden_use(fn: Callable, rules: Rules) -> str | None:
    """Return a sentence if `fn`, or a function of the same file it refers to, uses a framework.

    It reads names in the compiled code. That finds the honest mistake, not a clever disguise.
    """
    seen: set[types.CodeType] = set()
    queue = [inspect.unwrap(fn)]
    while queue:
        function = queue.pop()
        code, scope = (
            getattr(function, "__code__", None),
            getattr(function, "__globals__", {}),
        )
        if code is None or code in seen:
            continue
        seen.add(code)
        for name in sorted(_names(code)):
            value = scope.get(name)
            module = value.__name__ if inspect.ismodule(value) else None
            module = module or getattr(value, "__module__", None) or name
            root = module.split(".")[0]
            if root in FRAMEWORKS and root not in rules.libraries:
                return (
                    f"This exercise is written by hand, with {' and '.join(rules.libraries)} "
                    f"only; the function uses {root}."
                )
            if inspect.isfunction(value) and value.__module__ == function.__module__:
                queue.append(value)
    return None


def _names(code: types.CodeType) -> set[str]:
    """Return the globals that a function and those inside it read, and what they import."""
    loads = {"LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"}
    own = {i.argval for i in dis.get_instructions(code) if i.opname in loads}
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return own.union(*map(_names, inner))


# -- words ---------------------------------------------------------------------------------


def show(value: Any) -> str:
    """Return numbers as a reader writes them: `[1, 2.5, 3]`, long arrays shortened."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return repr(value)
    if array.ndim == 0:
        return f"{array.item():.6g}" if array.dtype.kind == "f" else str(array.item())
    if array.ndim == 1 and array.size > 16:
        head, tail = array[:8], array[-3:]
        return f"[{', '.join(map(show, head))}, …, {', '.join(map(show, tail))}]"
    if array.ndim > 1 and array.size > 64:
        return f"<array of shape {array.shape}>"
    return f"[{', '.join(map(show, array))}]"


def _show_result(value: Any) -> str:
    """Return a result as a reader writes it, several arrays one after the other."""
    return ", ".join(map(show, value)) if isinstance(value, list) else show(value)


def _call(spec: Spec, case: Case) -> str:
    """Return the call as the learner would write it."""
    names = [p.split("=")[0].strip() for p in spec.parameters.split(",") if p.strip()]
    parts = [f"{name}={show(arg)}" for name, arg in zip(names, case.args, strict=False)]
    parts += [f"{name}={show(arg)}" for name, arg in case.kwargs.items()]
    note = ""
    if case.exact_dtype:
        arrays = [a for a in case.args if isinstance(a, np.ndarray)]
        marks = {str(a.dtype) for a in arrays}
        if any(not a.flags.writeable for a in arrays):
            marks.add("read-only")
        if any(not a.flags.c_contiguous for a in arrays):
            marks.add("a view with a step")
        note = f" [{', '.join(sorted(marks))}]" if marks else ""
    return f"{spec.name}({', '.join(parts)}){note}"
