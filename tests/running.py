"""`autograde grade` in a process of its own, to be watched and stopped, and what it leaves."""

import contextlib
import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict

import psutil

from autograde.course import ROOT

DONE = re.compile(r"^\d+ of \d+  (\w+)$", re.M)


class Run:
    """`autograde grade` in a process of its own, as the first of its process group."""

    def __init__(self, course, temporary, *arguments):
        # With a sandbox where there is one; the sample class does no harm without.
        options = ["--course", course, "--unsandboxed"]
        command = [sys.executable, "-m", "autograde.cli", "grade", "ps03", *options]
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.printed = ""

    def until(self, pattern):
        """Wait for a line that begins with `pattern`, or for the end."""
        for line in self.process.stdout:
            self.printed += line
            if re.match(pattern, line):
                return self
        return self

    def kill(self):
        """Kill it and nothing else; wait for whatever it has started to end by itself."""
        self.process.send_signal(signal.SIGSTOP)  # nothing new is started from here on
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        return self._all_gone(started)

    def interrupt(self):
        """Press Ctrl-C."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        os.killpg(self.process.pid, signal.SIGINT)
        return self._all_gone(started)

    def finish(self):
        """Wait for its end; return the exit code and all that it has printed."""
        self.printed += self.process.stdout.read()
        return self.process.wait(), self.printed

    @property
    def finished(self):
        """Whom it has said to be done with."""
        return DONE.findall(self.printed)

    def _all_gone(self, started):
        self.finish()
        _, alive = psutil.wait_procs(started, timeout=20)
        assert not alive
        return self


def contents(course):
    """Return digests of all that runs have left: each table of the gradebook, and each file.

    The gradebook's random numbers are replaced by the rows that they stand for.
    """
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        find = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in database.execute(find)]
        tables = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    rows = defaultdict(list)
    for table, found in tables.items():
        for number, *values in found:
            if values:
                rows[number].append((table, *values))

    def meaning(value):
        return sorted(str(list(map(meaning, row))) for row in rows.get(value, ())) or value

    found = {t: sorted(str(list(map(meaning, row))) for row in tables[t]) for t in tables}
    for path in course.rglob("*"):
        if path.is_file() and path.name != "gradebook.db":
            found[str(path.relative_to(course))] = sorted(path.read_bytes().splitlines())
    return {name: hashlib.sha256(str(lines).encode()).hexdigest() for name, lines in found.items()}
