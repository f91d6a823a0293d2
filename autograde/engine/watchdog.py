"""What all the processes of a sandbox use together, and the end of one that uses too much.

A resource limit holds for one process. A sandbox may have many, and memory that they share, so
this counts from outside, through /proc, several times a second. Between two counts a sandbox can
go over its limits; for that long the limits on each process are what holds.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

TICK = 0.1
"""Seconds between two counts."""


@dataclass
class Usage:
    """What one sandbox uses: bytes, seconds of CPU since it began, processes and threads.

    `first` is the process, as numbered here, whose descendants all the others are.
    """

    first: int
    memory: int = 0
    cpu: float = 0.0
    tasks: int = 0
    _own: dict[tuple[int, int], int] = field(default_factory=dict)

    def count(self, memory: int) -> None:
        """Count again. Memory is counted exactly only where it may be more than `memory`."""
        pids = list(_descendants(self.first))
        statuses = [_table(f"/proc/{pid}/status") for pid in pids]
        self.tasks = sum(s.get("Threads", 0) for s in statuses)
        fields = ("RssAnon", "RssShmem", "VmSwap", "VmPTE")
        self.memory = 1024 * sum(s.get(f, 0) for s in statuses for f in fields)
        if self.memory > memory:
            # What a fork has not written to is its parent's still, and was counted twice.
            self.memory = sum(_share(pid) for pid in pids)
        with contextlib.suppress(OSError):  # what waits in sockets is no process's
            sockets = int(_read(f"/proc/{self.first}/net/sockstat").split()[2])
            self.memory += sockets * _socket_buffer()
        self._count_cpu(pids)

    def _count_cpu(self, pids: list[int]) -> None:
        """Two counts that each miss something: the children nobody waits for; the short-lived."""
        waited = 0
        for pid in pids:
            with contextlib.suppress(OSError, IndexError):
                values = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
                own, children = sum(map(int, values[11:13])), sum(map(int, values[13:15]))
                self._own[pid, int(values[19])] = own
                waited += own + children
        ticks = max(sum(self._own.values()), waited)
        self.cpu = max(self.cpu, ticks / os.sysconf("SC_CLK_TCK"))


class Watchdog:
    """Kills every sandbox it has been given once that uses more than it may.

    `limits` is what a sandbox may use. Kernels are taken as they are in `kernels.py`: the first
    process of a PID namespace, which all the others die with.
    """

    def __init__(self, limits):
        self.limits = limits
        self._watched: dict[int, tuple] = {}
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def add(self, kernel) -> None:
        """Watch `kernel` until it has ended."""
        with self._changed:
            self._watched[kernel.pid] = kernel, Usage(kernel.pid)
            self._changed.notify()

    def close(self) -> None:
        """Watch nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watched or self._closed)
            time.sleep(TICK)
            with self._changed:
                if self._closed:
                    return
                for pid in [p for p, (k, _) in self._watched.items() if k.ended.done()]:
                    del self._watched[pid]
                watched = list(self._watched.values())
            for kernel, usage in watched:
                usage.count(self.limits.memory)
                if why := self._too_much(usage):
                    kernel.killed_for = kernel.killed_for or why
                    kernel.signal(signal.SIGKILL)

    def _too_much(self, usage: Usage) -> str | None:
        if usage.memory > self.limits.memory:
            what = f"used more than {self.limits.memory / (1 << 30):.3g} GiB of memory"
        elif usage.cpu > self.limits.cpu:
            what = f"used more than {self.limits.cpu:g} s of CPU time"
        elif usage.tasks > self.limits.processes:
            what = f"had more than {self.limits.processes} processes and threads"
        else:
            return None
        return f"The notebook {what} and was stopped."


def _descendants(first: int) -> Iterator[int]:
    queue = [first]
    while queue:
        yield (pid := queue.pop())
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                queue += map(int, _read(f"/proc/{pid}/task/{task}/children").split())


def _share(pid: int) -> int:
    """Return a process's memory in bytes, what it shares with others divided among them."""
    table = _table(f"/proc/{pid}/smaps_rollup")
    # Before Linux 5.9 only the sum is there, with the files that are mapped.
    parts = ("Pss_Anon", "Pss_Shmem") if "Pss_Anon" in table else ("Pss",)
    return 1024 * sum(table.get(name, 0) for name in (*parts, "SwapPss"))


@functools.cache
def _socket_buffer() -> int:
    return int(_read("/proc/sys/net/core/wmem_default"))


def _table(path: str) -> dict[str, int]:
    """Return the lines `Name: number` of a file in /proc; nothing if the process is gone."""
    table: dict[str, int] = {}
    with contextlib.suppress(OSError):
        for line in _read(path).splitlines():
            name, _, value = line.partition(":")
            number = value.split(maxsplit=1)[:1]
            if number and number[0].isdecimal():
                table[name] = int(number[0])
    return table


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY)  # open() asks much that is no question in /proc
    try:
        return b"".join(iter(lambda: os.read(descriptor, 1 << 16), b"")).decode("ascii", "replace")
    finally:
        os.close(descriptor)
