"""Run `autograde` with a few clocks in it, and say where the time went.

    python -m benchmarks.metered FILE COMMAND ...

`COMMAND ...` is what would follow `autograde`. Beside what the command does, it writes to FILE,
as JSON, for all submissions together:

    kernel, cells, learner, judge   seconds by the engine's own clocks, see `Executed`
    recording                       seconds in nbgrader's gradebook, one submission after the other
    executing                       seconds from the first submission's begin to the last's record
    started                         when the first submission began, as `time.monotonic()`
    cpu                             seconds of CPU of the "judge" and of this process, "engine"
    received                        bytes that came back from executing
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections import defaultdict
from functools import wraps
from pathlib import Path

from autograde import grading
from autograde.cli import main
from autograde.engine.execute import Engine, Executed

CLOCK = os.sysconf("SC_CLK_TCK")


class Meter:
    """What has been counted so far; `attach` puts the clocks in."""

    def __init__(self):
        self.found: dict[str, float] = defaultdict(float)
        self.started = self.recorded = None
        self.judge = 0.0

    def attach(self) -> None:
        """Wrap what is measured."""
        execute, record, close = Engine.execute, grading._Run._record, Engine.close
        from_bytes, grade_class = Executed.from_bytes, grading.grade_class

        @wraps(execute)
        def executing(*arguments, **named):
            self.started = self.started or time.monotonic()
            return execute(*arguments, **named)

        @wraps(record)
        def recording(*arguments, **named):
            begin = time.monotonic()
            try:
                return record(*arguments, **named)
            finally:
                self.recorded = time.monotonic()
                self.found["recording"] += self.recorded - begin

        def receiving(data):
            self.found["received"] += len(data)
            return from_bytes(data)

        @wraps(close)
        def closing(engine):
            self.judge = sum(map(_cpu, filter(_is_judge, _children())))
            close(engine)

        @wraps(grade_class)
        def grading_all(*arguments, **named):
            results = grade_class(*arguments, **named)
            for result in results:
                for what in ("kernel", "cells", "learner", "judge"):
                    self.found[what] += result.seconds.get(what, 0.0)
            return results

        # Not nbgrader's own steps: to import it here would be early.
        Engine.execute, grading._Run._record, Engine.close = executing, recording, closing
        Executed.from_bytes, grading.grade_class = staticmethod(receiving), grading_all

    def result(self) -> dict:
        """Return what is to be written."""
        executing = self.recorded - self.started if self.started and self.recorded else 0.0
        cpu = {"judge": self.judge, "engine": time.process_time()}
        return {**self.found, "executing": executing, "started": self.started, "cpu": cpu}


def _children() -> list[int]:
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # that thread has ended
            found += map(int, children.read_text().split())
    return found


def _is_judge(pid: int) -> bool:
    return b"autograde.engine.judging" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK


if __name__ == "__main__":
    meter = Meter()
    meter.attach()
    code = main(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps(meter.result()))
    sys.exit(code)
