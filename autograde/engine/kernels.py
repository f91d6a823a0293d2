"""Warm kernels: the handle on a zygote, and the jupyter_client provisioner that forks from it.

A kernelspec that names the provisioner `autograde-zygote` makes any Jupyter client use it:
nbclient, nbconvert and unmodified nbgrader. `kernelspec_directory` writes one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from jupyter_client.provisioning import KernelProvisionerBase

from autograde.engine import ONE_THREAD, rootfs
from autograde.engine.watchdog import Watchdog

HERE = Path(__file__).parent
KERNEL_NAME = "autograde-warm"
PROVISIONER = "autograde-zygote"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
IMPORTED = ("ipykernel.kernelapp", "ipykernel.ipkernel", "autograde.notebook")
STAGE = "autograde-"
IMPORTING, STARTING = 180.0, 60.0
"""Seconds in which a zygote has its libraries imported, and in which a kernel listens."""
ENVIRONMENT = {
    **ONE_THREAD,
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    # Else each thread reserves 128 MiB of addresses, which the limit on them counts as used.
    "MALLOC_ARENA_MAX": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TRITON_INTERPRET": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "agg",
}
_users = itertools.count()


class SandboxUnavailable(RuntimeError):
    """This machine gives no sandbox; the message says why, and how to get one."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Sizes in bytes, times in seconds.

    Memory, CPU and processes are those of all its processes together, for one kernel. Threads
    count as processes; a kernel itself has 11, with frameworks about 20.
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
    """A forked kernel: its process's number here, and how it ended.

    `killed_for` is the limit that it was killed for going over, as a sentence, or None.
    """

    pid: int
    ended: Future = field(default_factory=Future)
    killed_for: str | None = None

    def signal(self, number: int) -> None:
        """Send a signal to the kernel. Killing it takes its whole PID namespace along."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Zygote:
    """A process that forks kernels which may use `libraries`, sandboxed or not.

    `libraries` are distributions that are imported by the same name. Raises
    `SandboxUnavailable` if there is no sandbox here, and `RuntimeError` if a library cannot be
    imported, or starts threads at that. Threads may share one. `close` kills it and all that it
    has forked; so does the end of this process, however it comes.
    """

    def __init__(self, libraries: Iterable[str] = ("numpy",), *, limits=None, sandboxed=True):
        if sys.platform != "linux":
            raise SandboxUnavailable(f"kernels are forked as only Linux can. {remedy()}")
        self.limits = limits or Limits()
        self.sandboxed = sandboxed
        self._numbers = itertools.count()
        self._closing = threading.Lock()
        self._lock = threading.Lock()  # for what follows
        self._starting: dict[int, Future] = {}
        self._kernels: dict[int, Kernel] = {}
        self._gone: str | None = None
        _sweep()
        self._stage, lock = (None, None) if sandboxed else _make_stage()
        config = self._configuration(sorted({*libraries, "numpy"}))
        self._watchdog = Watchdog(self.limits)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # With each message comes the sender's process number, as it is on this side.
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        # -S leaves out .pth files, through which this repository could be imported.
        start = f"import sys; sys.path.insert(0, {str(HERE)!r}); import zygote; zygote.main()"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", start, str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=[theirs.fileno(), *([lock.fileno()] if lock else [])],
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        if lock:
            lock.close()
        atexit.register(self.close)
        self._ready: Future = Future()
        self._reader = threading.Thread(target=self._read, daemon=True, name="zygote")
        self._reader.start()
        try:
            self._begin(config)
        except BaseException:
            self.close()
            raise

    def _configuration(self, libraries: list[str]) -> dict[str, Any]:
        home = f"{rootfs.SCRATCH}/.home" if self.sandboxed else f"{self._stage}/home"
        stub = rootfs.STUB if self.sandboxed else f"{self._stage}/stub"
        config: dict[str, Any] = {
            "path": [stub, *rootfs.search_path(libraries)],
            # TensorFlow after Triton: autograde/apart.py says why.
            "imports": [*sorted(libraries, key=lambda name: name != "triton"), *IMPORTED],
            "env": {"HOME": home, "IPYTHONDIR": f"{home}/ipython"},
            "stage": str(self._stage),
            "sandbox": None,
        }
        if self.sandboxed:
            config["sandbox"] = {
                "steps": rootfs.steps([*libraries, "ipykernel"]),
                "scratch": rootfs.SCRATCH,
                "size": {"bytes": self.limits.scratch, "files": self.limits.scratch_files},
                "limits": self.limits.for_kernel(),
            }
        return config

    def _begin(self, config: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(config).encode())
        try:
            self._ready.result(IMPORTING)
        except TimeoutError:
            text = f"the libraries took more than {IMPORTING:g} s to import"
            raise RuntimeError(text) from None
        if self.sandboxed:
            self.fork(key="trial", judge=None)[0].signal(signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The number of the process that all the others are descendants of."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once nothing can be forked any more: it was closed, or killed by somebody."""
        return self._gone is None and self._process.poll() is None

    def fork(self, *, key: str, judge: socket.socket | None, cwd: str = "/tmp") -> tuple:
        """Fork a kernel; return it, a `Kernel`, and the connection information for clients.

        `judge` is a socket that the kernel gets, as descriptor `$AUTOGRADE_JUDGE`. Without a
        sandbox, `cwd` is where the kernel begins. Raises `RuntimeError` if the zygote is gone
        or the kernel does not start, `SandboxUnavailable` if it cannot enter its sandbox.
        """
        number = next(self._numbers)
        own = rootfs.SCRATCH if self.sandboxed else f"{self._stage}/{number}"
        home, address = f"{own}/.home", f"{own}/.kernel/s"
        request = {
            "id": number,
            "key": key,
            "ip": address,
            "cwd": cwd,
            # No other kernel on this machine is this user: the limit on processes is a user's.
            "user": os.getpid() << 8 | next(_users) & 0xFF,
            "env": {
                **ENVIRONMENT,
                "HOME": home,
                "IPYTHONDIR": f"{home}/ipython",
                "TMPDIR": own,
                "NBGRADER_EXECUTION": "autograde",
                **({"AUTOGRADE_JUDGE": "3"} if judge else {}),
            },
        }
        kernel = self._ask(number, request, [judge.fileno()] if judge else [])
        connection = {
            "transport": "ipc",
            "ip": f"/proc/{kernel.pid}/root{address}" if self.sandboxed else address,
            "key": key,
            "signature_scheme": "hmac-sha256",
            "kernel_name": KERNEL_NAME,
            **{name: port for port, name in enumerate(PORTS, 1)},
        }
        return kernel, connection

    def _ask(self, number: int, request: dict[str, Any], descriptors: list[int]) -> Kernel:
        listening: Future = Future()
        with self._lock:
            if self._gone is None:
                self._starting[number] = listening
                with contextlib.suppress(OSError):  # which the reader finds out, too
                    socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
            else:
                raise RuntimeError(self._gone)
        try:
            return listening.result(STARTING)
        except TimeoutError:
            with self._lock:
                self._starting.pop(number, None)
                kernel = self._kernels.get(number)
            if kernel:
                kernel.signal(signal.SIGKILL)
            raise RuntimeError(f"a kernel did not listen within {STARTING:g} s") from None

    def _read(self) -> None:
        """Take what the zygote and its kernels tell, until they are gone."""
        with contextlib.suppress(OSError):
            while True:
                data, ancillary, _, _ = self._control.recvmsg(1 << 16, socket.CMSG_SPACE(12))
                if not data:
                    break
                with self._lock:
                    self._handle(json.loads(data), struct.unpack("3i", ancillary[0][2])[0])
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        with self._lock:
            self._gone = " ".join(["the zygote is gone; start another", *last])
            for future in (self._ready, *self._starting.values()):
                if not future.done():
                    future.set_exception(RuntimeError(self._gone))
            kernels = list(self._kernels.values())
        for kernel in kernels:
            kernel.signal(signal.SIGKILL)
            kernel.ended.set_result(-signal.SIGKILL)

    def _handle(self, message: dict[str, Any], pid: int) -> None:
        if "ready" in message:
            if message["ready"]:
                self._ready.set_result(None)
            else:
                self._ready.set_exception(_failure(message))
            return
        number = message["id"]
        if "started" in message:
            kernel = self._kernels[number] = Kernel(pid)
            if self.sandboxed:
                self._watchdog.add(kernel)
        elif "listening" in message and number in self._starting:
            self._starting.pop(number).set_result(self._kernels[number])
        elif "error" in message and number in self._starting:
            self._starting.pop(number).set_exception(_failure(message))
        elif "ended" in message:
            if number in self._starting:
                text = f"a kernel ended as it started, with status {message['ended']}"
                self._starting.pop(number).set_exception(RuntimeError(text))
            self._kernels.pop(number).ended.set_result(message["ended"])

    def close(self) -> None:
        """Kill the zygote and all its kernels, and remove what they left."""
        atexit.unregister(self.close)
        self._watchdog.close()
        with self._closing:  # whoever is still starting it closes it, too
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._reader.join()
            self._control.close()
            self._errors.close()
            if self._stage:
                shutil.rmtree(self._stage, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _failure(message: dict[str, Any]) -> RuntimeError:
    if message["refused"]:
        return SandboxUnavailable(f"the operating system refused {message['error']}. {remedy()}")
    return RuntimeError(message["error"])


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


SETTINGS = Path("/proc/sys")
REFUSING = {  # what a setting is where it refuses user namespaces, and what it has to be
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "user.max_user_namespaces": ("0", "10000"),
}
CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


def remedy() -> str:
    """Return how to get a sandbox on this machine, judged by what it shows."""
    if sys.platform != "linux":
        return "Use a machine with Linux, or a virtual one."
    steps = []
    if any(path.exists() for path in CONTAINER):
        options = (f"--security-opt {x}=unconfined" for x in ("seccomp", "apparmor", "systempaths"))
        steps.append(f"Start this container with `docker run {' '.join(options)}`.")
    for setting, (refusing, allowing) in REFUSING.items():
        path = SETTINGS.joinpath(*setting.split("."))
        if path.exists() and path.read_text().strip() == refusing:
            steps.append(
                "Allow user namespaces: as root of the machine, write the line "
                f"`{setting}={allowing}` to /etc/sysctl.d/60-autograde.conf and run "
                "`sysctl --system`."
            )
    return " ".join(steps) or "Run this as root, or have user namespaces allowed on this machine."


def _make_stage() -> tuple[Path, BinaryIO]:
    """Make a folder for kernels without a sandbox; return it and the lock of who needs it."""
    stage = Path(tempfile.mkdtemp(prefix=STAGE))
    for path, text in rootfs.stub().items():
        (stage / "stub" / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / "stub" / path).write_text(text, "utf-8")
    (stage / "home").mkdir()
    lock = open(stage / "unlocked", "wb")  # noqa: SIM115
    _flock(lock)
    os.rename(stage / "unlocked", stage / "lock")
    return stage, lock


def _sweep() -> None:
    """Remove the folders of those that were killed and could not."""
    for path in Path(tempfile.gettempdir()).glob(f"{STAGE}*/lock"):
        with contextlib.suppress(OSError), open(path, "rb") as lock:
            if path.stat().st_uid == os.geteuid():
                _flock(lock)
                shutil.rmtree(path.parent)


def _flock(file: BinaryIO) -> None:
    """Lock `file` until it is closed everywhere. Raises `OSError` if somebody has."""
    import fcntl  # `autograde doctor` imports this module on Windows, too

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
