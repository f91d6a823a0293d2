"""A process that has imported what a notebook needs, and forks a kernel for each submission.

It is started with one end of a socket as its standard input; at the socket's end it kills what
it has forked and leaves. A request is a line of JSON with the kernel's connection, and one file
descriptor, the way to the judge. The answer is the process's number, once the kernel listens.

It has to stay single-threaded, so that a fork may enter namespaces: it imports, and runs nothing.
"""

import contextlib
import fcntl
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback

JUDGE, TELL = 3, 4


def main():
    """Import, say so, and serve requests until the other end is closed."""
    control = socket.socket(fileno=os.dup(0))
    config = json.loads(_line(control))
    sys.path[:0] = config["path"]
    for name in ("ipykernel.kernelapp", "ipykernel.ipkernel", *config["imports"]):
        importlib.import_module(name)
    import sandbox

    # Neither the engine's folder nor its configuration is left for a learner to find.
    sys.path[:] = [p for p in sys.path if p != os.path.dirname(os.path.abspath(__file__))]
    threads = len(os.listdir("/proc/self/task"))
    _answer(control, {"ready": True, "threads": threads})
    children = {}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
            try:
                data, fds, _, _ = socket.recv_fds(control, 1 << 20, 4)
            except ConnectionError:
                data = b""
            if not data:
                break
            _fork(control, json.loads(data), fds, config, sandbox, children)
    for pid in children:
        _kill(pid)
    os._exit(0)


def _fork(control, request, fds, config, sandbox, children):
    """Fork a kernel and tell the engine its number, or why there is none."""
    listening, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _arrange_descriptors(fds, tell)
            _become_kernel(request, config, sandbox)
        except BaseException as error:  # the engine has to know
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {error} ({where.name}, {where.line})"
            os.write(TELL, json.dumps({"error": text}).encode())
        os._exit(70)
    os.close(tell)
    for fd in fds:
        os.close(fd)
    with os.fdopen(listening, "rb") as pipe:
        lines = pipe.read().splitlines()
    answer = {"id": request["id"], "outer": pid}
    for line in lines:
        answer.update(json.loads(line))
    children[pid] = answer.get("pid", pid)
    _answer(control, answer)


def _arrange_descriptors(fds, tell):
    """Keep `JUDGE` and `TELL`, which stays open until the kernel listens, and nothing else."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    sources = [nowhere, nowhere, nowhere, *(fds[:1] or [nowhere]), tell]
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in sources]
    for target, source in enumerate(sources):
        os.dup2(source, target)
    os.closerange(TELL + 1, 110)


def _become_kernel(request, config, sandbox):
    os.setsid()
    sandbox.die_with_parent()

    def note(pid):
        os.write(TELL, json.dumps({"pid": pid}).encode() + b"\n")

    def outside(pid):
        note(pid)
        os.closerange(0, TELL + 1)

    if config["sandbox"] is not None:
        sandbox.enter(config["sandbox"], outside)
    else:
        note(os.getpid())
        os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    os.makedirs(os.environ["HOME"], exist_ok=True)
    folder = os.path.dirname(request["connection"]["ip"])
    os.makedirs(folder, exist_ok=True)
    _start_kernel(request)


def _start_kernel(request):
    from ipykernel.kernelapp import IPKernelApp

    connection_file = request["connection"]["ip"] + ".json"
    with open(connection_file, "w") as file:
        json.dump(request["connection"], file)
    app = IPKernelApp.instance()
    app.initialize(["-f", connection_file, *request["arguments"]])
    os.close(TELL)
    app.start()
    os._exit(0)


def _reap(control, children):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.pop(pid, None)
        _answer(control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _answer(control, message):
    try:
        control.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        os._exit(1)


def _line(control):
    data = b""
    while not data.endswith(b"\n"):
        part = control.recv(65536)
        if not part:
            os._exit(0)
        data += part
    return data
