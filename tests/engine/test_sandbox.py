"""The sandbox holds against every probe; and a probe tells where there is no sandbox."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from autograde.course import ROOT
from autograde.engine import kernels, probes, rootfs
from autograde.engine.client import Client, Outputs
from autograde.engine.execute import Engine

PS = "ps03-transposed-conv-1d"
NAMES = [probe.name for probe in probes.PROBES]
ANYWHERE = {
    "shadowing": "import sys; sys.path.insert(0, '')\n",
    "environment": "os.environ['x'] = token\n",
    "time": "raise SystemExit\n",
    "output": "raise SystemExit\n",
}
"""What kernels without a sandbox have too, and a line that breaks it from within."""


@pytest.fixture(scope="module")
def held(engine):
    """What came of each probe in the sandbox; `engine` makes sure that there is one."""
    return {result.probe.name: result for result in probes.attempts()}


@pytest.mark.parametrize("name", NAMES)
def test_the_sandbox_holds(held, name):
    assert held[name].held, held[name].came


def test_every_probe_tells_where_there_is_no_sandbox(engine):
    """Where there is none, an attempt succeeds, or something besides the sandbox stops it."""
    results = {r.probe.name: r for r in probes.attempts(sandboxed=False)}
    assert set(results) == set(NAMES)
    assert {name for name, r in results.items() if r.held} == set(ANYWHERE), results


@pytest.mark.parametrize("name", ANYWHERE)
def test_what_holds_anywhere_can_be_told_from_what_does_not(engine, name):
    probe = next(p for p in probes.PROBES if p.name == name)
    broken = replace(probe, code=ANYWHERE[name] + probe.code)
    with (
        contextlib.closing(probes.Bait(everywhere=False)) as bait,
        kernels.Zygote(limits=probes.LIMITS, sandboxed=False) as zygote,
    ):
        assert not probes.attempt(broken, zygote, bait).held


AS_LITTLE_AS_A_CONTAINER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for capability in (21, 19):  # CAP_SYS_ADMIN, CAP_SYS_PTRACE
    assert libc.prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
TRY_ALL = """
import json
from autograde.engine import probes
print(json.dumps({r.probe.name: [r.held, r.came] for r in probes.attempts()}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every test is run that way")
def test_user_namespaces_do_where_root_may_not_do_all(engine):
    """Root of a container lacks capabilities, but owns what the machine's root owns."""
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    command = [sys.executable, "-c", AS_LITTLE_AS_A_CONTAINER, TRY_ALL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    came = json.loads(done.stdout or "null")
    assert set(came or ()) == set(NAMES), done.stderr
    assert [(name, said) for name, (held, said) in came.items() if not held] == []


def test_numpy_is_there_and_works(engine):
    source = "import numpy as np; print(np.linalg.inv(np.eye(2) * 2)[0, 0])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    executed = engine.execute(nbformat.writes(notebook).encode(), PS)
    assert executed.outputs[0][0]["text"] == "0.5\n"


BELOW = """
import os, tempfile
with tempfile.TemporaryFile(): print(open({path!r}).read(), os.listdir("/tmp"))
"""


def test_an_environment_below_the_temporary_folder_is_seen(engine, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        library = Path(folder, "library")
        library.write_text("seen")
        others = list(rootfs._shared_libraries())
        binds = [*others, rootfs._bind(library)]
        monkeypatch.setattr(rootfs, "_shared_libraries", lambda: binds)
        with kernels.Zygote() as zygote:
            kernel, connection = zygote.fork(key="k", judge=None)
            client, outputs = Client(connection, kernel.ended.done), Outputs(1000)
            assert client.run(BELOW.format(path=str(library)), 10, outputs.take) == "done"
            client.close()
    assert outputs.outputs[0]["text"] == f"seen ['{library.parent.name}']\n"


def test_any_jupyter_client_can_start_a_warm_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(kernels.kernelspec_directory(tmp_path)))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    try:
        client = NotebookClient(notebook, kernel_name=kernels.KERNEL_NAME)
        client.execute()
    finally:
        kernels.shared_zygote().close()
        kernels._shared = None
    assert notebook.cells[0].outputs[0].text == "42\n"


def test_different_secrets_draw_different_inputs_and_the_same_the_same(tmp_path):
    """A learner's function that writes down what it is asked, through its error message."""
    notebook = nbformat.read(ROOT / "exercises" / PS / f"{PS}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "same_padding-answer":
            cell.source = (
                "seen = []\ndef same_padding(n, k, s):\n    seen.append((n, k, s))\n"
                "    if len(seen) > 20: raise ValueError(str(seen))\n    return 0, 0"
            )
    data = json.dumps(notebook).encode()
    said = []
    for secret in ("one", "one", "two"):
        with Engine(secret, limits=kernels.Limits(cell=5)) as engine:
            verdict = engine.execute(data, PS).graded["same_padding"]
            said.append(str([a["message"] for a in verdict["aspects"]]))
    assert said[0] == said[1] != said[2]
