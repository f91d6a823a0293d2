"""The judge's process, and the engine's handle on it.

The judge imports the specs and the frameworks; a learner's kernel never does. It sends inputs,
one call at a time, over a socket that reaches the kernel, compares what comes back, and keeps
the verdict. The engine opens a session for each kernel and says when which exercise may be
graded; each is graded once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograde import specs
from autograde.calling import Called
from autograde.engine import wire
from autograde.judge import agree, undefined
from autograde.spec import Case, Rules, Spec
from autograde.verdict import Verdict

PATIENCE = 2.0
"""Seconds beyond a call's own limit before its process counts as stuck."""
MOST_GIVEN_CALLS = 1000
LARGEST_ARGUMENT = 100_000


@dataclass
class Session:
    """One kernel, as the judge sees it."""

    sock: socket.socket
    allowed: str | None = None
    records: dict[str, Verdict] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    busy: bool = False
    broken: bool = False


class Remote:
    """A learner's function at the other end of a session; see `autograde.judge.Local`."""

    def __init__(self, session: Session, name: str):
        self.session, self.name = session, name

    def forbidden(self, rules: Rules) -> None:
        """Nothing is forbidden by name: what is not allowed is not there."""

    def call(self, case: Case, rules: Rules) -> Called:
        """Have the function called on the case's inputs."""
        if self.session.broken:
            return Called("slow", text="could not be called: its process has ended.")
        try:
            return self._call(case, rules)
        except TimeoutError:
            text = f"did not finish within {rules.seconds:g} s, nor could it be stopped."
        except Exception:  # the process is gone, or sends what is no answer
            text = "ended its process."
        self.session.broken = True
        return Called("slow", text=text)

    def _call(self, case: Case, rules: Rules) -> Called:
        sock, calls, computed = self.session.sock, {}, []
        sock.settimeout(rules.seconds + PATIENCE)
        begin = time.monotonic()
        request = {
            "call": self.name,
            "args": case.args,
            "kwargs": dict(case.kwargs),
            "given": list(rules.given),
            "seconds": rules.seconds,
        }
        wire.send(sock, request)
        while "given" in (reply := _message(sock)):
            name = reply["given"]
            calls[name] = calls.get(name, 0) + 1
            computed.append(_given(rules, name, reply, sum(calls.values())))
            wire.send(sock, computed[-1])
        if time.monotonic() - begin > rules.seconds + PATIENCE / 2:  # its own clock is no witness
            return Called("slow", text=f"did not finish within {rules.seconds:g} s.", calls=calls)
        kind, value = reply.get("kind"), reply.get("value")
        if kind == "ok" and value is None:
            raise wire.WireError("a result without a value")
        if kind not in {"ok", "unstarted", "slow", "exception", "type"}:
            raise wire.WireError(f"an unknown kind of result: {kind!r}")
        if not any(_stands_in(value, given.get("value")) for given in computed):
            calls.clear()  # called for show
        text = str(reply.get("text", ""))[:1000]
        return Called(kind, value, text, reply.get("mutated") is True, calls)


def _message(sock) -> dict[str, Any]:
    message = wire.receive(sock)
    if not isinstance(message, dict):
        raise wire.WireError("a message is a dictionary")
    return message


def _given(rules: Rules, name: Any, request: dict, count: int) -> dict[str, Any]:
    """Compute a given function for the learner's, on arguments nobody has checked."""
    args, kwargs = request.get("args", ()), request.get("kwargs", {})
    numbers = [v for v in (*args, *kwargs.values()) if isinstance(v, (int, float))]
    if name not in rules.given or count > MOST_GIVEN_CALLS:
        return {"raises": f"{name} is not given, or was called too often"}
    if any(abs(v) > LARGEST_ARGUMENT for v in numbers):
        return {"raises": "an argument is far too large"}
    try:
        return {"value": rules.given[name](*args, **kwargs)}
    except Exception as error:
        return {"raises": str(error)[:200]}


def _stands_in(value: Any, whole: Any) -> bool:
    """Return whether a result is a stretch of what a given function has computed."""
    value, whole = np.asarray(value), np.asarray(whole)
    if value.ndim != 1 or whole.ndim != 1 or value.size > whole.size or not value.size:
        return False
    starts = range(whole.size - value.size + 1)
    return any(agree(value, whole[i : i + value.size]) for i in starts)


class Server:
    """The judge itself: sessions in threads, the engine's requests in the main one."""

    def __init__(self, control: socket.socket):
        self.control = control
        self.sessions: dict[int, Session] = {}
        self.prepared: dict[str, Spec] = {}
        self.preparing = threading.Lock()
        self.seed = 0

    def serve(self) -> None:
        """Answer the engine until it is gone."""
        while True:
            data, fds, _, _ = socket.recv_fds(self.control, 65536, 1)
            if not data:
                return
            request = json.loads(data)
            try:
                answer = getattr(self, f"on_{request.pop('do')}")(*fds, **request)
            except Exception as error:  # the judge outlives whatever a session brings
                answer = {"error": f"{type(error).__name__}: {error}", "verdict": None}
            self.control.sendall(json.dumps(answer).encode() + b"\n")

    def on_start(self, secret: str) -> dict:
        """Take the class's secret, from which the hidden inputs are drawn."""
        self.seed = int.from_bytes(hashlib.sha256(secret.encode()).digest()[:8])
        return {}

    def on_open(self, fd: int, session: int) -> dict:
        """Begin a session with the kernel at the other end of `fd`."""
        opened = self.sessions[session] = Session(socket.socket(fileno=fd))
        threading.Thread(target=self._listen, args=(opened,), daemon=True).start()
        return {}

    def on_allow(self, session: int, name: str) -> dict:
        """Let the kernel have `name` graded from now on, and nothing else."""
        s = self.sessions[session]
        with s.changed:
            s.allowed = name
            s.changed.notify_all()
        return {}

    def on_record(self, session: int, name: str) -> dict:
        """End the permission and return the verdict on `name`, or None if there is none."""
        s = self.sessions[session]
        with s.changed:
            s.allowed = None
            s.changed.wait_for(lambda: not s.busy, timeout=600)
            verdict = s.records.get(name)
        return {"verdict": verdict and verdict.to_dict()}

    def on_close(self, session: int) -> dict:
        """Forget a session."""
        with contextlib.suppress(OSError):
            self.sessions[session].sock.shutdown(socket.SHUT_RDWR)
        self.sessions.pop(session).sock.close()
        return {}

    def _listen(self, s: Session) -> None:
        while not s.broken:
            try:
                s.sock.settimeout(None)
                request = _message(s.sock)
                name = request.get("grade")
                with s.changed:
                    s.changed.wait_for(lambda n=name: s.allowed == n, timeout=2)
                    may = s.allowed == name and name in specs.names() and name not in s.records
                    s.busy = may
                if not may:
                    wire.send(s.sock, {"refused": "This is not the time to grade it."})
                    continue
                verdict = self._judge(s, name, request.get("defined") is True)
                with s.changed:
                    s.records[name], s.busy = verdict, False
                    s.changed.notify_all()
                wire.send(s.sock, {"score": verdict.score, "text": str(verdict)})
            except (OSError, EOFError, wire.WireError):
                s.broken = True
            finally:
                with s.changed:
                    s.busy = False
                    s.changed.notify_all()
        with contextlib.suppress(OSError):  # a kernel that waits for an answer gets none
            s.sock.shutdown(socket.SHUT_RDWR)

    def _judge(self, s: Session, name: str, defined: bool) -> Verdict:
        spec = self._prepare(name)
        if defined:
            return spec.judge(Remote(s, name), self.seed)
        return undefined(spec)

    def _prepare(self, name: str) -> Spec:
        """Return the spec with its cases drawn and their truths computed, once a class."""
        with self.preparing:
            if name not in self.prepared:
                spec = specs.get(name)
                cases = [replace(c, expected=spec.truth(c)) for c in spec.all_cases(self.seed)]
                self.prepared[name] = replace(spec, cases=lambda rng: iter(cases))
            return self.prepared[name]


class Judge:
    """The engine's handle on a judge's process. Raises `EOFError` if that has died."""

    def __init__(self, secret: str):
        ours, theirs = socket.socketpair()
        self._control = ours
        self._lock = threading.Lock()
        self._numbers = iter(range(1 << 62))
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograde.engine.judging"], stdin=theirs, env=environment
        )
        theirs.close()
        self._ask("start", secret=secret)

    def open(self) -> tuple[int, socket.socket]:
        """Begin a session; return its number and the end of the socket for the kernel."""
        for_kernel, for_judge = socket.socketpair()
        number = next(self._numbers)
        with for_judge:
            self._ask("open", for_judge, session=number)
        return number, for_kernel

    def allow(self, session: int, name: str) -> None:
        """Let the session's kernel have `name` graded."""
        self._ask("allow", session=session, name=name)

    def record(self, session: int, name: str) -> dict | None:
        """Return the verdict on `name` as data, or None if the kernel never asked for one."""
        return self._ask("record", session=session, name=name)["verdict"]

    def close_session(self, session: int) -> None:
        """End a session."""
        self._ask("close", session=session)

    def close(self) -> None:
        """End the judge's process."""
        self._control.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, do: str, *socks: socket.socket, **request: Any) -> dict:
        data = json.dumps({"do": do, **request}).encode()
        with self._lock:
            socket.send_fds(self._control, [data], [s.fileno() for s in socks])
            reply = b""
            while not reply.endswith(b"\n"):
                part = self._control.recv(1 << 20)
                if not part:
                    raise EOFError("the judge's process has died")
                reply += part
        return json.loads(reply)


def main() -> None:
    """Run a judge on the socket that is standard input."""
    with socket.socket(fileno=os.dup(0)) as control:
        Server(control).serve()
    os._exit(0)  # threads may still wait for a kernel


if __name__ == "__main__":
    main()
