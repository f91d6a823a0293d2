"""The command line as its users meet it: what it says, its exit codes, and bad input."""

import json
import re
import shutil
import signal
import sys
from pathlib import Path

import nbformat
import pytest

from autograde import cli, course, grading, specs
from autograde.course import EXERCISES, ROOT

PS = "ps03-transposed-conv-1d"
RELEASED = EXERCISES / PS / f"{PS}.ipynb"
COMMANDS = ("release", "check", "grade", "feedback", "export", "doctor")


def run(capsys, *argv):
    """Return the exit code, standard output and standard error of a command."""
    try:
        code = cli.main([str(a) for a in argv])
    except SystemExit as stop:  # argparse
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def files_in(folder):
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


@pytest.fixture
def class_of_two(tmp_path):
    """A course directory with two submissions as released."""
    for student in ("ada", "grace"):
        target = tmp_path / "submitted" / student / PS
        target.mkdir(parents=True)
        shutil.copy(RELEASED, target)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"example: autograde {command}" in out


def test_help_lists_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert set(COMMANDS) <= set(re.findall(r"^    (\w+) ", out, re.M))


BAD_INPUT = {
    "no command": ([], "COMMAND"),
    "unknown command": (["mark"], "mark"),
    "unknown problem set": (["grade", "ps99"], PS),
    "empty problem set": (["release", ""], PS),
    "missing notebook": (["check", "nowhere.ipynb"], "nowhere.ipynb"),
    "folder for a notebook": (["check", "."], "notebook"),
    "no course directory": (["grade", "ps03", "--course", "nowhere"], "--course"),
    "nothing graded yet": (["feedback", "ps03", "--course", "{course}"], "autograde grade"),
    "no gradebook yet": (
        ["export", "--format", "canvas", "--to", "{tmp}/g.csv", "--course", "{course}"],
        "autograde grade",
    ),
    "unknown format": (["export", "--format", "excel", "--to", "g.csv"], "excel"),
    "unknown student": (["grade", "ps03", "--course", "{course}", "--only", "eve"], "eve"),
    "no submissions there": (
        ["grade", "ps03", "--course", "{course}", "--submissions", "{tmp}/empty"],
        "STUDENT",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_exit_code_2_and_changes_nothing(
    capsys, class_of_two, tmp_path_factory, monkeypatch, case
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    argv, named = BAD_INPUT[case]
    argv = [a.format(course=class_of_two, tmp=elsewhere) for a in argv]
    before = files_in(class_of_two), files_in(EXERCISES)
    code, _, err = run(capsys, *argv)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("autograde: ")
    assert named in err
    assert (files_in(class_of_two), files_in(EXERCISES)) == before
    assert not files_in(elsewhere)


def test_an_unknown_student_is_told_who_handed_in(capsys, class_of_two):
    _, _, err = run(capsys, "grade", "ps03", "--course", class_of_two, "--only", "eve")
    assert "ada, grace" in err


def test_a_folder_with_other_things_is_not_a_course(capsys, tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    code, _, err = run(capsys, "grade", "ps03", "--course", tmp_path)
    assert code == 2
    assert "is not a course directory" in err
    code, _, err = run(capsys, "release", "ps03", "--course", tmp_path)
    assert code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"cells": 3, "nbformat": 4}', "\0\1"])
def test_check_says_that_a_notebook_is_unreadable(capsys, tmp_path, content):
    path = tmp_path / "mine.ipynb"
    path.write_text(content)
    code, _, err = run(capsys, "check", path)
    assert code == 2
    assert "mine.ipynb: not a readable notebook" in err
    assert err.count("\n") == 1
    assert path.read_text() == content


def test_check_refuses_a_notebook_of_another_course(capsys, tmp_path):
    path = tmp_path / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    code, _, err = run(capsys, "check", path)
    assert code == 2
    assert "not a problem set of this course" in err


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_grade_refuses_a_release_that_is_missing_or_out_of_date(
    capsys, class_of_two, tmp_path_factory, monkeypatch, state
):
    exercises = tmp_path_factory.mktemp("exercises")
    if state == "stale":
        notebook = json.loads(RELEASED.read_text())
        notebook["metadata"]["autograde"]["source"] = "of last year"
        (exercises / PS).mkdir()
        (exercises / PS / f"{PS}.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(grading, "EXERCISES", exercises)
    before = files_in(class_of_two)
    code, _, err = run(capsys, "grade", "ps03", "--course", class_of_two)
    assert code == 2
    assert f"autograde release {PS}" in err
    assert files_in(class_of_two) == before


@pytest.mark.parametrize("text", [PS, "ps03"])
def test_an_unambiguous_prefix_names_a_problem_set(monkeypatch, text):
    assert course.find_problem_set(text) == PS


def test_an_ambiguous_prefix_lists_what_it_could_mean(monkeypatch):
    monkeypatch.setattr(course, "problem_sets", lambda: [PS, "ps04-transposed-conv-2d"])
    with pytest.raises(course.UsageError, match=r"ps03-.*ps04-"):
        course.find_problem_set("ps0")


def test_check_of_the_starter_says_what_is_to_do_and_leaves_the_file_alone(capsys, tmp_path):
    path = Path(shutil.copy(RELEASED, tmp_path))
    before = path.read_bytes()
    code, out, _ = run(capsys, "check", path)
    assert code == 1
    assert out.count("not started yet") == len(specs.names(PS))
    assert "why_not_inverse: not answered yet" in out
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_default_course_is_outside_version_control():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"{course.Course.directory.relative_to(ROOT)}/" in ignored


def test_ctrl_c_where_nothing_can_be_raised_is_noted_in_silence(monkeypatch):
    class Deleted:
        def __init__(self, do):
            self.do = do

        def __del__(self):
            self.do()

    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: said.append(what.exc_type))
    with cli._interrupts() as seen:
        Deleted(lambda: signal.raise_signal(signal.SIGINT))
        Deleted(lambda: 1 / 0)
    assert seen == [signal.SIGINT]
    assert said == [ZeroDivisionError]
