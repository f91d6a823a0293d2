"""A run that is stopped at any moment, and goes on: as if it had never been stopped."""

import contextlib
import random
import re
import shutil
import signal
import time

import pytest

from autograde import cli, grading
from autograde.course import Course
from tests.running import DONE, Run, contents
from tests.sample_class.hand_in import hand_in

PS = "ps03-transposed-conv-1d"
SLOW = "hana"  # whose functions never end
STOPPED = "autograde: stopped. Run the same command again to go on."


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """The sample class twice over, and the secret that the hidden inputs are drawn from."""
    course = tmp_path_factory.mktemp("class")
    for student in hand_in(course, PS):
        folder = course / "submitted" / student
        if student == SLOW:
            shutil.rmtree(folder)
        else:
            shutil.copytree(folder, course / "submitted" / f"{student}2")
    Course(course).secret()
    return course


@pytest.fixture
def course(submissions, tmp_path):
    """A copy of the class that nobody has graded."""
    return shutil.copytree(submissions, tmp_path / "course")


@pytest.fixture(scope="module")
def uninterrupted(submissions, tmp_path_factory):
    """What a run leaves that nothing disturbs."""
    course = shutil.copytree(submissions, tmp_path_factory.mktemp("uninterrupted") / "course")
    done, printed = Run(course, course.parent).finish()
    assert done == 0, printed
    return contents(course)


def test_killed_at_any_moment_it_goes_on_as_if_it_had_not_been(course, tmp_path, uninterrupted):
    moments, finished = random.Random(5), []
    for number in range(5):
        run = Run(course, tmp_path)
        if number % 2:
            run.until(rf"{moments.randint(1, 3)} of ")
            time.sleep(moments.uniform(0, 0.5))
        else:
            time.sleep(moments.uniform(1, 8))
        run.kill()
        finished += DONE.findall(run.printed)
        assert not list(tmp_path.glob("autograde-*"))
    assert finished
    kept, (code, printed) = len(finished), Run(course, tmp_path).finish()
    assert code == 0, printed
    assert int(re.search(r"(\d+) unchanged", printed)[1]) >= kept
    finished += DONE.findall(printed)
    assert len(finished) == len(set(finished)), "a submission was executed twice"
    assert contents(course) == uninterrupted


def test_ctrl_c_ends_it_with_a_friendly_word_and_it_goes_on(course, tmp_path, uninterrupted):
    finished = []
    for number in (1, 3):
        run = Run(course, tmp_path).until(f"{number} of ").interrupt()
        code, printed = run.finish()
        assert code == 1
        assert "Traceback" not in printed
        assert printed.splitlines()[-1] == STOPPED
        assert [p.name for p in tmp_path.iterdir()] == ["course"]
        assert not (course / ".scratch").exists()
        finished += DONE.findall(printed)
    code, printed = Run(course, tmp_path).finish()
    assert code == 0, printed
    finished += DONE.findall(printed)
    assert len(finished) == len(set(finished))
    assert contents(course) == uninterrupted


def test_a_ctrl_c_that_a_library_has_swallowed_still_counts(course, monkeypatch, capsys):
    graded = []

    def grade(*_, on_progress, **__):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        for number, student in enumerate(("ada", "boris"), 1):
            graded.append(student)
            on_progress(student, number, 2)

    monkeypatch.setattr(grading, "grade_class", grade)
    before = signal.getsignal(signal.SIGINT)
    assert cli.main(["grade", "ps03", "--course", str(course)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == STOPPED
    assert graded == ["ada"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_class_is_graded_by_one_command_at_a_time(course, tmp_path):
    first = Run(course, tmp_path).until("1 of ")
    code, printed = Run(course, tmp_path).finish()
    first.interrupt()
    assert code == 2
    assert "Another `autograde grade` is at work" in printed
    assert not DONE.findall(printed)


def test_a_line_that_a_kill_has_cut_short_costs_no_other(course):
    """The line that comes next must not become part of it."""
    ledger = lambda: grading._Ledger(Course(course), PS)
    ledger().add("emil", {"notebook": b""}, [])
    path = course / "graded.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    ledger().add("ada", {"notebook": b""}, ["something"])
    assert ledger().incidents("ada") == ["something"]
