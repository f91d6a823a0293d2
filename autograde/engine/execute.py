"""Run one submission: notebook bytes in, outputs and verdicts out. Nothing is recorded here.

A fresh kernel runs the learner's code cells in order. Where a graded function's test cell
stands, the judge is allowed to call that function, and only then. A cell that hangs, floods or
kills its kernel costs itself: the next cell gets a fresh kernel in which the cells before it,
without the bad one, have been run again.
"""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import nbformat
import zmq
from jupyter_client import BlockingKernelClient
from nbformat.v4 import output_from_msg

from autograde import specs
from autograde.engine.judging import Judge
from autograde.engine.kernels import Limits, Zygote
from autograde.judge import undefined
from autograde.verdict import Verdict

GRADE = "from autograde.notebook import grade\ngrade({name!r})"
TICK = 0.1


@dataclass
class Executed:
    """What came of a submission.

    `graded` maps the name of a test cell to its verdict as data, `outputs` holds the outputs of
    the other code cells in order, `incidents` says in words what went wrong on the way, and
    `seconds` where the time went.
    """

    graded: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: list[list[dict[str, Any]]] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class Unreadable(ValueError):
    """What was handed in is not a notebook that can be run; the message says why."""


def read(data: bytes) -> nbformat.NotebookNode:
    """Return the notebook in `data`. Raises `Unreadable`."""
    try:
        notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except Exception as error:  # nbformat raises what it stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unreadable(reason[:120]) from None
    return notebook


class Engine:
    """A zygote and a judge: all that executing submissions needs.

    `secret` decides the hidden inputs. Use it as a context manager, or call `close`.
    """

    def __init__(self, secret: str, *, limits: Limits | None = None, sandboxed: bool = True):
        self.limits = limits or Limits()
        self.zygote = Zygote(limits=self.limits, sandboxed=sandboxed)
        try:
            self.judge = Judge(secret)
        except BaseException:
            self.zygote.close()
            raise

    def close(self) -> None:
        """End both processes and all they have started."""
        self.zygote.close()
        self.judge.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def execute(self, data: bytes, problem_set: str) -> Executed:
        """Run the notebook in `data`. Raises `Unreadable`."""
        notebook = read(data)
        return _Run(self, notebook, problem_set).finish()


class _Kernel:
    """A kernel, the client that talks to it, and its session with the judge."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.session, for_kernel = engine.judge.open()
        key = nbformat.v4.nbbase.random_cell_id() * 4
        with for_kernel:
            self.kernel, connection = engine.zygote.fork(key=key, judge=for_kernel)
        self.client = BlockingKernelClient()
        self.client.load_connection_info(connection)
        self.client.start_channels(stdin=False, hb=False, control=False)
        self._wait_until_heard()

    def _wait_until_heard(self) -> None:
        """Ask until the answer arrives on iopub too, which begins to listen with some delay."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.kernel.ended.done():
            asked = self.client.kernel_info()
            if self._until_idle(asked, 0.05, lambda m: None) == "done":
                return
        self.close()
        raise RuntimeError("a kernel did not answer")

    def run(self, code: str, seconds: float, on_message) -> str:
        """Run `code`; return "done", "timeout", "flood" or "dead"."""
        return self._until_idle(self.client.execute(code, allow_stdin=False), seconds, on_message)

    def _until_idle(self, asked: str, seconds: float, on_message) -> str:
        deadline = time.monotonic() + seconds
        poller = zmq.Poller()
        poller.register(self.client.iopub_channel.socket, zmq.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "timeout"
            if not poller.poll(min(left, TICK) * 1000):
                if self.kernel.ended.done():
                    return "dead"
                continue
            try:
                message = self.client.get_iopub_msg(timeout=0)
            except Exception:  # not signed with the key, or not a message at all
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status":
                if message["content"].get("execution_state") == "idle":
                    return "done"
            elif on_message(message) is False:
                return "flood"

    def close(self) -> None:
        self.kernel.signal(signal.SIGKILL)
        self.client.stop_channels()
        with contextlib.suppress(EOFError):
            self.engine.judge.close_session(self.session)


class _Run:
    """The run of one notebook, over as many kernels as it takes."""

    def __init__(self, engine: Engine, notebook, problem_set: str):
        self.engine, self.limits = engine, engine.limits
        self.names = specs.names(problem_set)
        self.cells = [c for c in notebook.cells if c.cell_type == "code"]
        self.done = Executed()
        self.good: list[str] = []  # sources to run again in a fresh kernel
        self.kernel: _Kernel | None = None
        self.deadline = time.monotonic() + self.limits.notebook

    def finish(self) -> Executed:
        begin = time.monotonic()
        try:
            for cell in self.cells:
                name = _grade_id(cell)
                if name in self.names:
                    self._grade(name)
                else:
                    self.done.outputs.append(self._learners_cell(cell.source))
            for name in self.names:  # deleted test cells
                if name not in self.done.graded:
                    self.done.incidents.append(f"The test cell of {name} is missing.")
                    self._grade(name)
        finally:
            if self.kernel:
                self.kernel.close()
        self.done.seconds["total"] = time.monotonic() - begin
        return self.done

    def _learners_cell(self, source: str) -> list[dict[str, Any]]:
        if not self._ready():
            return [_error("TimeLimit", "The notebook's time was used up before this cell.")]
        collected = _Outputs(self.limits.output)
        outcome = self._supervised(source, self.limits.cell, collected)
        if outcome == "done":
            self.good.append(source)
            return collected.outputs
        return [*collected.outputs, _error(*_INCIDENTS[outcome])]

    def _grade(self, name: str) -> None:
        if name in self.done.graded:
            return
        if not self._ready():
            self._no_verdict(name, "The notebook's time was used up before this test.")
            return
        kernel, judge = self.kernel, self.engine.judge
        judge.allow(kernel.session, name)
        nowhere = _Outputs(self.limits.output)
        outcome = kernel.run(GRADE.format(name=name), self._time(self.limits.test), nowhere.add)
        verdict = judge.record(kernel.session, name)
        self._end_unless_done(outcome)
        if verdict is None:
            self._no_verdict(name, "The notebook kept the judge from calling the function.")
        else:
            self.done.graded[name] = verdict

    def _no_verdict(self, name: str, why: str) -> None:
        verdict = undefined(specs.get(name), why)
        self.done.graded[name] = verdict.to_dict()
        self.done.incidents.append(f"{name}: {why}")

    def _supervised(self, source: str, seconds: float, collected: _Outputs) -> str:
        """Run a cell of the learner's and return how it ended."""
        outcome = self.kernel.run(source, self._time(seconds), collected.add)
        self._end_unless_done(outcome)
        return outcome

    def _time(self, seconds: float) -> float:
        return max(0.0, min(seconds, self.deadline - time.monotonic()))

    def _end_unless_done(self, outcome: str) -> None:
        """End a kernel that did not come back, so that the next cell gets a fresh one."""
        if outcome != "done":
            self.done.incidents.append(_INCIDENTS[outcome][1])
            self.kernel.close()
            self.kernel = None

    def _ready(self) -> bool:
        """Make sure there is a kernel in which the good cells have run; False if time is up."""
        if time.monotonic() >= self.deadline:
            return False
        if self.kernel is not None and self.kernel.kernel.ended.done():
            self.kernel.close()
            self.kernel = None
        if self.kernel is None:
            self.kernel = _Kernel(self.engine)
            for source in list(self.good):
                nowhere = _Outputs(self.limits.output)
                if self._supervised(source, self.limits.cell, nowhere) != "done":
                    self.good.remove(source)
                    return self._ready()
        return True


class _Outputs:
    """The outputs of a cell, up to a number of bytes."""

    def __init__(self, limit: int):
        self.left = limit
        self.outputs: list[dict[str, Any]] = []

    def add(self, message: dict[str, Any]) -> bool:
        """Take one iopub message; return False once there is too much."""
        if message["msg_type"] not in {"stream", "display_data", "execute_result", "error"}:
            self.left -= 200
            return self.left > 0
        try:
            output = output_from_msg(message)
            self.left -= len(str(message["content"]))
            last = self.outputs[-1] if self.outputs else {}
            if output["output_type"] == "stream" and last.get("name") == output["name"]:
                last["text"] += output["text"]
            elif self.left > 0:
                self.outputs.append(output)
        except (ValueError, KeyError, TypeError):
            self.left -= 200  # a kernel that sends nonsense
        return self.left > 0


_INCIDENTS = {
    "timeout": ("CellTimeoutError", "A cell did not finish in its time and was stopped."),
    "flood": ("OutputLimit", "A cell printed far too much and was stopped."),
    "dead": ("DeadKernelError", "A cell ended the kernel."),
}


def _error(name: str, text: str) -> dict[str, Any]:
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def _grade_id(cell) -> str | None:
    mark = cell.metadata.get("nbgrader")
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def graded_outputs(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the outputs of a test cell, as nbgrader reads a score from them."""
    shown = Verdict.from_dict(verdict)
    return [
        nbformat.v4.new_output("display_data", data=shown._repr_mimebundle_()),
        nbformat.v4.new_output(
            "execute_result", data={"text/plain": f"{shown.score:g}"}, execution_count=1
        ),
    ]
