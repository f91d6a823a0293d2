"""The judge: runs a function over a spec's cases and says the most specific true thing.

It runs in the caller's process. That suits authors, tests and a learner's own laptop; it
trusts the function it runs.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import signal
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograde.spec import Case, Misconception, Rules, Spec
from autograde.verdict import AspectVerdict, Verdict

FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "scipy", "cv2", "skimage", "sklearn")
"""Top-level packages that hold the operations which learners write by hand."""


class TooSlow(BaseException):
    """Raised inside a call that outlives its time. Not an `Exception`, so that a learner's
    `except Exception` does not swallow it.
    """


@dataclass
class Outcome:
    """What came of one case: `problem` is None if it passed, else what to tell the learner."""

    case: Case
    truth: Any
    value: Any = None
    problem: str | None = None
    kind: str = "ok"  # ok, exception, unstarted, slow, type, shape, dtype, nan, value, ...


def judge(spec: Spec, fn: Callable, seed: int, *, visible_only: bool = False) -> Verdict:
    """Judge `fn` by `spec` and return the `Verdict`; see `Spec.judge`."""
    every = spec.all_cases(seed)
    cases = [c for c in every if c.visible or not visible_only]
    if not cases:  # a prediction has nothing to show before it is handed in
        return _noted(spec, fn, every[0])
    aspects = [a for a in spec.aspects if any(c.aspect == a.name for c in cases)]
    forbidden = _forbidden_use(fn, spec.rules)
    outcomes: list[Outcome] = []
    slow: set[str] = set()
    for case in cases:
        if case.aspect in slow:  # one endless loop is enough to know
            continue
        outcome = run_case(spec, fn, case)
        if forbidden and outcome.kind != "unstarted":
            outcome.kind, outcome.problem = "forbidden", forbidden
        if outcome.kind == "slow":
            slow.add(case.aspect)
        outcomes.append(outcome)
        if outcome.kind == "unstarted":
            break
    if any(o.kind == "unstarted" for o in outcomes):
        todo = "Not started: the function still raises NotImplementedError."
        verdicts = tuple(AspectVerdict(a.name, a.points, False, todo) for a in aspects)
        return Verdict(spec.name, spec.title, verdicts, visible_only, started=False)

    whole = _explains(spec, fn, outcomes, seed)
    verdicts = []
    for aspect in aspects:
        mine = [o for o in outcomes if o.case.aspect == aspect.name]
        bad = [o for o in mine if o.kind != "ok"]
        if not bad:
            verdicts.append(AspectVerdict(aspect.name, aspect.points, True))
            continue
        found = whole or _explains(spec, fn, mine, seed)
        worst = min(bad, key=lambda o: (not o.case.visible, o.case.size))
        message = worst.problem
        if found:
            message = f"{found.title}: {found.message}\n{worst.problem}\nRead: {found.section}"
        verdicts.append(
            AspectVerdict(
                aspect.name,
                aspect.points,
                False,
                message,
                found.name if found else None,
                found.section if found else None,
            )
        )
    return Verdict(spec.name, spec.title, tuple(verdicts), visible_only)


def _noted(spec: Spec, fn: Callable, case: Case) -> Verdict:
    """Say whether `fn` gives an answer at all, and nothing about whether it is right."""
    outcome = run_case(spec, fn, case)
    kind = outcome.kind
    answered = kind in {"ok", "value"}
    aspects = tuple(
        AspectVerdict(a.name, a.points, answered, outcome.problem) for a in spec.aspects
    )
    return Verdict(spec.name, spec.title, aspects, True, kind != "unstarted", noted=answered)


def run_case(spec: Spec, fn: Callable, case: Case) -> Outcome:
    """Call `fn` on a copy of the case's inputs and compare what it returns with the truth."""
    outcome = Outcome(case, spec.truth(case))
    given = case.copy()
    calls: dict[str, int] = {}
    try:
        with _given(fn, spec.rules, calls), _quiet(), _time_limit(spec.rules.seconds):
            value = fn(*given.args, **given.kwargs)
    except NotImplementedError:
        return _fail(outcome, "unstarted", "Not started.")
    except TooSlow:
        return _fail(
            outcome,
            "slow",
            f"{_call(spec, case)} did not finish within {spec.rules.seconds:g} s. "
            "Is there a loop that never ends?",
        )
    except Exception as error:
        return _fail(outcome, "exception", f"{_call(spec, case)} raised {_where(error, fn)}")
    outcome.value = value
    problem = _compare(spec, outcome)
    if problem:
        return _fail(outcome, *problem)
    if case.exact_dtype and not _same_inputs(case, given):
        return _fail(
            outcome,
            "mutated",
            f"{_call(spec, case)} changed its input in place. Work on a copy: the caller "
            "still needs the original.",
        )
    rules = spec.rules
    if rules.must_call and case.aspect == rules.must_call_aspect and not calls:
        return _fail(
            outcome,
            "uncalled",
            f"The values are right, but `{rules.must_call}` was never called. This exercise "
            f"asks you to express the operation through `{rules.must_call}`.",
        )
    return outcome


def agree(value: Any, truth: Any) -> bool:
    """Return whether two results have the same shape and equal values, rounding aside.

    The tolerance is 1024 rounding units of the coarser of the two floating types, at the
    largest magnitude in `truth`: enough for any order of summation, or an FFT.
    """
    try:
        a, b = np.asarray(value), np.asarray(truth)
        if a.shape != b.shape or a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu":
            return False
        if a.size == 0:
            return True
        kinds = [d for d in (a.dtype, b.dtype) if d.kind == "f"] or [np.dtype(np.float64)]
        eps = max(np.finfo(d).eps for d in kinds)
        scale = max(1.0, float(np.max(np.abs(b))))
        return bool(np.all(np.abs(a.astype(float) - b.astype(float)) <= 1024 * eps * scale))
    except (TypeError, ValueError):
        return False


def _fail(outcome: Outcome, kind: str, problem: str) -> Outcome:
    outcome.kind, outcome.problem = kind, problem
    return outcome


def _compare(spec: Spec, outcome: Outcome) -> tuple[str, str] | None:
    """Return the kind of difference between value and truth and a sentence on it, or None."""
    case, value, truth = outcome.case, outcome.value, np.asarray(outcome.truth)
    call = _call(spec, case)
    if value is None:
        return "type", f"{call} returned None. Does every path end with `return`?"
    try:
        got = np.asarray(value)
    except ValueError:
        return "type", f"{call} returned a ragged {type(value).__name__}, not an array."
    if got.dtype.kind not in "fiu":
        return (
            "type",
            f"{call} returned {type(value).__name__} of {got.dtype}, not numbers.",
        )
    if got.shape != truth.shape:
        formula = ""
        if spec.size_formula:
            formula = f" {spec.size_formula(*case.args, **case.kwargs)}"
        return "shape", f"{call} has shape {got.shape}, expected {truth.shape}.{formula}"
    if np.isnan(got).any() and not np.isnan(truth).any():
        return "nan", f"{call} contains NaN: was an array used before it was filled?"
    if not agree(got, truth):
        bad = ~np.isclose(got, truth, rtol=1e-4, atol=1e-6)
        index = np.unravel_index(int(np.argmax(bad)), truth.shape) if truth.ndim else ()
        at = tuple(int(i) for i in index)
        if not at:
            return "value", f"{call} returned {show(got)}, expected {show(truth)}."
        why = ""
        if spec.explain:
            place = at if len(at) > 1 else at[0]
            why = f" {spec.explain(place, *case.args, **case.kwargs)}"
        label = f"[{', '.join(map(str, at))}]"
        return "value", (
            f"{call} returned {show(got)}, expected {show(truth)}. The first difference is at "
            f"{label}: {show(got[at])} instead of {show(truth[at])}.{why}"
        )
    if case.exact_dtype and got.dtype != truth.dtype:
        return "dtype", (
            f"{call} has dtype {got.dtype}, expected {truth.dtype}: the result keeps the "
            "input's floating type."
        )
    return None


def _explains(spec: Spec, fn: Callable, outcomes: list[Outcome], seed: int) -> Misconception | None:
    """Return the misconception that gives exactly these answers, right ones included, or None.

    A few visible cases may fit two misconceptions. The one that also gives the learner's
    answers on the hidden inputs is meant then, for which no truth is needed.
    """
    failing = [o for o in outcomes if o.kind != "ok"]
    if not failing or any(o.kind not in {"value", "shape"} for o in failing):
        return None
    found = [m for m in spec.misconceptions if all(_same_answer(m, o) for o in outcomes)]
    if len(found) > 1 and all(o.case.visible for o in outcomes):
        hidden = [c for c in spec.all_cases(seed) if not c.visible]
        answers = [run_case(spec, fn, c) for c in hidden]
        found = [m for m in found if all(_same_answer(m, o) for o in answers)] or found
    return found[0] if found else None


def _same_answer(misconception: Misconception, outcome: Outcome) -> bool:
    case = outcome.case.copy()
    try:
        with _quiet():
            wrong = misconception.fn(*case.args, **case.kwargs)
    except Exception:
        return False
    return agree(wrong, outcome.value)


# -- running -------------------------------------------------------------------------------


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the learner's function prints and warns about out of the verdict.

    nbgrader scores a test cell 0 if anything reaches its stderr, a NumPy warning included.
    """
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` in the main thread after `seconds`; elsewhere there is no limit."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def expire(signum, frame):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, expire)
    # Ringing again every 50 ms gets through a bare `except:` around an endless loop's body.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _given(fn: Callable, rules: Rules, calls: dict[str, int]) -> Iterator[None]:
    """Put the rules' given functions where `fn` looks up its globals, and count their calls."""
    plain = inspect.unwrap(fn)
    scope = getattr(plain, "__globals__", None)
    if scope is None or not rules.given:
        yield
        return

    def counted(name, function):
        def call(*args, **kwargs):
            calls[name] = calls.get(name, 0) + 1
            return function(*args, **kwargs)

        return call

    absent = object()
    before = {name: scope.get(name, absent) for name in rules.given}
    scope.update({name: counted(name, function) for name, function in rules.given.items()})
    try:
        yield
    finally:
        for name, old in before.items():
            if old is absent:
                scope.pop(name, None)
            else:
                scope[name] = old


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
    """Return the global and attribute names that a function and those inside it mention."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


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


def _where(error: Exception, fn: Callable) -> str:
    """Return the error with the learner's own line that caused it."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    code = getattr(inspect.unwrap(fn), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if code is not None and f.filename == code.co_filename]
    if not own:
        return text
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip()
    return f"{text}, at line {own[-1].lineno} of your cell: {line}"


def _same_inputs(case: Case, used: Case) -> bool:
    before = (*case.args, *case.kwargs.values())
    after = (*used.args, *used.kwargs.values())
    return all(
        np.array_equal(a, b)
        for a, b in zip(before, after, strict=True)
        if isinstance(a, np.ndarray)
    )
