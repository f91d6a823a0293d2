"""What a Triton kernel does to memory: found in the interpreter, where nothing else would show it.

The interpreter runs one program after another, and the places of a block in step. So what is wrong
on a GPU may be right here: two programs that write to one place, or two places of one block. And
it follows any address, so a forgotten mask may end Python. The addresses show all of it.
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
CROWDED = (
    "has a race within a program: two places of its block use one place of a tensor, and one of "
    "them writes to it without an atomic operation. On a GPU a block's places do not wait for each "
    "other either, and a value may get lost."
)
OUTSIDE = (
    "reaches beyond its tensors: it reads or writes where nothing of theirs lies. On a GPU "
    "these would be another tensor's numbers. Does a mask leave out all that lies behind the end, "
    "and all that lies before the beginning?"
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
    barrier = InterpreterBuilder.create_barrier
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
        memory.read(pointers.data, mask.data, self.grid_idx)
        return load(self, pointers, mask, *rest)

    def watched_store(self, pointers, value, mask, *rest):
        mask = inside(pointers, mask, _bytes(pointers))
        memory.write(pointers.data, mask.data, self.grid_idx)
        return store(self, pointers, value, mask, *rest)

    def watched_add(self, op, pointers, value, mask, *rest):
        mask = inside(pointers, mask, _bytes(pointers))
        return add(self, op, pointers, value, mask, *rest)

    def watched_barrier(self):
        memory.wait()
        return barrier(self)

    with (
        patch.object(KernelInterface, "__getitem__", launched),
        patch.object(InterpreterBuilder, "create_masked_load", watched_load),
        patch.object(InterpreterBuilder, "create_masked_store", watched_store),
        patch.object(InterpreterBuilder, "create_atomic_rmw", watched_add),
        patch.object(InterpreterBuilder, "create_barrier", watched_barrier),
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
    """Who has used which address in this launch.

    A user is a program, how often it has waited for its own block, and a place of that block.
    """

    def __init__(self, seen):
        self.seen = seen

    def begin(self, arguments):
        """Forget what was; note where the tensors of the next launch lie."""
        tensors = [a.untyped_storage() for a in arguments if hasattr(a, "untyped_storage")]
        self.ranges = [(t.data_ptr(), t.data_ptr() + t.nbytes()) for t in tensors]
        self.writers: dict[int, tuple] = {}
        self.readers: dict[int, set] = {}
        self.waits = 0

    def wait(self):
        """Note a barrier: what a program did before it is done."""
        self.waits += 1

    def covers(self, addresses, mask, size):
        """Return which addresses lie in one of the tensors; say so if one in use does not."""
        addresses = addresses.astype(np.int64)
        within = np.zeros(addresses.shape, bool)
        for first, last in self.ranges:
            within |= (addresses >= first) & (addresses + size <= last)
        if (mask & ~within).any():
            self._say(OUTSIDE)
        return within

    def read(self, addresses, mask, program):
        """Note a load."""
        for address, user in self._users(addresses, mask, program):
            self._meet(user, self.writers.get(address))
            self.readers.setdefault(address, set()).add(user)

    def write(self, addresses, mask, program):
        """Note a store."""
        for address, user in self._users(addresses, mask, program):
            self._meet(user, self.writers.get(address))
            for reader in self.readers.get(address, ()):
                self._meet(user, reader)
            self.writers[address] = user

    def _users(self, addresses, mask, program):
        """Return each address in use, and who uses it."""
        places = np.flatnonzero(mask)
        for place, address in zip(places.tolist(), addresses.ravel()[places].tolist(), strict=True):
            yield address, (program, self.waits, place)

    def _meet(self, user, other):
        """Say so if one address must not be used by both, of whom one has written."""
        if other is None or other == user:
            return
        if other[0] != user[0]:
            self._say(RACE)
        elif other[1] == user[1]:
            self._say(CROWDED)

    def _say(self, problem):
        if problem not in self.seen.problems:
            self.seen.problems.append(problem)
