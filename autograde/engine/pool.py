"""Executing submissions side by side: on this machine, or on a Dask cluster.

A submission goes out as bytes and comes back as bytes, so a worker needs nothing but this
package: no shared disk, no gradebook. Whoever runs it holds an engine of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue

from autograde.engine.execute import Engine, Executed
from autograde.engine.kernels import SandboxUnavailable
from autograde.submission import Unreadable

PACKAGE = Path(__file__).resolve().parents[1]
AHEAD = 2
"""Submissions that wait for each worker, so that none is idle while one is recorded."""
TRIES = 3
"""How often Dask tries again where the engine, not the submission, has failed."""
REFRESH = 5.0
"""Seconds after which a cluster is asked again how many workers it has by now."""


BROKEN = "The connection to the Dask scheduler broke. Run the same command again to go on."
OTHER = "{where} has another version of this package. Bring the workers to the version here."


class ClusterError(Exception):
    """The cluster cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Job:
    """A submission on its way to an engine. What a log may show of it gives nothing away.

    `package` is the fingerprint of the package that sends it.
    """

    data: bytes = field(repr=False)
    problem_set: str
    secret: str = field(repr=False)
    unsandboxed: bool
    package: str = ""


class Pool:
    """Executes submissions with `execute`, which gets a `Job` and returns bytes.

    `job` makes one of a notebook's bytes and its problem set. `workers` says how many run at a
    time at the moment.
    """

    def __init__(
        self,
        executor: Executor,
        execute: Callable[[Job], bytes | Unreadable],
        job: Callable[..., Job],
        workers: Callable[[], int],
    ):
        self._executor, self._execute, self._job, self._workers = executor, execute, job, workers

    def run(self, jobs: Iterable[tuple[str, bytes]], problem_set: str) -> Iterator[tuple]:
        """Yield (key, `Executed` or the exception instead) as they are done.

        `jobs` yields pairs of a key and a notebook's bytes. It is asked for more only as fast
        as submissions are done, so a class need not fit into memory.
        """
        jobs, running, done = iter(jobs), {}, SimpleQueue()

        def fill() -> None:
            most = self._workers() * (1 + AHEAD)
            while len(running) < most and (job := next(jobs, None)):
                key, data = job
                future = self._executor.submit(self._execute, self._job(data, problem_set))
                running[future] = key
                future.add_done_callback(done.put)

        try:
            fill()
            while running:
                future = done.get()
                yield running.pop(future), _result(future)
                fill()
        finally:
            for future in running:
                future.cancel()


def _result(future: Future) -> Executed | Exception:
    try:
        result = future.result()
    except CancelledError:  # not by us, who would not ask
        return ClusterError(BROKEN)
    except ImportError as error:
        return ClusterError(f"A worker cannot import this package: {error}.")
    except Exception as error:
        return error
    return result if isinstance(result, Unreadable) else Executed.from_bytes(result)


@contextlib.contextmanager
def local_pool(
    secret: str, workers: int, *, problem_set: str, unsandboxed: bool = False
) -> Iterator[Pool]:
    """Execute in `workers` threads around one engine; see `open_engine`."""
    with open_engine(secret, unsandboxed, problem_set) as engine:
        executor = ThreadPoolExecutor(workers)
        job = partial(Job, secret=secret, unsandboxed=unsandboxed)
        try:
            yield Pool(executor, partial(_execute, engine), job, lambda: workers)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def dask_pool(secret: str, scheduler: str, *, unsandboxed: bool = False) -> Iterator[Pool]:
    """Execute on the workers of a running `dask.distributed` cluster.

    Each worker keeps an engine of its own. Raises `ClusterError` if the scheduler cannot be
    reached, has no workers, or a worker's package is not the one here.
    """
    from distributed import Client
    from distributed.comm import get_address_host_port

    for name in ("distributed", "distributed.client"):  # what it has to say, we say in words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:  # the client would try for long, and not end without noise
        socket.create_connection(get_address_host_port(scheduler), timeout=10).close()
        client = Client(scheduler, timeout=10, set_as_default=False)
    except Exception as error:  # of many kinds, for many kinds of wrong addresses
        why = str(error) or type(error).__name__
        raise ClusterError(
            f"No Dask scheduler answers at {scheduler!r}: {why}. An address is such as "
            "tcp://10.0.0.1:8786."
        ) from None
    with client:
        _check(client, scheduler)
        executor = client.get_executor(pure=False, retries=TRIES)
        job = partial(Job, secret=secret, unsandboxed=unsandboxed, package=fingerprint())
        yield Pool(executor, execute_here, job, _Threads(client).count)


def _check(client, scheduler: str) -> None:
    try:
        found = client.run(fingerprint)
    except Exception as error:  # whatever importing raises over there
        raise ClusterError(
            f"The workers of {scheduler} cannot import this package: {error}. Install it where "
            "they run, in the version here."
        ) from None
    if not found:
        raise ClusterError(f"{scheduler} has no workers. Start some: dask worker {scheduler}")
    if others := sorted(worker for worker, mark in found.items() if mark != fingerprint()):
        raise ClusterError(OTHER.format(where=", ".join(others)))


class _Threads:
    """Counts the threads of a cluster's workers, which come and go, every few seconds."""

    def __init__(self, client):
        self._client, self._counted, self._number = client, 0.0, 0

    def count(self) -> int:
        """Return how many there are, at least one. Raises `ClusterError`."""
        if self._client.status != "running":
            raise ClusterError(BROKEN)
        if time.monotonic() > self._counted + REFRESH:
            self._number = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return max(1, self._number)


def execute_here(job: Job) -> bytes | Unreadable:
    """Execute a submission in an engine that this process keeps for its class."""
    if job.package != fingerprint():
        raise ClusterError(OTHER.format(where=socket.gethostname()))
    with _engines.lend(job.secret, job.unsandboxed) as engine:
        return _execute(engine, job)


def _execute(engine: Engine, job: Job) -> bytes | Unreadable:
    try:
        return engine.execute(job.data, job.problem_set).to_bytes()
    except Unreadable as error:
        return error  # no failure, which Dask would try again


class _Engines:
    """The engines of a worker: of the classes that it has in hand, or had last."""

    def __init__(self):
        self._lock = threading.Lock()
        self._held: dict[tuple[str, bool], Engine] = {}
        self._users: Counter[tuple[str, bool]] = Counter()

    @contextlib.contextmanager
    def lend(self, secret: str, unsandboxed: bool) -> Iterator[Engine]:
        """Lend the engine of a class, started first if need be; see `open_engine`."""
        key = secret, unsandboxed
        with self._lock:
            if key not in self._held:
                for other in [k for k in self._held if not self._users[k]]:
                    self._held.pop(other).close()
                self._held[key] = open_engine(*key)
            self._users[key] += 1
        try:
            yield self._held[key]
        finally:
            with self._lock:
                self._users[key] -= 1


_engines = _Engines()


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
