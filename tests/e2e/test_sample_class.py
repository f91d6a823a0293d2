"""The sample class goes through nbgrader, twice: by `autograde grade` and by nbgrader alone."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from autograde import specs
from autograde.course import ROOT
from autograde.grading import verdicts_in
from autograde.reading import reading
from tests.sample_class.hand_in import hand_in

PS = "ps03-transposed-conv-1d"
BIN = Path(sys.executable).parent
FULL = {name: float(specs.get(name).points) for name in specs.names(PS)}

# What each made-up student holds, told apart by the judge and by nothing else.
MISCONCEPTIONS = {
    "ada": {},
    "boris": {},
    "chen": {
        "conv1d": "flipped-kernel",
        "same_padding": "larger-half-in-front",
        "conv1d_matrix": "padding-kept-as-columns",
        "predict_transposed_length": "length-is-n-times-stride",
        "conv_transpose1d_scatter": "overlap-overwritten",
        "conv_transpose1d_gather": "tap-index-below-zero",
        "conv_transpose1d_zero_insert": "flip-forgotten",
        "polyphase_split": "consecutive-pieces",
        "conv_transpose1d_polyphase": "flip-forgotten",
    },
    "dalia": {"conv1d_matrix": "padding-ignored"},
    "emil": {},
    "fatima": {},
    "goran": {"predict_transposed_length": "output-padding-ignored"},
    "hana": {},
}


def autograde(*arguments):
    """Run the command line in a process of its own, with nothing on PATH but the system's."""
    environment = {**os.environ, "PATH": os.defpath, "COLUMNS": "120"}
    command = [BIN / "autograde", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def scores(course):
    """Return {student: {part: automatic score}} from the gradebook."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "upsampling-by-hand") as gradebook:
        return {
            s.student.id: {g.cell.name: g.auto_score for n in s.notebooks for g in n.grades}
            for s in gradebook.assignment_submissions(PS)
        }


def verdicts(course, student):
    path = course / "autograded" / student / PS / f"{PS}.ipynb"
    return {v["exercise"]: v for v in verdicts_in(path)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The sample class, graded by `autograde grade`: the course and what was printed."""
    course = tmp_path_factory.mktemp("course")
    students = hand_in(course, PS)
    assert set(students) == set(MISCONCEPTIONS)
    done = autograde("grade", "ps03", "--course", course)
    assert done.returncode == 0, done.stdout + done.stderr
    return course, done


@pytest.fixture(scope="module")
def plain(graded, tmp_path_factory):
    """The same submissions, graded by nbgrader's own commands from the repository root."""
    course = tmp_path_factory.mktemp("plain")
    shutil.copytree(graded[0] / "submitted", course / "submitted")
    places = [
        f"--CourseDirectory.{step}_directory={course / step}"
        for step in ("submitted", "autograded", "feedback", "release")
    ]
    places.append(f"--CourseDirectory.db_url=sqlite:///{course}/gradebook.db")
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for command in (["generate_assignment", PS], ["autograde", PS, "--create"]):
        done = subprocess.run(
            [BIN / "nbgrader", *command, *places],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return course


def test_right_answers_earn_everything_however_they_are_written(graded):
    found = scores(graded[0])
    for student in ("ada", "boris"):
        assert {name: found[student][name] for name in FULL} == FULL


def test_an_untouched_notebook_earns_nothing(graded):
    assert set(scores(graded[0])["emil"].values()) == {0.0}


@pytest.mark.parametrize("student", MISCONCEPTIONS)
def test_each_misconception_is_named_and_no_other(graded, student):
    found = {n: v["misconception"] for n, v in verdicts(graded[0], student).items()}
    assert {n: m for n, m in found.items() if m} == MISCONCEPTIONS[student]


@pytest.mark.parametrize("student", MISCONCEPTIONS)
def test_the_gradebook_holds_what_the_judge_said(graded, student):
    course, _ = graded
    said = {name: v["score"] for name, v in verdicts(course, student).items()}
    held = scores(course)[student]
    assert said
    for name in FULL:
        assert held[name] == said.get(name, 0.0)


def test_a_crash_or_an_endless_loop_in_one_cell_costs_that_cell_only(graded):
    found = scores(graded[0])
    assert found["goran"]["conv1d"] == 0  # a syntax error
    assert found["goran"]["same_padding"] == FULL["same_padding"]
    assert found["hana"]["same_padding"] == 0  # never ends, and swallows every exception
    assert found["hana"]["conv_transpose1d_scatter"] == FULL["conv_transpose1d_scatter"]
    passed = {a["name"] for a in verdicts(graded[0], "hana")["conv1d"]["aspects"] if a["passed"]}
    assert "stride 1" in passed
    assert "stride > 1" not in passed  # there it never ends
    assert 0 < found["fatima"]["conv1d"] < FULL["conv1d"]  # raises with padding only
    assert found["fatima"]["conv_transpose1d_scatter"] == 0


def test_right_numbers_by_too_much_work_cost_the_points_for_the_work_only(graded):
    found = scores(graded[0])["hana"]
    assert found["polyphase_split"] == FULL["polyphase_split"]
    verdict = verdicts(graded[0], "hana")["conv_transpose1d_polyphase"]
    missed = [a for a in verdict["aspects"] if not a["passed"]]
    assert [a["name"] for a in missed] == ["no more multiplications than needed"]
    assert "multiplied 32 times. 16 times is enough" in verdict["message"]
    assert found["conv_transpose1d_polyphase"] == FULL["conv_transpose1d_polyphase"] - 2


def test_the_words_fit_the_failure(graded):
    course, _ = graded
    crash = verdicts(course, "fatima")
    assert "NameError" in crash["same_padding"]["message"]
    assert "total // 2" in crash["same_padding"]["message"]  # her own line
    assert "did not finish within" in verdicts(course, "hana")["same_padding"]["message"]
    assert "no function called conv1d" in verdicts(course, "goran")["conv1d"]["message"]
    assert not verdicts(course, "emil")["conv1d"]["started"]


def test_an_open_question_waits_for_a_human_unless_nobody_answered(graded):
    found = scores(graded[0])
    assert found["ada"]["why_not_inverse"] is None
    assert found["emil"]["why_not_inverse"] == 0


def test_the_table_shows_everybody_and_the_points(graded):
    course, done = graded
    for student, parts in scores(course).items():
        (row,) = re.findall(rf"^│ {student} +│(.*)│$", done.stdout, re.M)
        assert f"{sum(v or 0 for v in parts.values()):g}" in row.split("│")[-2]
    assert str(course / "gradebook.db") in done.stdout
    assert done.stderr == ""


def test_the_same_command_again_grades_nothing_twice(graded):
    course, _ = graded
    notebooks = {p: p.stat().st_mtime_ns for p in course.glob("autograded/*/*/*.ipynb")}
    before = scores(course)
    done = autograde("grade", "ps03", "--course", course)
    assert done.returncode == 0
    assert "8 unchanged" in done.stdout
    assert {p: p.stat().st_mtime_ns for p in course.glob("autograded/*/*/*.ipynb")} == notebooks
    assert scores(course) == before


def test_plain_nbgrader_gives_every_part_the_same_score(graded, plain):
    ours, theirs = scores(graded[0]), scores(plain)
    assert theirs == ours


@pytest.fixture(scope="module")
def pages(graded):
    """The students' feedback pages."""
    course, _ = graded
    done = autograde("feedback", "ps03", "--course", course)
    assert done.returncode == 0, done.stderr
    return {p.parent.parent.name: p for p in course.glob(f"feedback/*/{PS}/{PS}.html")}


def test_feedback_names_the_misconception_on_the_students_own_page(pages):
    assert set(pages) == set(MISCONCEPTIONS)
    for student, held in MISCONCEPTIONS.items():
        page = BeautifulSoup(pages[student].read_text(encoding="utf-8"), "html.parser")
        text = page.get_text()
        for exercise, name in held.items():
            (spec,) = [m for m in specs.get(exercise).misconceptions if m.name == name]
            assert spec.title in text
            assert spec.message in text
            assert reading(spec.section).words in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("student", ["chen", "fatima", "goran"])
def test_feedback_can_be_read_on_a_phone_by_day_and_by_night(pages, browser, student, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[student].as_uri())
    found = Axe().run(page).response["violations"]
    # axe takes a formula for no text, so a heading that is one for an empty heading.
    assert [v for v in found if v["id"] != "empty-table-header"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert asked == [pages[student].as_uri()]
    context.close()


@pytest.mark.parametrize(
    ("kind", "who", "grade"),
    [
        ("nbgrader", "student_id", "score"),
        ("canvas", "SIS Login ID", PS),
        ("moodle", "Username", PS),
    ],
)
def test_exports_hold_the_gradebooks_totals(graded, tmp_path, kind, who, grade):
    course, _ = graded
    path = tmp_path / "grades.csv"
    done = autograde("export", "--format", kind, "--to", path, "--course", course)
    assert done.returncode == 1, done.stderr  # some answers are still to be marked
    assert re.search(rf"^not final: ada \({PS}\) waits for why_not_inverse", done.stdout, re.M)
    assert "emil" not in done.stdout
    with path.open(newline="", encoding="utf-8") as file:
        rows = {row[who]: float(row[grade]) for row in csv.DictReader(file) if row[who]}
    assert rows == {s: sum(v or 0 for v in p.values()) for s, p in scores(course).items()}


def test_a_learner_who_is_done_is_told_so(graded):
    course, _ = graded
    done = autograde("check", course / "submitted" / "ada" / PS / f"{PS}.ipynb")
    assert done.returncode == 0, done.stdout
    assert "8 of 8 exercises pass their visible checks, 1 answer is noted." in done.stdout


def test_what_cannot_be_graded_is_listed_with_its_reason_and_the_rest_is_graded(tmp_path):
    hand_in(tmp_path, PS)
    for student in MISCONCEPTIONS.keys() - {"ada", "emil", "goran"}:
        shutil.rmtree(tmp_path / "submitted" / student)
    notebook = tmp_path / "submitted" / "{}" / PS / f"{PS}.ipynb"
    broken = Path(str(notebook).format("broken"))
    broken.parent.mkdir(parents=True)
    broken.write_text('{"cells": [')
    absent = Path(str(notebook).format("absent")).parent
    absent.mkdir(parents=True)
    (absent / "homework.ipynb").write_text("{}")
    dead = Path(str(notebook).format("emil"))
    killed = nbformat.read(dead, as_version=4)
    killed.cells[1].source = "import os; os._exit(1)"
    nbformat.write(killed, dead)

    done = autograde("grade", "ps03", "--course", tmp_path)
    assert done.returncode == 1
    listed = done.stdout[done.stdout.index("Could not be graded") :]
    assert re.search(r"absent: no notebook .* It has homework\.ipynb", listed)
    assert re.search(r"broken: .*not a readable notebook", listed)
    assert "emil: A cell ended the kernel." in done.stdout
    assert set(scores(tmp_path)["emil"].values()) == {0.0}
    assert scores(tmp_path)["ada"]["conv1d"] == FULL["conv1d"]
    assert scores(tmp_path)["goran"]["same_padding"] == FULL["same_padding"]

    # Mended and handed in again, only these are graded.
    shutil.copy(Path(str(notebook).format("ada")), broken)
    done = autograde("grade", "ps03", "--course", tmp_path)
    assert done.returncode == 1
    assert "3 unchanged" in done.stdout
    assert scores(tmp_path)["broken"] == scores(tmp_path)["ada"]


def test_late_and_resubmitted_work_is_taken_as_nbgrader_takes_it(tmp_path):
    """A time stamp beside the notebook, a due date in the gradebook, then a second hand-in."""
    hand_in(tmp_path, PS)
    for student in MISCONCEPTIONS.keys() - {"ada", "emil"}:
        shutil.rmtree(tmp_path / "submitted" / student)
    folder = tmp_path / "submitted" / "ada" / PS
    (folder / "timestamp.txt").write_text("2026-11-02 10:00:00 UTC")
    assert autograde("grade", "ps03", "--course", tmp_path, "--only", "emil").returncode == 0
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "upsampling-by-hand") as gradebook:
        gradebook.update_or_create_assignment(PS, duedate="2026-11-01 10:00:00 UTC")
    assert autograde("grade", "ps03", "--course", tmp_path).returncode == 0

    def late():
        with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "upsampling-by-hand") as gradebook:
            students = gradebook.assignment_submissions(PS)
            return {s.student.id: s.total_seconds_late for s in students}

    assert late() == {"ada": 24 * 3600.0, "emil": 0.0}

    first = scores(tmp_path)["ada"]
    shutil.copy(tmp_path / "submitted" / "emil" / PS / f"{PS}.ipynb", folder)
    (folder / "timestamp.txt").write_text("2026-11-01 09:59:00 UTC")
    done = autograde("grade", "ps03", "--course", tmp_path)
    assert "1 unchanged" in done.stdout
    assert late() == {"ada": 0.0, "emil": 0.0}
    assert sum(first[name] for name in FULL) > sum(scores(tmp_path)["ada"][n] for n in FULL) == 0
