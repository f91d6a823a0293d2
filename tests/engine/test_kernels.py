"""Kernels: what all the processes of one may use together, and how they come and go."""

import pytest

from autograde.engine.client import Client, Outputs
from autograde.engine.kernels import Limits, Zygote

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
    client = Client(connection | {"key": "k"}, kernel.ended.done)
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
