"""Warm kernels: the handle on a zygote, and the jupyter_client provisioner that forks from it.

A kernelspec that names the provisioner `autograde-zygote` makes any Jupyter client use it:
nbclient, nbconvert and unmodified nbgrader. `kernelspec_directory` writes one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib.metadata
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase

from autograde.engine.watchdog import Watchdog

HERE = Path(__file__).parent
KERNEL_NAME = "autograde-warm"
PROVISIONER = "autograde-zygote"
ARGUMENTS = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=50"]


class SandboxUnavailable(RuntimeError):
    """This machine gives no sandbox; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Sizes in bytes, times in seconds.

    Memory, CPU and processes are those of all its processes together, for one kernel.
    """

    memory: int = 2 << 30
    cpu: int = 120
    processes: int = 64
    open_files: int = 256
    file_size: int = 32 << 20
    scratch: int = 64 << 20
    scratch_files: int = 2000
    cell: float = 30.0
    test: float = 60.0
    notebook: float = 180.0
    output: int = 1 << 20

    def for_kernel(self) -> dict[str, int]:
        """Return them by the names of `resource.RLIMIT_*`."""
        return {
            "AS": self.memory,
            # Later than the watchdog, which can say why.
            "CPU": self.cpu + 2,
            "NPROC": self.processes,
            "NOFILE": self.open_files,
            "FSIZE": self.file_size,
            "CORE": 0,
        }


@dataclass
class Kernel:
    """A forked kernel: its number outside, and how it ended.

    `killed_for` is the limit that it was killed for going over, as a sentence, or None.
    """

    pid: int
    outer: int
    ended: Future = field(default_factory=Future)
    killed_for: str | None = None

    def signal(self, number: int) -> None:
        """Send a signal to the kernel. Killing it takes its whole PID namespace along."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Zygote:
    """A process that forks kernels which may use `libraries`, sandboxed or not.

    Raises `SandboxUnavailable` if a kernel cannot enter its sandbox. `close` kills it and all
    that it has forked; so does the end of this process, however it comes.
    """

    def __init__(self, libraries: Iterable[str] = ("numpy",), *, limits=None, sandboxed=True):
        self.limits = limits or Limits()
        self.sandboxed = sandboxed
        self._numbers = itertools.count()
        self._answers: dict[int, Future] = {}
        self._kernels: dict[int, Kernel] = {}
        self._early: dict[int, int] = {}  # those that ended before they were known
        self._lock = threading.Lock()
        self._watchdog = Watchdog(self.limits)
        self._stage = Path(tempfile.mkdtemp(prefix="autograde-"))
        self._root = self._stage / "root"
        self._root.mkdir()
        stub = _write_stub(self._stage / "stub")
        libraries = sorted({*libraries, "numpy", "ipykernel"})
        config = {
            "path": [str(stub), sysconfig.get_path("purelib")],
            "imports": [*(x for x in libraries if x != "ipykernel"), "autograde.notebook"],
            "sandbox": _sandbox_config(self._root, stub, libraries, self.limits)
            if sandboxed
            else None,
        }
        ours, theirs = socket.socketpair()
        self._control = ours
        # -S leaves out .pth files, through which this repository could be imported.
        start = f"import sys; sys.path.insert(0, {str(HERE)!r}); import zygote; zygote.main()"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", start],
            stdin=theirs,
            env={
                "PATH": os.defpath,
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                # Each thread would reserve 128 MiB of addresses for itself, which the limit on
                # addresses counts as used.
                "MALLOC_ARENA_MAX": "1",
            },
            cwd="/",
        )
        theirs.close()
        atexit.register(self.close)
        ours.sendall(json.dumps(config).encode() + b"\n")
        self._ready: Future = Future()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        answer = self._ready.result(timeout=60)
        if answer["threads"] != 1:
            self.close()
            raise RuntimeError(f"the zygote has {answer['threads']} threads and cannot fork safely")

    @property
    def pid(self) -> int:
        """The zygote's own process number."""
        return self._process.pid

    def fork(self, *, key: str, judge: socket.socket | None, cwd: str = "/tmp") -> tuple:
        """Fork a kernel; return it and the connection information by which to reach it."""
        number = next(self._numbers)
        inside = "/tmp/.kernel/s" if self.sandboxed else str(self._stage / f"k{number}" / "s")
        connection = {
            "transport": "ipc",
            "ip": inside,
            "key": key,
            "signature_scheme": "hmac-sha256",
            "kernel_name": KERNEL_NAME,
        }
        names = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        connection |= {name: port for port, name in enumerate(names, 1)}
        home = "/tmp/.home" if self.sandboxed else str(self._stage / f"home{number}")
        request = {
            "id": number,
            "connection": connection,
            "arguments": ARGUMENTS,
            "cwd": cwd,
            "env": {
                "HOME": home,
                "IPYTHONDIR": f"{home}/ipython",
                "PATH": "/nowhere" if self.sandboxed else os.defpath,
                "LANG": "C.UTF-8",
                "MPLBACKEND": "agg",
                "NBGRADER_EXECUTION": "autograde",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                **({"AUTOGRADE_JUDGE": "3"} if judge else {}),
            },
        }
        answer = self._answers[number] = Future()
        data = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._control, [data], [judge.fileno()] if judge else [])
        said = answer.result(timeout=60)
        if "error" in said:
            raise SandboxUnavailable(said["error"])
        kernel = Kernel(said["pid"], said["outer"])
        self._kernels[kernel.outer] = kernel
        if (early := self._early.pop(kernel.outer, None)) is not None:
            kernel.ended.set_result(early)
        if self.sandboxed:
            self._watchdog.add(kernel)
            connection["ip"] = f"/proc/{kernel.pid}/root{inside}"
        return kernel, connection

    def _read(self) -> None:
        """Hand out the zygote's answers until it is gone."""
        buffer = b""
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                self._handle(json.loads(line))
        for future in (self._ready, *self._answers.values()):
            if not future.done():
                future.set_result({"error": "the zygote is gone", "threads": 0})
        for kernel in self._kernels.values():
            if not kernel.ended.done():
                kernel.ended.set_result(-signal.SIGKILL)

    def _handle(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._ready.set_result(message)
        elif "ended" in message:
            kernel = self._kernels.pop(message["ended"], None)
            if kernel:
                kernel.ended.set_result(message["status"])
            else:
                self._early[message["ended"]] = message["status"]
        else:
            self._answers.pop(message["id"]).set_result(message)

    def close(self) -> None:
        """Kill the zygote and all its kernels, and remove what they left."""
        atexit.unregister(self.close)
        self._watchdog.close()
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._stage, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


_shared: Zygote | None = None


def shared_zygote() -> Zygote:
    """Return this process's zygote, which kernels started by kernelspec are forked from."""
    global _shared
    if _shared is None:
        _shared = Zygote()
    return _shared


class ZygoteProvisioner(KernelProvisionerBase):
    """Launches kernels by forking them from a zygote instead of starting Python."""

    kernel: Kernel | None = None
    zygote: Zygote | None = None
    judge: socket.socket | None = None

    @property
    def has_process(self) -> bool:
        """True between launch and cleanup."""
        return self.kernel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare nothing: the zygote has everything."""
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Fork a kernel and return how to connect to it."""
        zygote = self.zygote or shared_zygote()
        key = secrets.token_hex(16)
        loop = asyncio.get_running_loop()
        fork = lambda: zygote.fork(key=key, judge=self.judge)
        self.kernel, self.connection_info = await loop.run_in_executor(None, fork)
        self.connection_info["key"] = key.encode()
        return self.connection_info

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else how it ended."""
        if self.kernel is None:
            return 0
        return self.kernel.ended.result() if self.kernel.ended.done() else None

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        if self.kernel is None:
            return 0
        status = await asyncio.wrap_future(self.kernel.ended)
        self.kernel = None
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's first process."""
        if self.kernel:
            self.kernel.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and everything in its namespace."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Kill it: a kernel has nothing to save."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Forget the kernel."""
        self.kernel = None

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Do not wait for a kernel that is about to be killed."""
        return 0.0


def kernelspec_directory(parent: Path) -> Path:
    """Write the kernelspec under `parent` and return what to add to JUPYTER_PATH."""
    folder = parent / "kernels" / KERNEL_NAME
    folder.mkdir(parents=True, exist_ok=True)
    spec = {
        "argv": [],
        "display_name": "Python 3 (warm)",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    return parent


def _write_stub(folder: Path) -> Path:
    """Write the `autograde` that a sandbox sees, and return the folder to import it from."""
    package = folder / "autograde"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""What a graded notebook may import."""\n')
    for source, name in (
        (HERE / "inside.py", "notebook.py"),
        (HERE / "wire.py", "wire.py"),
        (HERE.parent / "calling.py", "calling.py"),
    ):
        shutil.copyfile(source, package / name)
    for path in (folder, package):
        path.chmod(0o755)
    return folder


def _sandbox_config(root: Path, stub: Path, libraries, limits: Limits) -> dict[str, Any]:
    """Return what `sandbox.enter` needs: the file system a kernel sees, and its limits."""
    site = Path(sysconfig.get_path("purelib"))
    binds = [(str(stub), str(stub))]
    binds += [(str(site / name), str(site / name)) for name in _top_levels(libraries, site)]
    base = Path(sys.base_prefix)
    stdlib = Path(sysconfig.get_path("stdlib"))
    empty = [str(site), "/run", "/etc"]
    for entry in sorted(stdlib.iterdir()):  # without the packages installed beside it
        if entry.name not in {"site-packages", "dist-packages", "__pycache__", "test"}:
            binds.append((str(entry), str(entry)))
    links = []
    libs = ["/lib", "/lib64", f"/usr/lib/{sysconfig.get_config_var('MULTIARCH') or 'none'}"]
    libs += ["/usr/lib64", *([str(base / "lib")] if base != Path("/usr") else [])]
    for lib in libs:
        path = Path(lib)
        if path.is_symlink():
            links.append((lib, os.readlink(lib)))
        elif lib.endswith(("-gnu", "lib64")) and path.is_dir():
            binds.append((lib, lib))
        elif path.is_dir():
            binds += [(str(p), str(p)) for p in path.glob("*.so*") if p.exists()]
    for file in ("/etc/ld.so.cache", "/etc/localtime"):
        if Path(file).exists():
            binds.append((file, file))
    return {
        "root": str(root),
        "binds": binds,
        "links": links,
        "empty": empty,
        "scratch": {"bytes": limits.scratch, "files": limits.scratch_files},
        "limits": limits.for_kernel(),
    }


def _top_levels(libraries, site: Path) -> list[str]:
    """Return the entries of site-packages that `libraries` and all that they need consist of."""
    from packaging.requirements import Requirement

    names, queue, found = set(), list(libraries), set()
    while queue:
        name = queue.pop()
        if name in names:
            continue
        names.add(name)
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and (site / top).exists():
                found.add(top)
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                queue.append(requirement.name)
    return sorted(found)
