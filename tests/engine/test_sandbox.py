"""What a submission finds around it, and what it cannot do there."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from autograde.course import ROOT
from autograde.engine import kernels
from autograde.engine.execute import Engine

PS = "ps03-transposed-conv-1d"


def run(engine, *sources):
    """Run code cells in a sandbox; return what each printed, errors as `Name: text`."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    executed = engine.execute(nbformat.writes(notebook).encode(), PS)
    return [
        "".join(o.get("text") or f"{o['ename']}: {o['evalue']}" for o in outputs)
        for outputs in executed.outputs
    ]


def test_there_is_no_network(engine):
    server = "import socket; s = socket.socket(); s.settimeout(2); s.connect(('127.0.0.1', {}))"
    with __import__("socket").create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (said,) = run(engine, server.format(port))
    assert "OSError" in said or "ConnectionRefused" in said


@pytest.mark.parametrize(
    "path",
    [ROOT / "solutions", ROOT / "autograde" / "specs", ROOT / "pyproject.toml", Path.home()],
    ids=lambda p: p.name,
)
def test_what_is_not_its_own_does_not_exist(engine, path):
    inside = f"import os; print(os.path.exists({str(path / '.')!r}) and os.listdir({str(path)!r}))"
    (said,) = run(engine, inside)
    entries = [] if said.strip() == "False" else eval(said)
    assert not set(entries) - {".venv", ".pyenv"}


@pytest.mark.parametrize("name", ["autograde.specs", "autograde.judge", "nbgrader", "jupytext"])
def test_there_is_no_judge_to_import(engine, name):
    (said,) = run(engine, f"import {name}")
    assert "ModuleNotFoundError" in said


@pytest.mark.parametrize("name", ["torch", "tensorflow", "scipy", "torch.nn.functional"])
def test_a_framework_can_be_imported_but_there_is_nothing_in_it(engine, name):
    """A forgotten import costs nothing; a call finds nobody."""
    used = f"import {name} as framework\nprint('on')\nframework.conv1d"
    called = f"import {name} as framework\nframework(1)"
    taken = f"from {name} import conv1d\nconv1d(1)"
    said = run(engine, used, called, taken)
    assert said[0].startswith("on\n")
    assert all(f"is not here: this is graded without {name.split('.')[0]}" in s for s in said)


def test_numpy_is_there_and_works(engine):
    (said,) = run(engine, "import numpy as np; print(np.linalg.inv(np.eye(2) * 2)[0, 0])")
    assert said == "0.5\n"


def test_it_is_nobody_with_no_capability_in_a_process_space_of_its_own(engine):
    (said,) = run(
        engine,
        "import os\nprint(os.getpid(), sorted(p for p in os.listdir('/proc') if p.isdigit()))\n"
        "print([l for l in open('/proc/self/status') if l.startswith(('CapEff', 'NoNew'))])",
    )
    assert said.startswith("1 ['1']")
    assert "0000000000000000" in said
    assert r"NoNewPrivs:\t1" in said


@pytest.mark.parametrize(
    "path", ["/x", "/etc/x", "/usr/lib/x", "/dev/x", "/proc/sys/kernel/hostname"]
)
def test_it_can_write_nowhere_but_in_its_scratch(engine, path):
    said = run(engine, f"open({path!r}, 'w').close()", "open('./mine', 'w').close()")
    assert "Error" in said[0]
    assert said[1] == ""


def test_nothing_it_writes_reaches_the_next(engine):
    write = "import os\nopen('numpy.py', 'w').write('1/0')\nos.mkdir('/tmp/.home/x')"
    assert run(engine, write) == [""]
    said = run(engine, "import os; print(os.listdir('.'), os.listdir('/tmp/.home'))")
    assert "numpy.py" not in said[0]
    assert "'x'" not in said[0]


def test_it_cannot_fill_the_disk_the_memory_or_the_process_table(engine):
    disk = "for i in range(40):\n    open(f'f{i}', 'wb').write(bytes(8 << 20))"
    memory = "x = bytearray(4 << 30)"
    fork = (
        "import os, time\nn = 0\ntry:\n    for n in range(500):\n"
        "        if os.fork() == 0: time.sleep(60)\n"
        "except OSError as e: print(n < 64)"
    )
    said = run(engine, disk, memory, fork)
    assert "No space left" in said[0] or "too large" in said[0]
    assert "MemoryError" in said[1]
    assert said[2] == "True\n"


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
