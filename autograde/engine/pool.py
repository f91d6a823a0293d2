"""Executing submissions side by side: on this machine, or on a Dask cluster.

A submission goes out as bytes and comes back as bytes, so a worker needs nothing but this
package: no shared disk, no gradebook. Whoever runs it holds an engine of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from functools import cache, partial
from pathlib import Path

from autograde.engine.execute import Engine, Executed
from autograde.engine.kernels import SandboxUnavailable

PACKAGE = Path(__file__).resolve().parents[1]
AHEAD = 2
"""Submissions that wait for each worker, so that none is idle while one is recorded."""
TRIES = 3
"""How often Dask gives a submission to another worker after one has died of it."""


class ClusterError(Exception):
    """The cluster cannot be used; the message says why and what to do."""


class Pool:
    """Executes submissions with the hidden inputs of `secret`; see `run`."""

    def __init__(self, executor: Executor, execute: Callable[[bytes, str], bytes], workers: int):
        self._executor, self._execute, self.workers = executor, execute, workers

    def run(self, jobs: Iterable[tuple[str, bytes]], problem_set: str) -> Iterator[tuple]:
        """Yield (key, `Executed` or the exception instead) as they are done.

        `jobs` yields pairs of a key and a notebook's bytes. It is asked for more only as fast
        as submissions are done, so a class need not fit into memory.
        """
        jobs, running = iter(jobs), {}

        def fill() -> None:
            for key, data in jobs:
                running[self._executor.submit(self._execute, data, problem_set)] = key
                if len(running) >= self.workers * (1 + AHEAD):
                    return

        try:
            fill()
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), _result(future)
                    fill()
        finally:
            for future in running:
                future.cancel()


def _result(future: Future) -> Executed | Exception:
    try:
        return Executed.from_bytes(future.result())
    except Exception as error:
        return error


@contextlib.contextmanager
def local_pool(
    secret: str, workers: int, *, problem_set: str, unsandboxed: bool = False
) -> Iterator[Pool]:
    """Execute in `workers` threads around one engine; see `open_engine`."""
    with open_engine(secret, unsandboxed, problem_set) as engine:
        executor = ThreadPoolExecutor(workers)
        try:
            yield Pool(executor, lambda data, ps: engine.execute(data, ps).to_bytes(), workers)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def dask_pool(secret: str, scheduler: str, *, unsandboxed: bool = False) -> Iterator[Pool]:
    """Execute on the workers of a running `dask.distributed` cluster.

    Each worker keeps an engine of its own. Raises `ClusterError` if the scheduler cannot be
    reached, has no workers, or a worker's package is not the one here.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        try:
            fingerprints = client.run(fingerprint)
        except Exception as error:  # whatever importing raises over there
            raise ClusterError(
                f"the workers of {scheduler} cannot import this package: {error}"
            ) from None
        if not fingerprints:
            raise ClusterError(f"{scheduler} has no workers. Start some with: dask worker")
        if others := [worker for worker, f in fingerprints.items() if f != fingerprint()]:
            raise ClusterError(
                f"{', '.join(sorted(others))} has another version of this package. Bring the "
                "workers to the version here."
            )
        executor = client.get_executor(pure=False, retries=TRIES)
        execute = partial(execute_here, secret=secret, unsandboxed=unsandboxed)
        yield Pool(executor, execute, sum(client.nthreads().values()))


def execute_here(data: bytes, problem_set: str, *, secret: str, unsandboxed: bool) -> bytes:
    """Execute a submission in this process's engine, which is started first if need be."""
    with _opening:
        engine = _engine(secret, unsandboxed)
    return engine.execute(data, problem_set).to_bytes()


_opening = threading.Lock()


@cache
def _engine(secret: str, unsandboxed: bool) -> Engine:
    return open_engine(secret, unsandboxed)


def open_engine(secret: str, unsandboxed: bool = False, problem_set: str | None = None) -> Engine:
    """Return a sandboxed engine; with `unsandboxed`, one without where there is no sandbox.

    It gets ready for `problem_set` at once. Raises `SandboxUnavailable`.
    """
    engine = Engine(secret, problem_set=problem_set)
    try:
        engine.try_sandbox()
        return engine
    except SandboxUnavailable:
        engine.close()
        if not unsandboxed:
            raise
    return Engine(secret, sandboxed=False, problem_set=problem_set)


@cache
def fingerprint() -> str:
    """Return a digest of this package's source: what decides the verdicts."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
