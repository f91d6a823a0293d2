"""Submissions side by side, on a real Dask cluster of processes that the tests start and kill."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from distributed.utils import open_port

from autograde import cli
from autograde.course import ROOT, Course
from autograde.engine import pool
from autograde.engine.execute import Executed
from autograde.engine.pool import ClusterError, Job, Pool, dask_pool, execute_here
from autograde.submission import Unreadable
from tests.running import Run, contents
from tests.sample_class.hand_in import hand_in

PS = "ps03-transposed-conv-1d"
SLOW = "hana"  # whose functions never end


class Cluster:
    """A Dask scheduler and its workers on this machine, each a process, and what they log."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", file)
        while not file.is_file():
            assert self.scheduler.poll() is None, self.log()
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def worker(self, **options):
        """Start a worker with one thread; return its process once it is known."""
        number = len(self.processes)
        arguments = [self.address, "--nthreads", "1", "--no-nanny", "--local-directory"]
        worker = self._start("worker", *arguments, self.folder / f"worker{number}", **options)
        while "Registered to" not in self.log():
            assert worker.poll() is None, self.log()
            time.sleep(0.05)
        return worker

    def log(self):
        """Return what the last process that was started has logged."""
        return (self.folder / f"{len(self.processes) - 1}.log").read_text()

    def logs(self):
        return "".join(p.read_text() for p in self.folder.glob("*.log"))

    def _start(self, command, *arguments, python=(), path=ROOT):
        log = self.folder / f"{len(self.processes)}.log"
        common = ["-m", "dask", command, "--host", "127.0.0.1", "--no-dashboard"]
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, *python, *common, *map(str, arguments)],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(path)},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def stop(self):
        """End all of it; assert that nothing which the workers have started lives on."""
        alive = [p for p in self.processes if p.poll() is None]
        started = [c for p in alive for c in psutil.Process(p.pid).children(recursive=True)]
        for process in alive:  # a worker asked to end may wait for a scheduler that has
            process.kill()
            process.wait()
        assert not psutil.wait_procs(started, timeout=20)[1]


@pytest.fixture
def cluster(tmp_path):
    """A scheduler without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = Cluster(folder)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """The sample class, without the one who takes long."""
    course = tmp_path_factory.mktemp("class")
    hand_in(course, PS)
    shutil.rmtree(course / "submitted" / SLOW)
    Course(course).secret()
    return course


@pytest.fixture
def course(submissions, tmp_path):
    return shutil.copytree(submissions, tmp_path / "course")


@pytest.fixture(scope="module")
def local(submissions, tmp_path_factory):
    """What a run on this machine leaves."""
    course = shutil.copytree(submissions, tmp_path_factory.mktemp("local") / "course")
    code, printed = Run(course, course.parent).finish()
    assert code == 0, printed
    return contents(course)


def test_a_worker_that_is_killed_costs_nothing(cluster, course, tmp_path, local):
    workers = [cluster.worker(), cluster.worker()]
    run = Run(course, tmp_path, "--scheduler", cluster.address).until("2 of ")
    started = psutil.Process(workers[0].pid).children(recursive=True)
    workers[0].kill()
    code, printed = run.finish()
    assert code == 0, printed
    assert started
    assert not psutil.wait_procs(started, timeout=20)[1]
    assert len(run.finished) == len(set(run.finished)) == len(list(course.glob("submitted/*")))
    assert contents(course) == local
    assert Course(course).secret() not in cluster.logs()


def test_a_scheduler_that_is_killed_ends_the_run_and_it_goes_on_here(
    cluster, course, tmp_path, local
):
    cluster.worker()
    first = Run(course, tmp_path, "--scheduler", cluster.address).until("2 of ")
    cluster.scheduler.kill()
    code, printed = first.finish()
    assert code == 2
    assert printed.splitlines()[-1] == f"autograde: {pool.BROKEN}"
    assert "Traceback" not in printed
    then = Run(course, tmp_path)
    code, printed = then.finish()
    assert code == 0, printed
    assert not set(first.finished) & set(then.finished)
    assert contents(course) == local


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:{port}", "127.0.0.1", "tcp://127.0.0.1:port", "http://x:1", "x:0"]
)
def test_a_scheduler_that_is_not_there_is_one_line_and_exit_code_2(course, capsys, address):
    address = address.format(port=open_port("127.0.0.1"))
    assert cli.main(["grade", "ps03", "--course", str(course), "--scheduler", address]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"autograde: No Dask scheduler answers at '{address}'")
    assert printed.count("\n") == 1


def use(cluster):
    with dask_pool("x", cluster.address):
        pass


def test_a_cluster_without_workers_is_said_to_have_none(cluster):
    with pytest.raises(ClusterError, match="has no workers"):
        use(cluster)


def test_a_worker_without_this_package_is_found_before_anything_runs(cluster):
    site = sysconfig.get_path("purelib")  # but not the .pth file in it that names this repository
    cluster.worker(python=["-S"], path=site)
    with pytest.raises(ClusterError, match=r"cannot import .*autograde"):
        use(cluster)


def test_a_worker_with_another_version_is_named_before_anything_runs(cluster, tmp_path):
    other = shutil.copytree(ROOT / "autograde", tmp_path / "other" / "autograde")
    (other / "judge.py").write_text((other / "judge.py").read_text() + "\n# more generous\n")
    cluster.worker()
    cluster.worker(path=other.parent)
    with pytest.raises(ClusterError, match=r"^tcp://127.0.0.1:\d+ has another version"):
        use(cluster)


def test_a_worker_that_joins_later_with_another_version_judges_nothing():
    job = Job(b"{}", PS, secret="x", unsandboxed=True, package="another")
    with pytest.raises(ClusterError, match="another version"):
        execute_here(job)


def test_what_a_log_may_show_of_a_job_gives_nothing_away():
    assert "secret" not in repr(Job(b"secret", PS, secret="secret", unsandboxed=False))


class Engine:
    """Stands for an engine, which takes seconds to start."""

    def __init__(self):
        self.closed = False

    def execute(self, data, problem_set):
        if not data:
            raise Unreadable("empty")
        return Executed(incidents=[data.decode()])

    def close(self):
        self.closed = True


def test_a_worker_keeps_the_engine_of_a_class_until_another_class_comes(monkeypatch):
    opened = []
    monkeypatch.setattr(pool, "open_engine", lambda *key: opened.append(key) or Engine())
    engines = pool._Engines()
    lend = lambda secret: engines.lend(secret, False)
    with lend("a") as first, lend("a") as again, lend("b") as second:
        assert again is first
        assert second is not first
        assert not first.closed
    with lend("c"):
        assert first.closed
        assert second.closed
    assert opened == [("a", False), ("b", False), ("c", False)]


def run_on(executor, engine, jobs, workers=1):
    execute = lambda job: pool._execute(engine, job)
    job = lambda data, ps: Job(data, ps, secret="x", unsandboxed=True)
    return Pool(executor, execute, job, lambda: workers).run(jobs, PS)


def test_a_class_is_read_only_as_fast_as_it_is_executed():
    read, gate, engine = [], threading.Event(), Engine()
    execute, engine.execute = engine.execute, lambda *given: gate.wait() and execute(*given)

    def jobs():
        for number in range(20):
            read.append(number)
            yield number, b"x"

    with ThreadPoolExecutor(2) as executor:
        done = run_on(executor, engine, jobs(), workers=2)
        gate.set()
        for count, _ in enumerate(done, 1):
            assert len(read) - count <= 2 * (1 + pool.AHEAD)
    assert sorted(read) == list(range(20))


def test_each_submission_comes_back_under_its_own_name_and_a_bad_one_as_itself():
    with ThreadPoolExecutor(3) as executor:
        jobs = [(n, str(n).encode() if n else b"") for n in range(9)]
        done = dict(run_on(executor, Engine(), jobs, workers=3))
    assert isinstance(done.pop(0), Unreadable)
    assert {n: executed.incidents for n, executed in done.items()} == {
        n: [str(n)] for n in range(1, 9)
    }
