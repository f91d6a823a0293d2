"""The judge's process, and the engine's handle on it.

The judge imports the specs and the frameworks; a learner's kernel never does. It sends inputs,
one call at a time, over a socket that reaches the kernel, compares what comes back, and keeps
the verdict. The engine opens a session for each kernel and says when which exercise may be
graded; each is graded once. A session has a thread of its own and waits for no other.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import itertools
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from autograde import specs
from autograde.calling import WAITING, Called
from autograde.engine import ONE_THREAD, wire
from autograde.judge import undefined
from autograde.spec import Case, Rules, Spec

PATIENCE = 2.0
"""Seconds beyond a call's own limit before its process counts as stuck."""
TOGETHER = 16
"""How many cases go in one message at most: each message wakes the other side."""
MOST_TOGETHER = 1 << 14
"""How many elements their inputs may have together."""
MOST_REFUSALS = 100
"""How often a kernel may ask at the wrong time before it is not listened to any more."""
MOST_GIVEN_CALLS = 1000
MORE = 16
"""How many times the elements of its own largest case a given function is handed at most."""
FURTHER = 4
"""The same for numbers, such as a padding, and this much beside:"""
BESIDE = 64
MOST_ELEMENTS_IN_ALL = 1 << 18
"""How many elements a function may hand to given ones in all its calls for one case."""


class Remote:
    """A learner's function at the other end of a socket; see `autograde.judge.Local`.

    `seconds` counts the time that its calls have taken.
    """

    def __init__(self, sock: socket.socket, name: str):
        self.sock, self.name = sock, name
        self.seconds, self.broken = 0.0, False
        self._ahead: list[Case] = []
        self._called: list[tuple[Case, Called]] = []

    def forbidden(self, rules: Rules) -> None:
        """Nothing is forbidden by name: what is not allowed is not there."""

    def ahead(self, cases: list[Case], spec: Spec) -> None:
        """Hear which cases will be asked for: several of them can go in one message."""
        self._ahead = list(cases)

    def call(self, case: Case, spec: Spec) -> Called:
        """Have the function called on the case's inputs.

        Where it has to go through a given function, it is called twice. Once that function's
        values are bent, and if the answer is the same all the same, it was called for show.
        Which time, nobody can tell who does not compute the values without it.
        """
        if case.aspect == spec.rules.must_call_aspect:
            times = [False, True] if secrets.randbits(1) else [True, False]
            called = {bent: self._call([case], spec, bent)[0] for bent in times}
            if _same(called[False].value, called[True].value):
                called[False].calls.clear()
            return called[False]
        if not (self._called and self._called[0][0] is case):
            cases = self._together(case)
            self._called = list(zip(cases, self._call(cases, spec), strict=False))
        return self._called.pop(0)[1]

    def _together(self, case: Case) -> list[Case]:
        """Return the case and those of its aspect that come next and may go along.

        Not where it counts whether inputs were changed: that is seen before anything else of
        the learner's runs.
        """
        at = next((i for i, c in enumerate(self._ahead) if c is case), None)
        if at is None or case.exact_dtype:
            return [case]
        found, size = [], 0
        for other in self._ahead[at : at + TOGETHER]:
            size += other.size
            alike = other.aspect == case.aspect and not other.exact_dtype
            if found and not (alike and size <= MOST_TOGETHER):
                break
            found.append(other)
        return found

    def _call(self, cases: list[Case], spec: Spec, bent: bool = False) -> list[Called]:
        """Return what came of the cases, up to the first that was slow."""
        called: list[Called] = []
        if self.broken:
            return [Called("slow", text="could not be called: its process has ended.")]
        begin = start = time.monotonic()
        try:
            with wire.Memory() as memory:
                self._ask(cases, spec, memory)
                for case in cases:
                    called.append(self._answer(case, spec, start, bent))
                    if len(cases) == 1:  # before anything else of its could run
                        called[-1].mutated = memory.changed()
                    start = time.monotonic()
                    if called[-1].kind == "slow":
                        break
            return called
        except TimeoutError:
            text = f"did not finish within {longest(spec):g} s, nor could it be stopped."
        except Exception:  # the process is gone, or sends what is no answer
            text = "ended its process."
        finally:
            self.seconds += time.monotonic() - begin
        self.broken = True
        return [*called, Called("slow", text=text)]

    def _ask(self, cases: list[Case], spec: Spec, memory: wire.Memory) -> None:
        request = {
            "calls": [{"args": case.args, "kwargs": dict(case.kwargs)} for case in cases],
            "given": list(spec.rules.given),
            "seconds": spec.rules.seconds,
            "driver": spec.driver and _source(spec.driver),
            "several": spec.parts is not None,
        }
        self.sock.settimeout(longest(spec) + PATIENCE)
        wire.send(self.sock, request, memory)

    def _answer(self, case: Case, spec: Spec, begin: float, bent: bool) -> Called:
        """Serve the call's own calls of given functions, and return what came of it."""
        rules, calls, strange, count, elements = spec.rules, {}, False, 0, 0
        deadline = begin + longest(spec) + PATIENCE
        while "given" in (reply := _message(self.sock, deadline)):
            name = reply["given"]
            if not isinstance(name, str):
                raise wire.WireError("a name is text")
            count += 1
            answer = _given(rules, case, reply, count)
            if "value" in answer:
                args, kwargs = _arguments(reply)
                elements += sum(map(np.size, (*args, *kwargs.values())))
                if elements > MOST_ELEMENTS_IN_ALL:
                    raise wire.WireError("asked for far too much")
                calls.setdefault(name, []).append((args, kwargs))
                strange |= not _is_about(case, reply)
                if bent and name == rules.must_call:
                    answer["value"] = np.asarray(answer["value"]) + 1
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            wire.send(self.sock, answer)
        if time.monotonic() - begin > longest(spec) + PATIENCE / 2:  # its clock is no witness
            return Called("slow", text=f"did not finish within {longest(spec):g} s.", calls=calls)
        kind, parts = reply.get("kind"), reply.get("parts")
        if kind not in {"ok", "unstarted", "slow", "exception", "type"}:
            raise wire.WireError(f"an unknown kind of result: {kind!r}")
        arrays = isinstance(parts, list) and all(isinstance(p, np.ndarray) for p in parts)
        if kind == "ok" and not (arrays and (spec.parts is not None or len(parts) == 1)):
            raise wire.WireError("a result without arrays")
        value = None
        if kind == "ok":
            value = parts if spec.parts is not None else parts[0]
        if strange:  # whoever has the answer already could have it handed through
            calls.clear()
        text = str(reply.get("text", ""))[:1000].encode("utf-8", "replace").decode()
        refused = reply.get("refused") is True
        return Called(kind, value, text, calls=calls, refused=refused)


def longest(spec: Spec) -> float:
    """Return how many seconds a call may take by the clock."""
    return WAITING * spec.rules.seconds


@cache
def _source(driver) -> str:
    return textwrap.dedent(inspect.getsource(driver))


def _message(sock, deadline=None, most=2 * wire.MAX_RESULT) -> dict[str, Any]:
    message = wire.receive(sock, deadline, most)
    if not isinstance(message, dict):
        raise wire.WireError("a message is a dictionary")
    return message


def _given(rules: Rules, case: Case, request: dict, count: int) -> dict[str, Any]:
    """Compute a given function for the learner's, on arguments nobody has checked."""
    name = request["given"]
    if name not in rules.given or count > MOST_GIVEN_CALLS:
        return {"raises": f"{name} is not given, or was called too often"}
    try:
        args, kwargs = _arguments(request)
        if problem := _unlike_its_own(name, args, kwargs):
            return {"raises": problem}
        return {"value": rules.given[name](*args, **kwargs)}
    except Exception as error:
        return {"raises": str(error)[:200]}


def _unlike_its_own(name: str, args, kwargs: dict[str, Any]) -> str | None:
    """Return what is wrong with arguments for an exercise's function, measured by its own cases.

    It runs here, on whatever a notebook sends: a size or a padding may ask for any memory.
    """
    parameters, usual = _usual(name)
    for parameter, value in (*zip(parameters, args, strict=False), *kwargs.items()):
        array, (data, axes, elements, largest) = np.asarray(value), usual.get(parameter, NUMBER)
        if value is None or isinstance(value, str):
            continue
        if array.dtype.kind not in wire.KINDS:
            return f"{parameter} is neither a number nor an array of numbers"
        if array.ndim > axes or array.size > MORE * elements:
            return f"{parameter} is far too large an array"
        if not data and not (np.abs(array.astype(float)) <= FURTHER * largest + BESIDE).all():
            return f"{parameter} is far too large a number"
    return None


NUMBER = False, 0, 1, 0.0


@cache
def _usual(name: str) -> tuple[list[str], dict[str, tuple[bool, int, int, float]]]:
    """Return the parameters of an exercise's function, and for those that its cases set: whether
    arrays stand there, and the most axes, elements and magnitude.
    """
    spec = specs.get(name)
    parameters = [p.split("=")[0].strip() for p in spec.parameters.split(",")]
    usual: dict[str, tuple[bool, int, int, float]] = {}
    for case in spec.all_cases(0):
        for parameter, value in (*zip(parameters, case.args, strict=False), *case.kwargs.items()):
            array = np.asarray(value)
            if array.dtype.kind not in wire.KINDS:
                continue
            found = (
                isinstance(value, np.ndarray),
                array.ndim,
                array.size,
                float(np.abs(array.astype(float)).max(initial=0)),
            )
            usual[parameter] = tuple(map(max, usual.get(parameter, NUMBER), found))
    return parameters, usual


def _arguments(request: dict) -> tuple[list | tuple, dict[str, Any]]:
    return request.get("args", ()), request.get("kwargs", {})


def _is_about(case: Case, request: dict) -> bool:
    """Return whether a given function was called on the case's own values, zeros aside."""
    args, kwargs = _arguments(request)
    own = _values(v for v in (*case.args, *case.kwargs.values()) if isinstance(v, np.ndarray))
    used = np.unique(_values(v for v in (*args, *kwargs.values()) if np.ndim(v)))
    near = np.abs(used[:, None] - own) <= 1e-5 * np.abs(own)
    return bool(near.any(axis=1).all())


def _values(arrays: Iterable) -> np.ndarray:
    """Return all elements in one row, and a zero."""
    return np.concatenate([np.zeros(1), *(np.ravel(a).astype(float) for a in arrays)])


def _same(value: Any, other: Any) -> bool:
    several = isinstance(value, list) and isinstance(other, list) and len(value) == len(other)
    pairs = zip(value, other, strict=True) if several else [(value, other)]
    return all(np.array_equal(a, b) for a, b in pairs)


class Server:
    """The judge itself: the engine's requests in the main thread, each session in its own."""

    def __init__(self, control: socket.socket):
        self.control = control
        self.prepared: dict[str, Spec] = {}
        self.preparing = threading.Lock()
        self.seed = 0

    def serve(self) -> None:
        """Take the class's secret, then open sessions until the engine is gone."""
        start = json.loads(self.control.recv(65536))
        self.seed = int.from_bytes(hashlib.sha256(start["secret"].encode()).digest()[:8])
        threading.Thread(target=self._get_ready, args=[start["soon"]], daemon=True).start()
        self.control.sendall(b"ready\n")
        while True:
            data, fds, _, _ = socket.recv_fds(self.control, 1, 2)
            if not data:
                return
            ends = [socket.socket(fileno=fd) for fd in fds]
            threading.Thread(target=self._session, args=ends, daemon=True).start()

    def _get_ready(self, names: list[str]) -> None:
        """Prepare what will soon be asked for, while the engine gets ready too."""
        gc.disable()  # or it looks at all of the frameworks' objects, again and again
        for name in names:
            self._prepare(name)
        gc.freeze()
        gc.enable()

    def _session(self, engine: socket.socket, kernel: socket.socket) -> None:
        """Judge what the engine names when the kernel asks for it, until the engine is gone."""
        with engine, kernel, contextlib.suppress(OSError, EOFError):
            done: set[str] = set()
            while True:
                _refuse_until_ready(engine, kernel)
                name = wire.receive(engine)["grade"]
                self._prepare(name)  # in nobody's time but its own
                wire.send(engine, {"ready": True})
                answer = {"verdict": None} if name in done else self._grade(engine, kernel, name)
                done.add(name)
                wire.receive(engine)  # the engine knows that the cell has ended
                wire.send(engine, {"answer": json.dumps(answer)})

    def _grade(self, engine, kernel, name: str) -> dict[str, Any]:
        """Return the verdict on `name`, None if the kernel does not ask for it, and the times."""
        begin, remote, verdict = time.monotonic(), Remote(kernel, name), None
        try:
            request = _refuse_until_ready(engine, kernel, name)
            begin = time.monotonic()
            if request:
                spec = self._prepare(name)
                defined = request.get("defined") is True
                verdict = spec.judge(remote, self.seed) if defined else undefined(spec)
                kernel.settimeout(PATIENCE)
                wire.send(kernel, {"score": verdict.score, "text": str(verdict)})
        except (OSError, EOFError, wire.WireError):
            _hang_up(kernel)
        return {
            "verdict": verdict and verdict.to_dict(),
            "usable": kernel.fileno() >= 0 and not remote.broken,
            "learner": remote.seconds,
            "judge": time.monotonic() - begin - remote.seconds,
        }

    def _prepare(self, name: str) -> Spec:
        """Return the spec with its cases drawn and their truths computed, once a class."""
        with self.preparing:
            if name not in self.prepared:
                spec = specs.get(name)
                cases = [replace(c, expected=spec.truth(c)) for c in spec.all_cases(self.seed)]
                self.prepared[name] = replace(spec, cases=lambda rng: iter(cases))
            return self.prepared[name]


def _refuse_until_ready(engine, kernel, name: str | None = None) -> dict[str, Any] | None:
    """Return the kernel's request for `name`, or None once the engine has something to say.

    Whatever else the kernel asks for is refused; a kernel that talks nonsense, or asks on and
    on, is hung up on.
    """
    for count in itertools.count():
        listening = [engine, kernel] if kernel.fileno() >= 0 else [engine]
        ready, _, _ = select.select(listening, [], [])
        if kernel not in ready or (name is None and engine in ready):
            return None
        try:
            request = _message(kernel, time.monotonic() + PATIENCE, most=0)
            if name is not None and request.get("grade") == name:
                return request
            if count >= MOST_REFUSALS:
                raise wire.WireError("asked too often")
            wire.send(kernel, {"refused": "This is not the time to grade it."})
        except (OSError, EOFError, wire.WireError):
            _hang_up(kernel)


def _hang_up(kernel: socket.socket) -> None:
    """Close the way to a kernel: one that waits for an answer gets none."""
    with contextlib.suppress(OSError):
        kernel.shutdown(socket.SHUT_RDWR)
    kernel.close()


@dataclass
class Answer:
    """What became of an exercise: the verdict as data, or None if there is none.

    `usable` says whether the kernel may be asked again; `learner` and `judge` are the seconds
    that the learner's function and the judge took.
    """

    verdict: dict[str, Any] | None
    usable: bool = True
    learner: float = 0.0
    judge: float = 0.0


class Session:
    """The engine's end of the judge's session with one kernel."""

    def __init__(self, sock: socket.socket):
        self._sock = sock

    def begin(self, name: str) -> None:
        """Let the kernel have `name` graded from now on, and nothing else.

        Returns once the judge knows: a kernel that asks before that is refused.
        """
        wire.send(self._sock, {"grade": name})
        wire.receive(self._sock)

    def end(self, seconds: float) -> Answer:
        """Say that its time is over and return what became of it.

        Raises `TimeoutError` if the judge is not done within `seconds`; `end` again after
        having ended the kernel. Raises `EOFError` if the judge's process has died.
        """
        if self._sock.gettimeout() is None:
            wire.send(self._sock, {"end": True})
        reply = wire.receive(self._sock, time.monotonic() + seconds)
        self._sock.settimeout(None)
        return Answer(**json.loads(reply["answer"]))

    def close(self) -> None:
        """End the session."""
        self._sock.close()


class Judge:
    """The engine's handle on a judge's process. Raises `EOFError` if that has died.

    `secret` decides the hidden inputs. The exercises in `soon` are prepared at once.
    """

    def __init__(self, secret: str, soon: Iterable[str] = ()):
        self._control, theirs = socket.socketpair()
        environment = {
            **os.environ,
            **ONE_THREAD,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograde.engine.judging"],
            stdin=theirs,
            env=environment,
            start_new_session=True,  # what a terminal sends is for the engine alone
        )
        theirs.close()
        self._control.sendall(json.dumps({"secret": secret, "soon": list(soon)}).encode())
        if not self._control.recv(16):
            raise EOFError("the judge's process did not start")

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def open(self) -> tuple[Session, socket.socket]:
        """Begin a session; return it and the end of a socket for the kernel."""
        for_kernel, to_kernel = socket.socketpair()
        ours, theirs = socket.socketpair()
        with theirs, to_kernel:
            try:
                socket.send_fds(self._control, [b"+"], [theirs.fileno(), to_kernel.fileno()])
            except OSError:
                raise EOFError("the judge's process has died") from None
        return Session(ours), for_kernel

    def close(self) -> None:
        """End the judge's process."""
        self._control.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Run a judge on the socket that is standard input."""
    sys.modules["matplotlib"] = None  # Keras would import it, a fifth of all that is imported
    with socket.socket(fileno=os.dup(0)) as control:
        Server(control).serve()
    os._exit(0)  # threads may still wait for a kernel


if __name__ == "__main__":
    main()
