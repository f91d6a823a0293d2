"""Kernels: what all the processes of one may use together, and how they come and go."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograde.course import ROOT
from autograde.engine import kernels
from autograde.engine.client import Client, Outputs
from autograde.engine.kernels import STAGE, Limits, Zygote

LIMITS = Limits(memory=1 << 30, cpu=2)


@pytest.fixture(scope="module")
def zygote(engine):
    """A zygote with small limits; `engine` makes sure that this machine has a sandbox."""
    zygote = Zygote(limits=LIMITS)
    yield zygote
    zygote.close()


def run(zygote, code, seconds=20.0):
    """Run a cell in a fresh kernel; return how it ended, what it printed and the kernel."""
    kernel, connection = zygote.fork(key="k", judge=None)
    client = Client(connection, kernel.ended.done)
    collected = Outputs(1 << 20)
    outcome = client.run(code, seconds, collected.take)
    client.close()
    kernel.signal(9)
    kernel.ended.result(timeout=10)
    printed = "".join(o.get("text") or o.get("evalue", "") for o in collected.outputs)
    return outcome, printed.strip(), kernel


BESIDE = "import os, time\nfor _ in range({n}):\n    if os.fork() == 0:\n        {do}\n"
FILL = "x = b'x' * (300 << 20); time.sleep(60)"
SHARE = "import mmap; m = mmap.mmap(-1, 300 << 20); m.write(b'x' * (300 << 20)); time.sleep(60)"


@pytest.mark.parametrize("do", [FILL, SHARE])
def test_the_memory_of_all_its_processes_together_is_limited(zygote, do):
    outcome, _, kernel = run(zygote, BESIDE.format(n=5, do=do) + "time.sleep(60)")
    assert outcome == "dead"
    assert kernel.killed_for == "The notebook used more than 1 GiB of memory and was stopped."


SOCKETS = """
import os, socket, time
def fill():
    pairs = []
    try:
        while True:
            pairs.append(socket.socketpair())
            for end in pairs[-1]:
                end.setblocking(False)
                try:
                    while end.send(bytes(65536)): pass
                except BlockingIOError: pass
    except OSError: time.sleep(60)
for _ in range(40):
    if os.fork() == 0: fill()
time.sleep(60)
"""


def test_memory_that_waits_in_sockets_is_limited(zygote):
    outcome, _, kernel = run(zygote, SOCKETS)
    assert outcome == "dead"
    assert kernel.killed_for == "The notebook used more than 1 GiB of memory and was stopped."


def test_memory_that_processes_share_is_counted_once(zygote):
    share = "import os, time\nx = b'x' * (200 << 20)\n"
    ended = BESIDE.format(n=20, do="time.sleep(1); os._exit(0)") + "time.sleep(1)\nprint('there')"
    assert run(zygote, share + ended)[:2] == ("done", "there")


def test_the_cpu_time_of_all_its_processes_together_is_limited(zygote):
    spin = "while True: pass"
    outcome, _, kernel = run(zygote, BESIDE.format(n=4, do=spin) + "time.sleep(60)")
    assert outcome == "dead"
    assert kernel.killed_for == "The notebook used more than 2 s of CPU time and was stopped."


def test_a_kernel_within_its_limits_is_left_alone(zygote):
    outcome, printed, kernel = run(zygote, "print(6 * 7)")
    assert (outcome, printed, kernel.killed_for) == ("done", "42", None)


# -- what they can compute --

FRAMEWORKS = """
import numpy as np, tensorflow as tf, torch
rng = np.random.default_rng(0)
x, w = rng.normal(size=(2, 3, 9, 8)), rng.normal(size=(3, 4, 5, 4))
given = torch.tensor(x, requires_grad=True)
in_torch = torch.nn.functional.conv_transpose2d(given, torch.tensor(w), stride=2)
in_torch.pow(2).sum().backward()
def transposed(x):
    w_ = tf.constant(w.transpose(2, 3, 1, 0))
    return tf.nn.conv2d_transpose(x, w_, (2, 21, 18, 4), 2, "VALID")
x_ = tf.Variable(x.transpose(0, 2, 3, 1))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.function(transposed)(x_) ** 2)
gradient = tape.gradient(loss, x_).numpy().transpose(0, 3, 1, 2)
in_tf = transposed(x_).numpy().transpose(0, 3, 1, 2)
print(np.allclose(in_torch.detach(), in_tf), np.allclose(given.grad, gradient))
print(torch.cuda.is_available(), tf.config.list_physical_devices("GPU"))
"""
TOO_LARGE = """
try: torch.zeros(8 << 30, dtype=torch.uint8)
except RuntimeError as e: print("allocate" in str(e))
"""


def test_both_frameworks_compute_in_a_kernel_and_agree(engine):
    """Also with their own threads, and with addresses for all they reserve."""
    with Zygote(("torch", "tensorflow")) as zygote:
        outcome, printed, _ = run(zygote, FRAMEWORKS + TOO_LARGE, 60)
        again = run(zygote, FRAMEWORKS, 60)[1]
    assert outcome == "done"
    assert printed.splitlines() == ["True True", "False []", "True"]
    assert again.splitlines() == printed.splitlines()[:2]


WITH_TRITON = """
from autograde.apart import import_triton
triton, tl = import_triton()
import torch
torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1)
@triton.jit
def twice(x, z):
    i = tl.arange(0, 4)
    tl.store(z + i, 2 * tl.load(x + i))
z = torch.empty(4)
twice[(1,)](torch.arange(4.0), z)
print(z.tolist())
"""


def test_a_triton_kernel_runs_where_triton_is_allowed_and_only_there(engine):
    """PyTorch, which looks for Triton by itself, works in both."""
    with Zygote(("torch", "triton"), limits=kernels.Limits()) as zygote:
        assert run(zygote, WITH_TRITON)[:2] == ("done", "[0.0, 2.0, 4.0, 6.0]")
    with Zygote(("torch",), limits=kernels.Limits()) as zygote:
        outcome, said, _ = run(zygote, WITH_TRITON.replace("@", "print('so far')\n@"))
        assert outcome == "done"
        assert said == "so far\ntriton is not here: this is graded without triton."


def test_a_kernel_can_be_interrupted(zygote):
    def interrupt(kind, content):
        if content.get("text", "").strip() == "begun":
            kernel.signal(signal.SIGINT)
        return outputs.take(kind, content)

    kernel, connection = zygote.fork(key="k", judge=None)
    client, outputs = Client(connection, kernel.ended.done), Outputs(10_000)
    assert client.run("print('begun', flush=True)\nwhile True: pass", 10, interrupt) == "done"
    assert outputs.outputs[-1]["ename"] == "KeyboardInterrupt"
    assert client.run("print('still there')", 10, outputs.take) == "done"
    client.close()
    kernel.signal(signal.SIGKILL)


LATE = """
import sys
before = set(sys.modules)
try: 1 / 0
except ZeroDivisionError: get_ipython().showtraceback()
import numpy, autograde.notebook
sys.stdout.write(repr(set(sys.modules) - before))
"""


def test_a_kernel_has_nothing_left_to_import(zygote):
    """What each kernel would import again costs the whole class."""
    _, printed, _ = run(zygote, LATE)
    assert printed.endswith("set()")


# -- how they come and go --


def stages():
    return set(Path(tempfile.gettempdir()).glob(f"{STAGE}*"))


def gone(pids, seconds=10):
    """Return whether all these processes end, or have ended, within some seconds."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(params=[True, False], ids=["sandboxed", "unsandboxed"])
def another(request, engine):
    """A zygote of the test's own, to be ended in one way or another."""
    before = stages()
    zygote = Zygote(sandboxed=request.param)
    yield zygote
    zygote.close()
    assert stages() <= before


def test_closing_the_zygote_ends_its_kernels(another):
    kernels = [another.fork(key="k", judge=None)[0] for _ in range(2)]
    another.close()
    assert gone([another.pid, *(k.pid for k in kernels)])
    assert [k.ended.result(timeout=5) for k in kernels] == [-signal.SIGKILL] * 2
    assert not another.alive


UNBIND = "import ctypes; ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)"


def test_kernels_end_with_a_zygote_that_is_killed(another):
    """Even those that have told the operating system not to."""
    kernel, connection = another.fork(key="k", judge=None)
    client = Client(connection, kernel.ended.done)
    assert client.run(UNBIND, 10, lambda *_: True) == "done"
    client.close()
    assert another.alive
    os.kill(another.pid, signal.SIGKILL)
    assert kernel.ended.result(timeout=10) == -signal.SIGKILL
    assert gone([another.pid, kernel.pid])
    assert not another.alive
    with pytest.raises(RuntimeError, match="start another"):
        another.fork(key="k", judge=None)


ENGINE = """
import sys, time
from autograde.engine.kernels import Zygote
zygote = Zygote(sandboxed=sys.argv[1] == "True")
kernel, _ = zygote.fork(key="k", judge=None)
print(zygote.pid, kernel.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("sandboxed", [True, False])
def test_nothing_is_left_of_an_engine_that_is_killed(engine, sandboxed):
    before = stages()
    command = [sys.executable, "-c", ENGINE, str(sandboxed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    pids = [int(p) for p in process.stdout.readline().split()]
    assert len(pids) == 2
    assert bool(stages() - before) != sandboxed
    process.kill()
    process.communicate()
    assert gone(pids)
    assert stages() <= before


def test_a_zygote_removes_what_the_dead_have_left_and_nothing_else(engine):
    dead, living, other = (Path(tempfile.mkdtemp(prefix=STAGE)) for _ in range(3))
    (dead / "lock").touch()
    with open(living / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Zygote(sandboxed=False).close()
        left = {path for path in (dead, living, other) if path.exists()}
    for path in left:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    assert left == {living, other}


def test_threads_may_fork_at_once(another):
    def answer(number):
        return run(another, f"print({number} * 2)")[:2]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(answer, range(24)))
    assert answers == [("done", str(2 * n)) for n in range(24)]


def test_closing_the_zygote_ends_the_forks_under_way(another):
    said = []

    def fork_on():
        try:
            while True:
                another.fork(key="k", judge=None)
        except RuntimeError as error:
            said.append(str(error))

    threads = [threading.Thread(target=fork_on, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    another.close()
    for thread in threads:
        thread.join(timeout=10)
    assert said == ["the zygote is gone; start another"] * 6


def test_a_kernel_that_cannot_start_is_an_error_and_no_wait(engine):
    with pytest.raises(RuntimeError, match="thread"):
        Zygote(limits=Limits(processes=3))


def test_a_library_that_is_not_there_is_named(engine):
    with pytest.raises(RuntimeError, match="no_such_library"):
        Zygote(("no_such_library",))


# -- where there is no sandbox --


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
        ("user/max_user_namespaces", "99", "Run this as root"),
    ],
)
def test_the_remedy_names_the_setting_that_refuses(tmp_path, monkeypatch, setting, value, said):
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(f"{value}\n")
    monkeypatch.setattr(kernels, "SETTINGS", tmp_path)
    monkeypatch.setattr(kernels, "CONTAINER", ())
    assert said in kernels.remedy()


def test_the_remedy_in_a_container_is_how_to_start_it(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "CONTAINER", (tmp_path,))
    assert "docker run --security-opt seccomp=unconfined" in kernels.remedy()


def test_what_is_not_linux_has_no_sandbox_and_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(kernels.SandboxUnavailable, match="machine with Linux"):
        Zygote()


NO_NAMESPACES = """
from autograde.engine.kernels import SandboxUnavailable, Zygote
try: Zygote()
except SandboxUnavailable as error: print(error)
"""


def test_a_sandbox_that_is_refused_says_what_was_refused(engine):
    """In a user namespace of the test's own, the way in can be closed for this process only."""
    close = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = ["unshare", "-Ur", "sh", "-c", close, "sh", sys.executable, "-c", NO_NAMESPACES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "refused `unshare` (No space left on device)" in done.stdout, done.stderr
    assert "user.max_user_namespaces=10000" in done.stdout
