"""What a Triton kernel does to memory: found in the interpreter, where nothing else would show it.

The interpreter runs one program after another. So what is wrong on a GPU may be right here: two
programs that write to one place. And it follows any address, so a forgotten mask may end
Python. Both can be seen from the addresses.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np

RACE = (
    "has a race: two programs use one place of a tensor, and one of them writes to it without an "
    "atomic operation. On a GPU, where they run at once, a value may get lost."
)
OUTSIDE = (
    "reaches beyond its tensors: it reads or writes where nothing of theirs lies. On a GPU "
    "these would be another tensor's numbers. Which places of the last block are real?"
)


@dataclass
class Watched:
    """What was seen: the names of the kernels launched, and what is wrong with them in words."""

    launched: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@contextmanager
def watch() -> Iterator[Watched]:
    """Watch every Triton kernel that is launched meanwhile.

    In the interpreter, what lies outside of a kernel's tensors is neither read nor written. On a
    GPU, launches are noted and nothing else. Without Triton there is nothing to watch.
    """
    seen = Watched()
    if "triton" not in sys.modules:
        yield seen
        return
    from triton.runtime.interpreter import InterpretedFunction, InterpreterBuilder, TensorHandle
    from triton.runtime.jit import KernelInterface

    launch = KernelInterface.__getitem__
    load = InterpreterBuilder.create_masked_load
    store = InterpreterBuilder.create_masked_store
    add = InterpreterBuilder.create_atomic_rmw
    memory = _Memory(seen)

    def launched(self, grid):
        def run(*args, **kwargs):
            seen.launched.append(getattr(self, "__name__", "kernel"))
            memory.begin([*args, *kwargs.values()])
            return launch(self, grid)(*args, **kwargs)

        return run if isinstance(self, InterpretedFunction) else _noted(seen, launch(self, grid))

    def inside(pointers, mask, size):
        return TensorHandle(mask.data & memory.covers(pointers.data, mask.data, size), mask.dtype)

    def watched_load(self, pointers, mask, *rest):
        mask = inside(pointers, mask, _bytes(pointers))
        memory.read(pointers.data[mask.data], self.grid_idx)
        return load(self, pointers, mask, *rest)

    def watched_store(self, pointers, value, mask, *rest):
        mask = inside(pointers, mask, _bytes(pointers))
        memory.write(pointers.data[mask.data], self.grid_idx)
        return store(self, pointers, value, mask, *rest)

    def watched_add(self, op, pointers, value, mask, *rest):
        mask = inside(pointers, mask, _bytes(pointers))
        return add(self, op, pointers, value, mask, *rest)

    with (
        patch.object(KernelInterface, "__getitem__", launched),
        patch.object(InterpreterBuilder, "create_masked_load", watched_load),
        patch.object(InterpreterBuilder, "create_masked_store", watched_store),
        patch.object(InterpreterBuilder, "create_atomic_rmw", watched_add),
    ):
        yield seen


def _noted(seen, run):
    """Return `run`, whose calls are counted."""

    def noted(*args, **kwargs):
        seen.launched.append("kernel")
        return run(*args, **kwargs)

    return noted


def _bytes(pointers):
    """Return how wide a number is that the pointers point to."""
    return max(1, pointers.get_element_ty().primitive_bitwidth // 8)


class _Memory:
    """Who has used which address in this launch."""

    def __init__(self, seen):
        self.seen = seen

    def begin(self, arguments):
        """Forget what was; note where the tensors of the next launch lie."""
        tensors = [a.untyped_storage() for a in arguments if hasattr(a, "untyped_storage")]
        self.ranges = [(t.data_ptr(), t.data_ptr() + t.nbytes()) for t in tensors]
        self.writers: dict[int, tuple] = {}
        self.readers: dict[int, set] = {}

    def covers(self, addresses, mask, size):
        """Return which addresses lie in one of the tensors; say so if one in use does not."""
        addresses = addresses.astype(np.int64)
        within = np.zeros(addresses.shape, bool)
        for first, last in self.ranges:
            within |= (addresses >= first) & (addresses + size <= last)
        if (mask & ~within).any():
            self._say(OUTSIDE)
        return within

    def read(self, addresses, program):
        """Note a load."""
        for address in addresses.ravel().tolist():
            if self.writers.get(address, program) != program:
                self._say(RACE)
            self.readers.setdefault(address, set()).add(program)

    def write(self, addresses, program):
        """Note a store."""
        places = addresses.ravel().tolist()
        if len(set(places)) < len(places):
            self._say(RACE)
        for address in places:
            users = self.readers.get(address, set()) | {self.writers.get(address, program)}
            if users - {program}:
                self._say(RACE)
            self.writers[address] = program

    def _say(self, problem):
        if problem not in self.seen.problems:
            self.seen.problems.append(problem)
