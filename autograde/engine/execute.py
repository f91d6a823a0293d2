"""Run one submission: notebook bytes in, outputs and verdicts out. Nothing is recorded here.

A fresh kernel runs the learner's code cells in order. Where a graded function's test cell
stands, the judge is allowed to call that function, and only then. A cell that hangs, floods or
kills its kernel costs itself: the next cell gets a fresh kernel in which the cells before it,
without the bad one, have been run again.
"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import nbformat

from autograde import specs
from autograde.engine.client import Client, Outputs
from autograde.engine.judging import Answer, Judge
from autograde.engine.kernels import Limits, SandboxUnavailable, Zygote
from autograde.judge import undefined
from autograde.submission import grade_id, parse
from autograde.verdict import Verdict

GRADE = "from autograde.notebook import grade\ngrade({name!r})"
JUDGES_OWN = 30.0
"""Seconds that the judge may take for itself, once a learner's kernel is out of the way."""
MOST_OUTPUT = 8
"""How many times what one cell may show all the cells together may."""


@dataclass
class Executed:
    """What came of a submission.

    `graded` maps the name of a test cell to its verdict as data, `outputs` holds the outputs of
    each cell of the notebook (none for test cells and text), `incidents` says in words what
    went wrong on the way, and `seconds` where the time went: "kernel" (starting them), "cells"
    and "learner" (the learner's cells, and their functions called by the judge), "judge" and
    "total".
    """

    graded: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: list[list[dict[str, Any]]] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return all of it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Executed:
        """Return what `to_bytes` made `data` of."""
        return cls(**json.loads(data))


class EngineError(RuntimeError):
    """A submission could not be executed, and it is not known to be its fault."""


class Engine:
    """A judge and a zygote for each choice of libraries: all that executing submissions needs.

    `secret` decides the hidden inputs; `limits` replaces those of the problem sets; the judge
    gets ready for `problem_set` at once. Several threads may execute at once. Use it as a
    context manager, or call `close`.
    """

    def __init__(
        self,
        secret: str,
        *,
        limits: Limits | None = None,
        sandboxed: bool = True,
        problem_set: str | None = None,
    ):
        self._limits, self._sandboxed = limits, sandboxed
        self._zygotes: dict[tuple[tuple[str, ...], Limits], Zygote] = {}
        self._starting = threading.Lock()
        self._secret = secret
        self._judge = Judge(secret, specs.names(problem_set) if problem_set else ())

    @property
    def judge(self) -> Judge:
        """The judge's process, a fresh one if the last has died."""
        with self._starting:
            if not self._judge.alive:
                self._judge.close()
                self._judge = Judge(self._secret)
            return self._judge

    def limits(self, problem_set: str) -> Limits:
        """Return what a submission for `problem_set` may use."""
        return self._limits or Limits(**specs.LIMITS.get(problem_set, {}))

    def zygote(self, libraries: tuple[str, ...], limits: Limits) -> Zygote:
        """Return the zygote for these, a fresh one if there is none yet or the last has died."""
        with self._starting:
            key = libraries, limits
            if (zygote := self._zygotes.get(key)) and not zygote.alive:
                self._zygotes.pop(key).close()
            if key not in self._zygotes:
                self._zygotes[key] = Zygote(libraries, limits=limits, sandboxed=self._sandboxed)
            return self._zygotes[key]

    def try_sandbox(self) -> None:
        """Start a zygote, which tries a kernel. Raises `SandboxUnavailable`."""
        self.zygote(("numpy",), self._limits or Limits())

    def close(self) -> None:
        """End all its processes and all they have started."""
        for zygote in list(self._zygotes.values()):  # a thread may still be starting another
            zygote.close()
        self._judge.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def execute(self, data: bytes, problem_set: str) -> Executed:
        """Run the notebook in `data`.

        Exercises that allow different libraries are graded in a run of the notebook each: where
        a framework is not allowed, there is none. What a cell shows is from the last run in which
        it did not fail, since it may have missed a framework in others. Raises `Unreadable`,
        `SandboxUnavailable` from the kernels, and `EngineError` if one of the engine's own
        processes dies of it.
        """
        notebook = parse(data)
        for last in (False, True):
            try:
                return self._execute(notebook, problem_set)
            except SandboxUnavailable:
                raise
            except (EOFError, OSError, RuntimeError) as error:
                # A process that has died is replaced. It may have died of another submission.
                if last:
                    why = str(error) or type(error).__name__
                    raise EngineError(f"the engine broke down twice over it: {why}") from None
        raise AssertionError

    def _execute(self, notebook, problem_set: str) -> Executed:
        limits, done = self.limits(problem_set), Executed()
        left, waiting = limits.notebook, len(specs.names(problem_set))
        for libraries, names in _flavours(problem_set):
            run = _Run(self, self.zygote(libraries, limits), notebook, names, done)
            left -= run.finish(left * len(names) / waiting)
            waiting -= len(names)
        done.graded = {name: done.graded[name] for name in specs.names(problem_set)}
        return done


def _flavours(problem_set: str) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return the exercises of a problem set by the libraries they allow, fewest first."""
    by: dict[tuple[str, ...], list[str]] = {}
    for name in specs.names(problem_set):
        by.setdefault(tuple(sorted(specs.get(name).rules.libraries)), []).append(name)
    return sorted(by.items(), key=lambda item: len(item[0]))


class _Kernel:
    """A kernel, the client that talks to it, and its session with the judge."""

    def __init__(self, engine: Engine, zygote: Zygote):
        self.session, for_kernel = engine.judge.open()
        key = nbformat.v4.nbbase.random_cell_id() * 4
        with contextlib.ExitStack() as failing:
            failing.callback(self.session.close)
            with for_kernel:
                self.kernel, connection = zygote.fork(key=key, judge=for_kernel)
            failing.callback(self.kernel.signal, signal.SIGKILL)
            self.client = Client(connection | {"key": key}, self.kernel.ended.done)
            failing.pop_all()

    def run(self, code: str, seconds: float, outputs: Outputs) -> str:
        """Run `code` and return how it ended: "done", "timeout", "flood" or "dead"."""
        outcome = self.client.run(code, seconds, outputs.take)
        if outcome != "done":
            self.kernel.signal(signal.SIGKILL)
        return outcome

    def grade(self, name: str, seconds: float, most: int) -> tuple[str, Answer]:
        """Let the judge call the function `name`; return how the cell ended, and the answer.

        The session has to have begun with it.
        """
        deadline = time.monotonic() + seconds
        outcome = self.run(GRADE.format(name=name), seconds, Outputs(most))
        try:  # a kernel may say too early that it is done
            answer = self.session.end(max(0.5, deadline - time.monotonic()))
        except TimeoutError:
            outcome = "timeout"
            self.kernel.signal(signal.SIGKILL)
            answer = self.session.end(JUDGES_OWN)
        return outcome, answer

    @property
    def ended(self) -> bool:
        return self.kernel.ended.done()

    def close(self) -> None:
        self.kernel.signal(signal.SIGKILL)
        self.client.close()
        self.session.close()


@dataclass(eq=False)
class _Ran:
    """A cell of the learner's that has run, and is run again in a fresh kernel if it is good."""

    name: str | None
    source: str
    good: bool


class _Run:
    """One run of a notebook, over as many kernels as it takes, for the exercises in `names`.

    Exercises are graded in the order of the release, whatever the notebook's own: what a later
    one is given must not help with an earlier one.
    """

    def __init__(self, engine, zygote, notebook, names: list[str], done: Executed):
        self.engine, self.zygote, self.names = engine, zygote, names
        self.limits, self.deadline, self.done = zygote.limits, 0.0, done
        self.cells = notebook.cells
        self.tests = set(specs.names())
        self.ran: list[_Ran] = []
        self.room = MOST_OUTPUT * self.limits.output
        self.kernel: _Kernel | None = None
        self.met: set[str] = set()  # exercises whose test cell has been reached

    def finish(self, seconds: float) -> float:
        """Run the cells and grade the exercises, which takes `seconds` at most.

        All that comes of it goes to `done`. Returns the seconds that it took, but for the
        judge's own.
        """
        begin = time.monotonic()
        self.deadline = begin + seconds
        earlier, self.done.outputs = self.done.outputs, [[] for _ in self.cells]
        try:
            for cell, outputs in zip(self.cells, self.done.outputs, strict=True):
                name = grade_id(cell)
                if cell.cell_type != "code":
                    continue
                if name in self.tests:
                    self._reached(name)
                else:
                    outputs += self._learners_cell(name, cell.source)
            for name in self.names:
                if name not in self.met:
                    self.done.incidents.append(f"The test cell of {name} is missing.")
                self._grade(name)
            for at, before in enumerate(earlier):
                if _failed(self.done.outputs[at]) and not _failed(before):
                    self.done.outputs[at] = before
        finally:
            self._drop_kernel()
            self._spend("total", time.monotonic() - begin)
        return seconds - (self.deadline - time.monotonic())

    def _reached(self, name: str) -> None:
        self.met.add(name)
        for earlier in self.names:
            if earlier not in self.met:
                return
            self._grade(earlier)

    def _learners_cell(self, name: str | None, source: str) -> list[dict[str, Any]]:
        if not self._ready():
            return [_error("TimeLimit", "The notebook's time was used up before this cell.")]
        collected = Outputs(self.limits.output)
        outcome = self._run(source, collected)
        self.ran.append(_Ran(name, source, good=outcome == "done"))
        self.room -= self.limits.output - collected.left
        outputs = collected.outputs
        if self.room < 0:
            outputs = [_error("OutputLimit", "The notebook has shown far too much before this.")]
        return outputs if outcome == "done" else [*outputs, _error(*_INCIDENTS[outcome])]

    def _grade(self, name: str) -> None:
        if name in self.done.graded:
            return
        alone = self._alone(name)
        others = any(c not in alone for c in self._good)
        fell = others and not all(c.good for c in alone)
        verdict, usable = (None, False) if fell else self._verdict(name, self._good)
        if others and not (verdict and usable):
            # It may not be its own fault: a thread of another answer's can end any later cell.
            self._drop_kernel()
            again, _ = self._verdict(name, alone)
            self._drop_kernel()
            found = [v for v in (verdict, again) if v]
            verdict = max(found, key=lambda v: v["score"], default=None)
        if verdict is None:
            late = time.monotonic() >= self.deadline
            why = "The notebook's time was used up before this test." if late else KEPT_AWAY
            verdict = undefined(specs.get(name), why).to_dict()
            self.done.incidents.append(f"{name}: {why}")
        self.done.graded[name] = verdict

    @property
    def _good(self) -> list[_Ran]:
        return [c for c in self.ran if c.good]

    def _alone(self, name: str) -> list[_Ran]:
        """Return the cells that have run, without the answers to other exercises."""
        own, others = f"{name}-answer", {f"{n}-answer" for n in self.tests - {name}}
        return [c for c in self.ran if c.name == own or (c.good and c.name not in others)]

    def _verdict(self, name: str, cells: list[_Ran]) -> tuple[dict[str, Any] | None, bool]:
        """Return the verdict on `name`, None if the judge could not call the function, and
        whether the kernel outlived it.
        """
        if not self._ready(cells):
            return None, False
        begin = time.monotonic()
        self.kernel.session.begin(name)
        self.deadline += time.monotonic() - begin  # the judge's own affair
        # Nobody's function takes the time of those that are still to come.
        waiting = sum(n not in self.done.graded for n in self.names)
        seconds = self._left(min(self.limits.test, (self.deadline - time.monotonic()) / waiting))
        outcome, answer = self.kernel.grade(name, seconds, self.limits.output)
        self._spend("learner", answer.learner)
        self._spend("judge", answer.judge)
        self._after(outcome)
        if not answer.usable:
            self._drop_kernel()
        return answer.verdict, answer.usable

    def _run(self, source: str, collected: Outputs) -> str:
        """Run a cell of the learner's and return how it ended."""
        begin = time.monotonic()
        outcome = self.kernel.run(source, self._left(self.limits.cell), collected)
        self._spend("cells", time.monotonic() - begin)
        self._after(outcome)
        return outcome

    def _left(self, seconds: float) -> float:
        return max(0.0, min(seconds, self.deadline - time.monotonic()))

    def _after(self, outcome: str) -> None:
        """End a kernel that did not come back, so that the next cell gets a fresh one."""
        if outcome != "done":
            killed_for = self.kernel.kernel.killed_for
            self.done.incidents.append(killed_for or _INCIDENTS[outcome][1])
            self._drop_kernel()

    def _drop_kernel(self) -> None:
        if self.kernel:
            self.kernel.close()
            self.kernel = None

    def _ready(self, cells: list[_Ran] | None = None) -> bool:
        """Make sure there is a kernel in which `cells` have run; return False if time is up.

        One of them that does not come back any more is left out for good.
        """
        cells = self._good if cells is None else list(cells)
        while time.monotonic() < self.deadline:
            if self.kernel is not None and not self.kernel.ended:
                return True
            self._drop_kernel()
            begin = time.monotonic()
            self.kernel = _Kernel(self.engine, self.zygote)
            self._spend("kernel", time.monotonic() - begin)
            for cell in list(cells):
                if self._run(cell.source, Outputs(self.limits.output)) != "done":
                    cells.remove(cell)
                    cell.good = False
                    break
            else:
                return True
        return False

    def _spend(self, what: str, seconds: float) -> None:
        self.done.seconds[what] = self.done.seconds.get(what, 0.0) + seconds


KEPT_AWAY = "The notebook kept the judge from calling the function."
_INCIDENTS = {
    "timeout": ("CellTimeoutError", "A cell did not finish in its time and was stopped."),
    "flood": ("OutputLimit", "A cell printed far too much and was stopped."),
    "dead": ("DeadKernelError", "A cell ended the kernel."),
}


def _failed(outputs: list[dict[str, Any]]) -> bool:
    return any(output["output_type"] == "error" for output in outputs)


def _error(name: str, text: str) -> dict[str, Any]:
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def graded_outputs(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the outputs of a test cell, as nbgrader reads a score from them."""
    shown = Verdict.from_dict(verdict)
    return [
        nbformat.v4.new_output("display_data", data=shown._repr_mimebundle_()),
        nbformat.v4.new_output(
            "execute_result", data={"text/plain": f"{shown.score:g}"}, execution_count=1
        ),
    ]
