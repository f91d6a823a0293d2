"""Calling a learner's function: quietly, within its time, and with what came of it in words.

This module runs where the function runs: in the judge's process on a laptop and in the tests,
in a sandbox when the caller has one. It knows nothing of specs.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import linecache
import re
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class TooSlow(BaseException):
    """Raised inside a call that outlives its time. Not an `Exception`, so that a learner's
    `except Exception` does not swallow it.
    """


WAITING = 4
"""How many times its seconds of computing a call may take by the clock, waiting included."""


class NotAsked(Exception):
    """What was returned is of the wrong kind; the message goes on from "f(x) ..."."""


@dataclass
class Called:
    """What came of one call.

    `kind` is "ok", or "unstarted" (NotImplementedError), "slow", "exception", "type" (what was
    returned is no array of real numbers); `text` goes on from "f(x) ...". `mutated` tells
    whether an array handed in was changed, `calls` holds the arguments, positional and by name,
    of every call of each given function, `refused` tells whether it raised a `ValueError`.
    """

    kind: str = "ok"
    value: Any = None
    text: str = ""
    mutated: bool = False
    calls: dict[str, list[tuple[tuple, dict]]] = field(default_factory=dict)
    refused: bool = False


def call(
    fn: Callable,
    args: tuple,
    kwargs: Mapping[str, Any],
    *,
    given: Mapping[str, Callable],
    seconds: float,
    driver: Callable | None = None,
    several: bool = False,
) -> Called:
    """Call `fn` in this process, through `driver` if there is one.

    `given` stands in for the globals of these names meanwhile. With `several`, a list of arrays
    is to come back.
    """
    arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray)]
    before = [a.copy() for a in arrays]
    called = Called()
    try:
        with _given(fn, given, called.calls), quiet(), _time_limit(seconds):
            called.value = driver(fn, *args, **kwargs) if driver else fn(*args, **kwargs)
        called.kind, called.text = "ok", ""
    except NotImplementedError as error:
        own = _is_own(traceback.extract_tb(error.__traceback__)[-1], fn)
        called.kind = "unstarted" if own else "exception"  # another function's may be missing
        called.text = (
            "raised NotImplementedError: this part is not written yet."
            if own
            else f"raised {_where(error, fn)}. A function that it calls is not written yet."
        )
    except TooSlow as slow:
        called.kind = "slow"
        called.text = f"did not finish within {slow}. Is there a loop that never ends?"
    except NotAsked as error:
        called.kind, called.text = "type", str(error)
    except (Exception, SystemExit) as error:
        called.kind, called.text = "exception", f"raised {_where(error, fn)}"
        called.refused = isinstance(error, ValueError)
    else:
        if problem := (_no_parts(called.value) if several else not_numbers(called.value)):
            called.kind, called.text = "type", problem
    called.mutated = not all(map(np.array_equal, before, arrays))
    return called


def not_numbers(value: Any) -> str | None:
    """Return why `value` is no array of real numbers, or None if it is one."""
    if value is None:
        return "returned None. Does every path end with `return`?"
    try:
        array = np.asarray(value)
    except ValueError:
        return f"returned a ragged {type(value).__name__}, not an array."
    if array.dtype.kind == "c":
        return "returned complex values. After an FFT, take the real part."
    if array.dtype.kind not in "fiub":
        return f"returned {type(value).__name__} of {array.dtype}, not numbers."
    return None


def _no_parts(value: Any) -> str | None:
    """Return why `value` is no list of arrays, or None if it is one."""
    if value is None:
        return not_numbers(value)
    if not isinstance(value, (list, tuple)):
        return f"returned {type(value).__name__}, not several arrays."
    return next(filter(None, map(not_numbers, value)), None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
    """Raise `TooSlow` in the main thread after `seconds` of computing; elsewhere never.

    On a busy machine a call gets the processor less often. That is not its fault.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    rung, end = False, time.monotonic() + WAITING * seconds
    used = time.process_time() + seconds

    def expire(signum, frame):
        nonlocal rung
        left = min(used - time.process_time(), end - time.monotonic())
        if left > 0 and not rung:
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
            return
        if not rung:
            # Ringing again and again gets through a bare `except:` around an endless loop's
            # body: one ring has to fall outside the `try`.
            signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        rung = True
        # Not into the way out from here, which starts once the first one has got through.
        if frame.f_code.co_filename not in {__file__, contextlib.__file__}:
            waited = time.process_time() < used
            raise TooSlow(f"{WAITING * seconds:g} s" if waited else f"{seconds:g} s of computing")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if rung:  # a last ring may be on its way through another thread
            time.sleep(0.005)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _given(fn: Callable, given: Mapping[str, Callable], calls: dict[str, list]) -> Iterator[None]:
    """Put the given functions where `fn` looks up its globals, and note their calls."""
    scope = getattr(inspect.unwrap(fn), "__globals__", None)
    if scope is None or not given:
        yield
        return

    def noted(name, function):
        def call(*args, **kwargs):
            result = function(*args, **kwargs)
            calls.setdefault(name, []).append(copy.deepcopy((args, kwargs)))
            return result

        return call

    absent = object()
    before = {name: scope.get(name, absent) for name in given}
    scope.update({name: noted(name, function) for name, function in given.items()})
    try:
        yield
    finally:
        for name, old in before.items():
            if old is absent:
                scope.pop(name, None)
            else:
                scope[name] = old


def _is_own(frame: traceback.FrameSummary, fn: Any) -> bool:
    """Return whether a frame is in `fn` itself and not in something that it calls."""
    if not inspect.isclass(fn):
        return frame.name == inspect.unwrap(fn).__name__
    methods = [inspect.unwrap(getattr(m, "__func__", m)) for m in vars(fn).values()]
    codes = [m.__code__ for m in methods if hasattr(m, "__code__")]
    return any((frame.filename, frame.name) == (c.co_filename, c.co_name) for c in codes)


_WRAPPING = re.compile(
    r"""\x1b\[[\d;]*m                                   # bold, on a terminal
    | ^Exception\ encountered\ when\ calling\ .*\n\s*   # Keras says which layer,
    | \s*Arguments\ received\ by\ (?s:.*)               # and with what
    | \{\{function_node\ .*?\}\}\s*                     # TensorFlow says on which device,
    | \s*\[Op:\w+\](?:\ name:.*)?                       # and in which operation
    | \s*;\ NodeDef:\ (?s:.*)                           # with all its settings
    """,
    re.VERBOSE,
)
"""What the frameworks wrap around the sentence that says what is wrong."""


def _where(error: BaseException, fn: Callable) -> str:
    """Return the error with the learner's own line that caused it."""
    said = _WRAPPING.sub("", str(error)[:2000]).strip()
    said = f"{said[:200]} …" if len(said) > 200 else said
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename in _files(fn)]
    if not own:
        return text
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip()
    return f"{text}, at line {own[-1].lineno} of your cell: {line}"


def _files(fn: Any) -> set[str]:
    """Return the files, a notebook's cells among them, that hold the code of `fn`."""
    parts = vars(fn).values() if inspect.isclass(fn) else [fn]
    codes = (getattr(inspect.unwrap(getattr(p, "__func__", p)), "__code__", None) for p in parts)
    return {code.co_filename for code in codes if code}
