"""The engine gives honest work what nbgrader gives it, and one bad cell costs one cell."""

import os
import signal
import threading
from dataclasses import replace

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograde import specs
from autograde.course import EXERCISES, Course
from autograde.database import Database
from autograde.engine.execute import MOST_OUTPUT, Engine
from autograde.engine.record import Recorder
from autograde.release import release
from autograde.submission import Unreadable
from tests.sample_class.hand_in import HERE, answers, hand_in, submission

PS = "ps03-transposed-conv-1d"
STUDENTS = sorted(p.stem for p in (HERE / PS).glob("*.py"))
RIGHT = answers(HERE / PS / "ada.py")
FULL = {name: float(specs.get(name).points) for name in specs.names(PS)}


def bytes_of(given):
    return nbformat.writes(submission(PS, given)).encode()


def scores(executed):
    return {name: verdict["score"] for name, verdict in executed.graded.items()}


@pytest.fixture(scope="module")
def recorded(engine, tmp_path_factory):
    """The sample class through the engine and into a gradebook: what ran, and what is held."""
    course = Course(tmp_path_factory.mktemp("course"))
    release(PS, course, into=tmp_path_factory.mktemp("release"))
    ran = {}
    with Database(course.gradebook) as database:
        recorder = Recorder(course, tmp_path_factory.mktemp("submitted"), database)
        for student in hand_in(course.directory, PS):
            data = (course.submitted / student / PS / f"{PS}.ipynb").read_bytes()
            ran[student] = engine.execute(data, PS)
            refused = recorder.record(PS, student, {f"{PS}.ipynb": data}, ran[student])
            assert refused is None
    with Gradebook(course.gradebook, "upsampling-by-hand") as gradebook:
        held = {
            s.student.id: {g.cell.name: g.auto_score for n in s.notebooks for g in n.grades}
            for s in gradebook.assignment_submissions(PS)
        }
    return ran, held


@pytest.mark.parametrize("student", STUDENTS)
def test_the_gradebook_holds_the_judges_record(recorded, student):
    ran, held = recorded
    assert {n: held[student][n] for n in FULL} == scores(ran[student])


@pytest.mark.parametrize("student", STUDENTS)
def test_the_judge_apart_says_what_the_judge_beside_the_function_says(recorded, student):
    """Aspect by aspect and name by name, with the learner's function in this process."""
    scope = {}
    exec("import numpy as np\ndef check(name): pass", scope)
    for text in answers(HERE / PS / f"{student}.py").values():
        try:
            exec(text, scope)
        except (SyntaxError, SystemExit, NameError):
            continue
    for name, verdict in recorded[0][student].graded.items():
        if name not in scope:
            assert verdict["score"] == 0
            continue
        here = specs.get(name).judge(scope[name], seed=11)
        assert verdict["misconception"] == here.misconception
        assert [a["passed"] for a in verdict["aspects"]] == [a.passed for a in here.aspects]


BAD = {
    "ends the process": "import os; os._exit(1)",
    "never ends": "while True: pass",
    "never ends and swallows everything": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "floods": "while True: print('x' * 1000)",
    "crashes the interpreter": "import ctypes; ctypes.string_at(0)",
    "kills all it sees": (
        "import os\ntry: os.kill(-1, 9)\nexcept OSError: pass\nos.kill(1, 9)\nos.abort()"
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_cell_costs_its_own_points_only(engine, how):
    given = RIGHT | {"conv1d_matrix": f"{RIGHT['conv1d_matrix']}\n{BAD[how]}"}
    executed = engine.execute(bytes_of(given), PS)
    assert scores(executed) == FULL | {"conv1d_matrix": 0.0}
    assert executed.incidents


MEMORY = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        x = b"x" * (100 << 20)
        time.sleep(60)
time.sleep(60)
"""


def test_a_limit_that_a_cell_went_over_is_named(engine):
    limits = replace(engine.limits(PS), memory=256 << 20, cell=60.0, notebook=180.0)
    given = RIGHT | {"conv1d_matrix": f"{RIGHT['conv1d_matrix']}\n{MEMORY}"}
    with Engine("a secret", limits=limits) as small:
        executed = small.execute(bytes_of(given), PS)
    assert set(executed.incidents) == {
        "The notebook used more than 0.25 GiB of memory and was stopped."
    }
    assert scores(executed) == FULL | {"conv1d_matrix": 0.0}


@pytest.mark.parametrize("how", ["ends the process", "crashes the interpreter"])
def test_a_function_that_kills_its_kernel_costs_its_own_points_only(engine, how):
    body = BAD[how].replace("; ", "\n    ")
    bad = f"def conv1d_matrix(n, w, stride=1, padding=0):\n    {body}"
    executed = engine.execute(bytes_of(RIGHT | {"conv1d_matrix": bad}), PS)
    assert scores(executed) == FULL | {"conv1d_matrix": 0.0}
    assert "ended its process" in str(executed.graded["conv1d_matrix"]["aspects"])


def test_a_deleted_test_cell_is_graded_all_the_same(engine):
    notebook = submission(PS, RIGHT)
    notebook.cells = [c for c in notebook.cells if c.id != "conv1d"]
    executed = engine.execute(nbformat.writes(notebook).encode(), PS)
    assert scores(executed) == FULL
    assert executed.incidents == ["The test cell of conv1d is missing."]


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"nbformat": 99}'], ids=str
)
def test_what_is_no_notebook_is_said_to_be_unreadable(engine, data):
    with pytest.raises(Unreadable):
        engine.execute(data, PS)


def test_a_cell_shows_what_it_did_where_its_framework_is(engine):
    """Problem set 6 is run without a framework, with PyTorch, and with TensorFlow."""
    name = "ps06-gradients"
    notebook = nbformat.read(EXERCISES / name / f"{name}.ipynb", as_version=4)
    own = [
        "import torch\nprint(torch.ones(2).sum().item())",
        "import tensorflow as tf\nprint(float(tf.ones(3).numpy().sum()))",
        "print(1 / 0)",
    ]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in own]
    outputs = engine.execute(nbformat.writes(notebook).encode(), name).outputs[-3:]
    assert [o["text"] for (o,) in outputs[:2]] == ["2.0\n", "3.0\n"]
    assert outputs[2][0]["ename"] == "ZeroDivisionError"


def test_the_release_itself_earns_nothing(engine):
    data = (EXERCISES / PS / f"{PS}.ipynb").read_bytes()
    assert set(scores(engine.execute(data, PS)).values()) == {0.0}


def test_a_notebook_cannot_ask_for_a_verdict_before_its_time(engine):
    early = f"{RIGHT['conv1d']}\nfrom autograde.notebook import grade\nprint(grade('conv1d'))"
    executed = engine.execute(bytes_of(RIGHT | {"conv1d": early}), PS)
    (refused,) = (o for outputs in executed.outputs for o in outputs if "ename" in o)
    assert "not the time" in refused["evalue"]
    assert scores(executed) == FULL


def test_a_judge_that_has_died_is_replaced(engine):
    before = engine.judge.pid
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert scores(engine.execute(bytes_of(RIGHT), PS)) == FULL
    assert engine.judge.pid != before


def test_a_zygote_that_has_died_is_replaced(engine):
    libraries = specs.get("conv1d").rules.libraries
    before = engine.zygote(libraries, engine.limits(PS))
    os.kill(before.pid, signal.SIGKILL)
    assert scores(engine.execute(bytes_of(RIGHT), PS)) == FULL
    assert engine.zygote(libraries, engine.limits(PS)) is not before


def test_a_judge_that_dies_on_the_way_costs_nobody_anything(engine):
    """It dies while it waits for a slow answer, of which there is plenty of time."""
    before, slow = engine.judge.pid, f"import time\ntime.sleep(2)\n{RIGHT['conv1d']}"
    killer = threading.Timer(1, os.kill, (before, signal.SIGKILL))
    killer.start()
    executed = engine.execute(bytes_of(RIGHT | {"conv1d": slow}), PS)
    killer.join()
    assert scores(executed) == FULL
    assert engine.judge.pid != before


def test_all_cells_together_show_no_more_than_a_notebook_can_hold(engine):
    most = engine.limits(PS).output
    cells = [nbformat.v4.new_code_cell(f"print('x' * {most * 4 // 5})") for _ in range(40)]
    notebook = nbformat.v4.new_notebook(cells=[*cells, *submission(PS, RIGHT).cells])
    executed = engine.execute(nbformat.writes(notebook).encode(), PS)
    shown = len(executed.to_bytes())
    assert MOST_OUTPUT - 1 < shown / most < MOST_OUTPUT + 1
    assert scores(executed) == FULL


CLOSED = "import os\nos.closerange(3, 256)"


def test_an_answer_that_cuts_the_way_to_the_judge_costs_itself(engine):
    """The way is gone for every exercise after it, until each is run without the others."""
    given = RIGHT | {"same_padding": f"{RIGHT['same_padding']}\n{CLOSED}"}
    assert scores(engine.execute(bytes_of(given), PS)) == FULL | {"same_padding": 0.0}


SEEN = """
_{name} = {name}
def {name}(*args, **kwargs):
    if "{name}" not in seen:
        seen.append("{name}")
    return _{name}(*args, **kwargs)
"""


def test_exercises_are_graded_in_the_releases_order_in_whatever_order_they_stand(engine):
    """What a later exercise is given could otherwise help with an earlier one."""
    notebook = submission(PS, {n: f"{RIGHT[n]}{SEEN.format(name=n)}" for n in FULL})
    tests = [c for c in notebook.cells if c.id in FULL]
    others = [c for c in notebook.cells if c.id not in FULL]
    begin, end = (nbformat.v4.new_code_cell(text) for text in ("seen = []", "print(*seen)"))
    notebook.cells = [*others, begin, *reversed(tests), end]
    executed = engine.execute(nbformat.writes(notebook).encode(), PS)
    assert scores(executed) == FULL
    assert executed.outputs[-1][0]["text"].split() == list(FULL)
