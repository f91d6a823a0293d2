"""What all tests share: Triton, imported in time, and the built site."""

import contextlib
import fcntl
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograde.apart import import_triton
from autograde.engine import ONE_THREAD

# The workers share the processors: with threads of PyTorch's own they wait for each other, and
# a test of a small network takes seven times as long.
os.environ.update(ONE_THREAD)

# In every process of the tests, before one of them imports TensorFlow.
with contextlib.suppress(ImportError):  # where it is not installed, the tests that need it fail
    import_triton()

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Build the book at once, while other workers run the longest files that need none of it.

    Else the last worker waits for the one that builds.
    """
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda i: (i.path.name != "test_built_site.py", -sizes[i.path], str(i.path)))


@dataclass(frozen=True)
class Site:
    """One build of the book: its exit code, what it printed, and where it lies."""

    returncode: int
    log: str
    build: Path

    @property
    def html(self):
        """The folder to publish."""
        return self.build / "html"


@pytest.fixture(scope="session")
def build_result(tmp_path_factory, worker_id):
    """Build the book from nothing, once for all workers.

    Only the cache of executed pages is shared with other builds: it is keyed by the code,
    the drawings and the versions of the libraries.
    """
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    log, code = base / "book.log", base / "book.returncode"
    with (base / "book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not code.exists():
            jupyter_book = Path(sys.executable).with_name("jupyter-book")
            command = [jupyter_book, "build", ".", "-W", "-n", "--keep-going"]
            done = subprocess.run(
                [*command, "--path-output", base / "book"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
            log.write_text(done.stdout, encoding="utf-8")
            code.write_text(str(done.returncode))
    return Site(int(code.read_text()), log.read_text("utf-8"), base / "book" / "_build")


@pytest.fixture(scope="session")
def site(build_result):
    """The built book. Whatever looks at its pages fails where there are none."""
    if not (build_result.html / "index.html").exists():
        pytest.fail(f"the book was not built:\n{build_result.log[-3000:]}")
    return build_result
