"""Attempts to break out of the sandbox, one for each property that it has to have.

`autograde doctor` makes them and shows what came of each; so do the tests, which also make them
where there are no walls, to see that an attempt can succeed. There they do no harm: what they
kill, write and fill is bait, and each is bounded.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograde.course import ROOT, Course
from autograde.engine.client import Client, Outputs
from autograde.engine.kernels import Kernel, Limits, Zygote

LIMITS = Limits(
    memory=256 << 20,
    cpu=1,
    processes=40,
    open_files=128,
    file_size=4 << 20,
    scratch=16 << 20,
    scratch_files=200,
    output=64 << 10,
)
"""Small ones, so that an attempt on them takes no time."""


@dataclass(frozen=True)
class Probe:
    """A property, and an attempt on it: a cell, run in a kernel of its own.

    The property holds if what comes back matches `kept`: what the cell prints, or else how it
    ended ("timeout", "flood", "dead") and what its kernel was killed for. `before` is a cell
    for an earlier kernel. Cells find the names that `Bait.values` gives.
    """

    name: str
    tried: str
    code: str
    kept: str
    before: str = ""
    seconds: float = 10.0


@dataclass(frozen=True)
class Result:
    """What came back from a probe, and whether the property holds."""

    probe: Probe
    held: bool
    came: str


class Bait:
    """What there is outside, to be looked for: listeners, a process, a secret, files.

    `everywhere`, cells try to write where it would matter, and else only in a folder made for it.
    """

    def __init__(self, everywhere: bool):
        self.everywhere = everywhere
        self.token = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="probe-"))
        (self.folder / "secret").write_text(self.token)
        os.environ["AUTOGRADE_PROBE"] = self.token
        self._listeners = [socket.create_server(("127.0.0.1", 0))]
        for address in (f"\0{self.token}", str(self.folder / "socket")):
            self._listeners.append(socket.socket(socket.AF_UNIX))
            self._listeners[-1].bind(address)
            self._listeners[-1].listen()
        self._start_canary()

    def _start_canary(self) -> None:
        sleep = "import time; time.sleep(600)"
        self._canary = subprocess.Popen([sys.executable, "-I", "-S", "-c", sleep])

    def unharmed(self) -> bool:
        """Return whether the process is still there; if not, replace it."""
        if self._canary.poll() is None:
            return True
        self._start_canary()
        return False

    def values(self) -> dict[str, Any]:
        """Return the names that a probe's cell finds, with their values."""
        stdlib, site = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")
        places = ["/", "/etc", "/usr/lib", "/dev", "/proc", "/sandbox", stdlib, site, str(ROOT)]
        return {
            "token": self.token,
            "port": self._listeners[0].getsockname()[1],
            "canary": self._canary.pid,
            "folder": str(self.folder),
            "hidden": [str(path) for path in self._hidden()],
            "places": [str(self.folder), *(places if self.everywhere else ())],
            "limits": vars(LIMITS),
        }

    def _hidden(self) -> Iterator[Path]:
        """Yield files and folders that are there, beside those that Python itself lies in."""
        needed = {Path(p) for p in (sys.prefix, sys.base_prefix)}
        needed |= {parent for path in needed for parent in path.parents}
        names = ("solutions", "exercises", "tests", "pyproject.toml", "autograde/specs")
        paths = [self.folder / "secret", Course.directory, *(ROOT / name for name in names)]
        with contextlib.suppress(OSError):
            paths += Path.home().iterdir()
        for path in paths:
            if path not in needed and path.exists():
                yield path

    def close(self) -> None:
        """Remove all of it."""
        for listener in self._listeners:
            listener.close()
        self._canary.kill()
        self._canary.wait()
        os.environ.pop("AUTOGRADE_PROBE")
        shutil.rmtree(self.folder)
        Path("/tmp", self.token).unlink(missing_ok=True)


def attempts(*, sandboxed: bool = True) -> Iterator[Result]:
    """Make every attempt. Raises `SandboxUnavailable` before the first."""
    with (
        contextlib.closing(Bait(everywhere=sandboxed)) as bait,
        Zygote(limits=LIMITS, sandboxed=sandboxed) as zygote,
    ):
        for probe in PROBES:
            yield attempt(probe, zygote, bait)


def attempt(probe: Probe, zygote: Zygote, bait: Bait) -> Result:
    """Make one attempt."""
    if probe.before:
        _run(zygote, bait, probe.before, probe.seconds)
    came = _run(zygote, bait, probe.code, probe.seconds)
    if not bait.unharmed():
        came += ", and killed a process outside"
    return Result(probe, re.fullmatch(probe.kept, came) is not None, came)


def _run(zygote: Zygote, bait: Bait, code: str, seconds: float) -> str:
    kernel, connection = zygote.fork(key=bait.token, judge=None, cwd=str(bait.folder))
    try:
        client = Client(connection, kernel.ended.done)
        with contextlib.closing(client):
            return _come_back(client, kernel, bait, code, seconds)
    finally:
        kernel.signal(signal.SIGKILL)


def _come_back(client: Client, kernel: Kernel, bait: Bait, code: str, seconds: float) -> str:
    given = "".join(f"{name} = {value!r}\n" for name, value in bait.values().items())
    outputs = Outputs(LIMITS.output)
    ended = client.run(f"{PRELUDE}{given}{code}", seconds, outputs.take)
    if ended == "done":
        return "".join(o.get("text") or o.get("evalue", "") for o in outputs.outputs).strip()
    kernel.signal(signal.SIGKILL)
    try:
        kernel.ended.result(timeout=5)
    except TimeoutError:
        return f"{ended}, and could not be killed"
    return f"{ended}: {kernel.killed_for}" if kernel.killed_for else ended


PRELUDE = """
import ctypes, errno, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def refused(action):
    try: action()
    except (OSError, MemoryError): return "refused"
    return "done"
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0: raise OSError(ctypes.get_errno(), name)
def beside(number, action):
    for _ in range(number):
        if os.fork() == 0:
            try: action()
            finally: os._exit(0)
"""

PROBES = (
    Probe(
        "network",
        "to reach listeners outside: over TCP, by a Unix socket's file and by its abstract name",
        """
def reach(kind, address):
    with socket.socket(kind) as s:
        s.settimeout(2)
        s.connect(address)
for kind, address in ((socket.AF_INET, ("127.0.0.1", port)),
                      (socket.AF_UNIX, folder + "/socket"), (socket.AF_UNIX, "\\0" + token)):
    print(refused(lambda: reach(kind, address)))
""",
        "refused\nrefused\nrefused",
    ),
    Probe(
        "files",
        "to find the course's files, the home folder's and a secret",
        "print([path for path in hidden if os.path.lexists(path)])",
        r"\[\]",
    ),
    Probe(
        "writing",
        "to write outside the scratch folder, and to files that are to be seen",
        """
def write(path, flags=0):
    os.close(os.open(path, os.O_WRONLY | flags))
def make(path):
    write(path, os.O_CREAT)
    os.unlink(path)
import numpy
seen = numpy.__file__, os.__file__, "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"
print([p for p in places if refused(lambda: make(os.path.join(p, token))) == "done"],
      [p for p in seen if refused(lambda: write(p)) == "done"])
""",
        r"\[\] \[\]",
    ),
    Probe(
        "leftovers",
        "to find what an earlier notebook wrote",
        'print([path for path in ("planted", "/tmp/" + token) if os.path.exists(path)])',
        r"\[\]",
        before='for path in ("planted", "/tmp/" + token): open(path, "w").close()',
    ),
    Probe(
        "shadowing",
        "to have modules in its folder imported in place of the real ones by the next notebook",
        """
found = []
for name in ("sitecustomize", "usercustomize", "numpy", "autograde", "ipykernel_launcher"):
    try: module = __import__(name)
    except ImportError: continue
    if hasattr(module, "planted"): found.append(name)
print(found)
""",
        r"\[\]",
        before="""
for name in ("sitecustomize", "usercustomize", "numpy", "autograde", "ipykernel_launcher"):
    open(name + ".py", "w").write("planted = True")
""",
    ),
    Probe(
        "processes",
        "to see, read, trace and kill processes outside",
        """
print(sum(name.isdigit() for name in os.listdir("/proc")),
      refused(lambda: open(f"/proc/{canary}/mem", "rb").close()),
      refused(lambda: call("ptrace", 16, canary, 0, 0)),
      refused(lambda: os.kill(canary, signal.SIGKILL)))
""",
        "1 refused refused refused",
    ),
    Probe(
        "rights",
        "to have capabilities, a way to new ones, or every system call",
        """
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
sets = ("CapInh", "CapPrm", "CapEff", "CapAmb")
print(*(int(status[name], 16) for name in sets), status["NoNewPrivs"].strip(),
      status["Seccomp"].strip())
""",
        "0 0 0 0 1 2",
    ),
    Probe(
        "set-user-ID",
        "to find a file system on which a program could change who runs it",
        """
mounts = [line.split() for line in open("/proc/self/mountinfo")]
print([mount[4] for mount in mounts if "nosuid" not in mount[5].split(",")])
""",
        r"\[\]",
    ),
    Probe(
        "devices",
        "to find devices beyond null, zero, full, random and urandom",
        'print(*sorted({*os.listdir("/dev")} - {"null", "zero", "full", "random", "urandom"}))',
        "",
    ),
    Probe(
        "environment",
        "to read the engine's environment variables",
        """
kept = "".join(open(f"/proc/{pid}/environ").read() for pid in ("self", os.getppid() or "self"))
print(token in kept or token in "".join(os.environ.values()))
""",
        "False",
    ),
    Probe(
        "frameworks",
        "to import a framework, the specs, the judge or nbgrader",
        """
import autograde
from importlib.machinery import PathFinder  # a stand-in for what is absent is no file
print([n for n in ("torch", "tensorflow", "keras", "scipy", "nbgrader") if PathFinder.find_spec(n)],
      [n for n in ("specs", "judge", "engine") if PathFinder.find_spec(n, autograde.__path__)])
""",
        r"\[\] \[\]",
    ),
    Probe(
        "namespaces",
        "to begin a user namespace, in which it would be root",
        """
pid = os.fork()
if pid == 0: os._exit(refused(lambda: call("unshare", 0x10000000)) == "done")
print(os.waitpid(pid, 0)[1])
""",
        "0",
    ),
    Probe(
        "memory",
        "to take twice the memory in one process",
        'print(refused(lambda: bytearray(2 * limits["memory"])))',
        "refused",
    ),
    Probe(
        "memory of all",
        "to take it in three processes",
        """
filled, fills = os.pipe()
def fill():
    held = b"x" * (limits["memory"] // 2)
    os.write(fills, b"x")
    time.sleep(5)
beside(3, fill)
for _ in range(3): os.read(filled, 1)
time.sleep(1)
print("taken")
""",
        "dead: .* memory and was stopped.",
    ),
    Probe(
        "memory of none",
        "to take it where it is no process's: in a file that is nowhere, in shared segments",
        """
print(refused(lambda: call("memfd_create", b"", 0)),
      refused(lambda: call("shmget", 0, 4096, 0o600)))
""",
        "refused refused",
    ),
    Probe(
        "CPU",
        "to compute beyond the limit, in several processes",
        """
def spin():
    while time.process_time() < 2 * limits["cpu"]: pass
beside(2, spin)
spin()
print("computed")
""",
        "dead: .* CPU time and was stopped.",
    ),
    Probe(
        "time",
        "to go on for ever, with every signal blocked",
        """
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
end = time.monotonic() + 8
while time.monotonic() < end: pass
print("went on")
""",
        "timeout",
        seconds=0.5,
    ),
    Probe(
        "forks",
        "to start more processes than it may",
        """
try: beside(100, lambda: time.sleep(2))
except OSError: print("refused")
else: print("started")
""",
        "refused|dead: .* processes and threads and was stopped.",
    ),
    Probe(
        "open files",
        "to open more files than it may",
        "print(refused(lambda: [open('/dev/null') for _ in range(limits['open_files'])]))",
        "refused",
    ),
    Probe(
        "file size",
        "to write a file larger than it may",
        """
def write(name, size):
    with open(name, "wb") as file: file.write(bytes(size))
print(refused(lambda: write("large", limits["file_size"] + 1)))
""",
        "refused",
    ),
    Probe(
        "scratch",
        "to write more than it may, and more files",
        """
def write(name, size):
    with open(name, "wb") as file: file.write(bytes(size))
print(refused(lambda: [write(f"e{i}", 0) for i in range(limits["scratch_files"])]))
size = limits["file_size"] // 2
print(refused(lambda: [write(f"e{i}", size) for i in range(limits["scratch"] // size + 1)]))
""",
        "refused\nrefused",
    ),
    Probe(
        "output",
        "to print far too much",
        "for _ in range(16): print('x' * (16 << 10), flush=True)",
        "flood",
    ),
)
