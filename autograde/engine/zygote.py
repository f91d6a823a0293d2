"""A process that has imported what a notebook needs, and forks a kernel for each submission.

It reads its configuration from its standard input, as JSON, and serves requests, each a datagram
of JSON on the socket whose descriptor is its argument, until the other end is closed. A request
may bring a descriptor along, the kernel's way to the judge. How far a kernel has come it tells
the engine itself, on the same socket; this process tells when one has ended.

It has to stay single-threaded, or a fork may find a lock held for ever: it imports and builds,
and runs nothing.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback

import sandbox

JUDGE, TELL = 3, 4
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


def main():
    """Import, say so, and serve requests until the other end is closed."""
    control = socket.socket(fileno=int(sys.argv.pop()))
    config = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Neither the engine's folder nor its modules are for a learner to find.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    sys.modules.pop("sandbox"), sys.modules.pop("zygote")
    walls = config["sandbox"]
    try:
        if walls:
            sandbox.settle(walls["steps"], walls["scratch"])
        app, reserved = _prepare(config)
        if walls:
            sandbox.close_scratch(walls["scratch"])
            walls["limits"]["AS"] += reserved
    except BaseException as error:  # the engine has to know
        _tell(control, {"ready": False, **_described(error)})
        os._exit(1)
    _tell(control, {"ready": True})
    _serve(control, config, app)


def _prepare(config):
    """Do all that is the same for every kernel.

    Returns the application that each becomes, and the bytes of addresses that a kernel takes and
    does not use as memory, such as for code and the ends of its threads' stacks.
    """
    sys.path[:0] = config["path"]
    os.environ.update(config["env"])
    os.makedirs(os.environ["HOME"], exist_ok=True)
    gc.disable()  # or it looks at what is imported again and again
    sys.modules["debugpy"] = None  # ipykernel does without, and starts faster
    for name in config["imports"]:
        importlib.import_module(name)
    app = _application()
    reserved = _rehearse(app)
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"an import started {threads - 1} threads: no fork would be safe")
    # Else the collector would write to every object, and every fork would copy its page.
    gc.collect()
    gc.freeze()
    gc.enable()
    _use_huge_pages()
    return app, reserved


def _use_huge_pages():
    """Put this process's memory on huge pages, if they can be had: a fork copies page by page."""
    size, collapse = 2 << 20, 25  # MADV_COLLAPSE, see madvise(2)
    madvise = ctypes.CDLL(None).madvise
    with open("/proc/self/maps") as file:
        lines = [line.split() for line in file]
    for addresses, rights, *_, name in lines:
        first, last = (int(number, 16) for number in addresses.split("-"))
        first, last = -(-first // size) * size, last // size * size
        if rights.startswith("rw") and name in {"0", "[heap]"} and first < last:
            madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), collapse)


def _application():
    """Return ipykernel's application with its shell, without sockets, kernel or threads yet."""
    from types import SimpleNamespace

    from ipykernel import ipkernel
    from ipykernel.compiler import XCachingCompiler
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.zmqshell import ZMQInteractiveShell
    from traitlets.config import Config

    class Application(IPKernelApp):
        """Is configured here, and by no file or argument."""

        def parse_command_line(self, argv=None):
            pass

        def load_config_file(self, suppress_errors=True):
            pass

        def init_connection_file(self):
            pass

        def write_connection_file(self, **kwargs):
            pass

        def init_kernel(self):
            # It looks at each module, for a debugger; with frameworks those are thousands, and
            # a look is enough to copy the page that a module lies on.
            ipkernel.sys = SimpleNamespace(**{**vars(sys), "modules": {}})
            super().init_kernel()
            ipkernel.sys = sys

        def init_shell(self):
            super().init_shell()
            self.shell.kernel = self.shell.parent = self.kernel

    config = Config({"HistoryManager": {"enabled": False}, "IPKernelApp": {"log_level": 50}})
    app = Application.instance(config=config)
    app.init_profile_dir()
    # The only one, which the kernel will find.
    shell = ZMQInteractiveShell.instance(
        parent=app, profile_dir=app.profile_dir, compiler_class=XCachingCompiler
    )
    app.shell, app.user_ns = shell, shell.user_ns
    return app


def _rehearse(app):
    """Do what each kernel would do as it starts, and as it shows its first error.

    Returns what `_reserved` says in a kernel.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        known = set(sys.modules)
        try:
            _open(app, os.path.join(os.environ["HOME"], "rehearsal"), "key")
            app.shell.run_cell("1 / 0")
        finally:
            late = [name for name in sys.modules if name not in known]
            with open(write, "w") as pipe:
                json.dump([late, _reserved()], pipe)
            os._exit(0)
    os.close(write)
    with open(read) as pipe:
        late, reserved = json.load(pipe)
    os.waitpid(pid, 0)
    for name in late:
        importlib.import_module(name)
    try:
        raise RuntimeError
    except RuntimeError:  # the first traceback looks at every module's file, the next ones do not
        app.shell.InteractiveTB.structured_traceback(*sys.exc_info())
    return reserved


def _open(app, address, key):
    """Make the kernel and its sockets, which begin with `address` and sign with `key`."""
    app.transport, app.ip = "ipc", address
    for port, name in enumerate(PORTS, 1):
        setattr(app, name, port)
    app.session.key = key.encode()
    app.initialize([])


def _reserved():
    with open("/proc/self/status") as file:
        sizes = dict(line.split(":") for line in file if line.startswith(("VmSize", "RssAnon")))
    total, used = (int(sizes[name].split()[0]) << 10 for name in ("VmSize", "RssAnon"))
    return total - used


def _serve(control, config, app):
    children = {}  # process: number of the request
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            _reap(control, children)
        if control in readable:
            data, fds, _, _ = socket.recv_fds(control, 1 << 16, 1)
            if not data:
                _leave(config, children)
            _fork(control, json.loads(data), fds, config, app, children)


def _leave(config, children):
    """End, and all that was forked with it; with walls, the PID namespace sees to that."""
    if not config["sandbox"]:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(config["stage"], ignore_errors=True)
    os._exit(0)


def _fork(control, request, fds, config, app, children):
    try:
        pid = sandbox.fork() if config["sandbox"] else os.fork()
    except OSError as error:
        _tell(control, {"id": request["id"], **_described(error)})
    else:
        if pid == 0:
            _kernel(control, request, fds, config, app)
        children[pid] = request["id"]
    for fd in fds:
        os.close(fd)


def _kernel(control, request, fds, config, app):
    """Be a kernel. Nothing of a learner's runs before the way to the engine is closed."""
    tell = _arrange_descriptors(control.detach(), fds)
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        _tell(tell, {"id": request["id"], "started": True})
        if walls := config["sandbox"]:
            sandbox.enter(walls["scratch"], walls["size"], walls["limits"], request["user"])
        else:
            sandbox.die_with_parent()
            os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        folders = os.environ["HOME"], app.profile_dir.location, os.path.dirname(request["ip"])
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        _open(app, request["ip"], request["key"])
        _tell(tell, {"id": request["id"], "listening": True})
        tell.close()
        app.start()
    except BaseException as error:  # the engine has to know
        _tell(tell, {"id": request["id"], **_described(error)})
        os._exit(70)
    os._exit(0)


def _arrange_descriptors(control, fds):
    """Keep `JUDGE` and `TELL`, and nothing else that this process has."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    sources = [nowhere, nowhere, nowhere, *(fds or [nowhere]), control]
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in sources]
    for target, source in enumerate(sources):
        os.dup2(source, target)
    os.closerange(TELL + 1, 1 << 16)
    return socket.socket(fileno=TELL)


def _reap(control, children):
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if pid in children:
            status = os.waitstatus_to_exitcode(status)
            _tell(control, {"id": children.pop(pid), "ended": status})


def _described(error):
    if isinstance(error, sandbox.Refused):
        return {"error": error.strerror, "refused": True}
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return {"error": text, "refused": False}


def _tell(sock, message):
    try:
        sock.send(json.dumps(message).encode())
    except OSError:
        os._exit(1)
