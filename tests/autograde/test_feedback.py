"""The feedback page: what it says of each part, and that it needs nothing but itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from autograde import reading as reading_module
from autograde import specs
from autograde.course import ROOT, Course
from autograde.feedback import mathml
from autograde.reading import reading
from autograde.release import TEST_CELL
from autograde.verdict import AspectVerdict, Verdict

PS = "ps03-transposed-conv-1d"
SPEC = specs.get("conv1d")
WRONG = SPEC.misconceptions[0]
HOSTILE = "<script>alert(1)</script><img src='https://elsewhere.example/x.png'>"


def mark(grade_id, **roles):
    roles = {"grade": False, "solution": False, "task": False, "locked": False} | roles
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3} | roles}


def graded_notebook(fn, answer):
    """Return what nbgrader's autograding leaves: one exercise, one question in words."""
    verdict = SPEC.judge(fn)
    cells = [
        new_markdown_cell("# Problem set: a *small* one\n\nWith $x_0$ and $\\lceil n/s \\rceil$."),
        new_code_cell(
            "1 / 0",
            outputs=[
                new_output(
                    "error",
                    ename="ZeroDivisionError",
                    evalue="division by zero",
                    traceback=["\x1b[31mTraceback\x1b[39m", "line <1>"],
                )
            ],
        ),
        new_markdown_cell("## 1. The first\n\n| | $z_0$ |\n|---|---|\n| a | 1 |"),
        new_code_cell("def conv1d(): ...", metadata=mark("conv1d-answer", solution=True)),
        new_code_cell(
            TEST_CELL.format(name="conv1d"),
            metadata=mark("conv1d", grade=True, locked=True, points=5),
            outputs=[
                new_output("display_data", verdict._repr_mimebundle_()),
                new_output("execute_result", {"text/plain": f"{verdict.score}"}),
            ],
        ),
        new_markdown_cell("## 2. In words"),
        new_markdown_cell(answer, metadata=mark("why", grade=True, solution=True, points=3)),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return verdict, new_notebook(cells=cells)


def hand_back(
    directory,
    fn=WRONG.fn,
    answer="Because.",
    *,
    by_hand=None,
    comment=None,
    overruled=None,
    **student,
):
    """Put one graded submission into a new course and return the course."""
    course = Course(directory)
    course.nbgrader()
    verdict, notebook = graded_notebook(fn, answer)
    path = course.autograded / "kim" / PS / f"{PS}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    with Gradebook(course.gradebook, "upsampling-by-hand") as book:
        book.add_assignment(PS)
        book.add_notebook(PS, PS)
        for name, points, kind in (("conv1d", 5, "code"), ("why", 3, "markdown")):
            book.add_grade_cell(name, PS, PS, max_score=points, cell_type=kind)
        for name in ("conv1d-answer", "why"):
            book.add_solution_cell(name, PS, PS)
        book.add_student("kim", **student)
        book.add_submission(PS, "kim")
        conv1d = book.find_grade("conv1d", PS, PS, "kim")
        conv1d.needs_manual_grade, conv1d.auto_score = False, verdict.score
        conv1d.manual_score = overruled
        why = book.find_grade("why", PS, PS, "kim")
        why.needs_manual_grade, why.manual_score = True, by_hand
        book.find_comment("why", PS, PS, "kim").manual_comment = comment
        book.db.commit()
    return course


def page_of(course):
    done = course.nbgrader().generate_feedback(PS, force=True)
    assert done["success"], done
    return read(course)


def read(course):
    (path,) = course.feedback.glob("kim/*/*.html")
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def text(tag):
    return " ".join(tag.get_text(" ").split())


def rows(page):
    return [[text(c) for c in row.find_all(["th", "td"])] for row in page.select("tbody tr")]


def summary(page):
    return text(page.select_one(".summary"))


# -- what it says --------------------------------------------------------------------------


def test_the_overview_names_each_exercise_and_how_it_stands(tmp_path):
    page = page_of(hand_back(tmp_path))
    assert rows(page)[:2] == [
        ["1. The first", "0 of 5", f"✗ not right yet: {WRONG.title}"],
        ["2. In words", "– of 3", "… not marked yet"],
    ]
    assert text(page.h1) == "Problem set: a small one"
    assert len(page.find_all("h1")) == 1
    assert summary(page) == "kim: 0 of 8 points, 1 part still to be marked by hand."
    for link in page.select(".overview a"):
        assert page.find(id=link["href"].removeprefix("#")), link


def test_what_was_marked_by_hand_is_shown_with_its_comment(tmp_path):
    page = page_of(
        hand_back(
            tmp_path,
            SPEC.solution,
            by_hand=2,
            comment="Good, but $x$?",
            first_name="Kim",
            last_name="Lee",
        )
    )
    assert [row[1:] for row in rows(page)[:2]] == [
        ["5 of 5", "✓ right"],
        ["2 of 3", "◐ partly right"],
    ]
    assert summary(page) == "Kim Lee (kim): 7 of 8 points."
    assert "Good, but" in text(page.select_one(".comment"))
    assert page.select_one(".comment math")


def test_what_nobody_began_is_called_so_and_not_wrong(tmp_path):
    def unwritten(x, w, stride=1, padding=0):
        raise NotImplementedError

    course = hand_back(tmp_path, unwritten, by_hand=0, comment="No response.")
    page = page_of(course)
    assert [row[2] for row in rows(page)[:2]] == ["○ not started", "○ not answered"]
    assert not page.select(".comment")


def test_a_test_cell_shows_its_verdict_and_nothing_else(tmp_path):
    page = page_of(hand_back(tmp_path))
    shown = page.find(id="conv1d")
    assert text(shown) == text(BeautifulSoup(SPEC.judge(WRONG.fn).to_html(), "html.parser"))
    for word in ("HIDDEN", "grade(", "Out[", "In ["):
        assert word not in page.get_text()


def test_a_teacher_who_overrules_the_judge_has_the_last_word(tmp_path):
    page = page_of(hand_back(tmp_path, overruled=4))
    assert rows(page)[0][1] == "4 of 5"
    assert text(page.find(id="conv1d")).endswith("4 of 5 points, marked by hand.")


def test_an_error_is_one_line_that_opens(tmp_path):
    error = page_of(hand_back(tmp_path)).select_one("details.error")
    assert text(error.summary) == "ZeroDivisionError: division by zero"
    assert error.pre.get_text() == "Traceback\nline <1>"


# -- what it needs -------------------------------------------------------------------------


def test_the_page_asks_nothing_of_any_host_and_runs_no_script(tmp_path):
    page = page_of(hand_back(tmp_path))
    assert not page.find_all(["script", "link", "iframe"])
    assert not page.find_all(src=re.compile("//"))
    assert "@import" not in str(page.style)
    assert "url(" not in str(page.style)


def test_what_a_learner_wrote_may_not_run_or_call_elsewhere(tmp_path):
    page = page_of(hand_back(tmp_path, answer=HOSTILE))
    meta = page.find("meta", {"http-equiv": "Content-Security-Policy"})
    policy = dict(rule.strip().split(" ", 1) for rule in meta["content"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert not re.search(r"https?:|\*", policy["img-src"])
    before = str(page)[: str(page).index("<script")]
    assert "Content-Security-Policy" in before, "the policy stands before what it is for"


def test_formulas_are_mathml():
    assert "<msub>" in mathml("x_0")
    assert mathml(r"(1, \dots, n)").startswith("<math")
    two = BeautifulSoup(mathml(r"a = 1, \qquad b = 2", block=True), "html.parser")
    assert len(two.select(".formula > math")) == 2, "a narrow page breaks it between the two"
    matrix = mathml(r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", block=True)
    assert matrix.count("<mtr>") == 2


def test_every_formula_of_the_problem_sets_is_known():
    known = 0
    for path in ROOT.glob("exercises/*/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        formulas = re.findall(r"(?s)\$\$.+?\$\$|\$[^$]+?\$", re.sub(r"`[^`]+`", "", prose))
        for tex in formulas:
            assert "<code>" not in mathml(tex.strip("$")), tex
            known += 1
    assert known


def test_a_formula_that_is_not_known_is_shown_as_written():
    assert mathml(r"\frobnicate{<b>}") == r"<code>\frobnicate{&lt;b&gt;}</code>"


def test_the_page_says_the_same_when_plain_nbgrader_writes_it(tmp_path):
    course = hand_back(tmp_path)
    ours = str(page_of(course))
    places = [f"--CourseDirectory.db_url={course.gradebook}"]
    for step in ("submitted", "autograded", "feedback"):
        places.append(f"--CourseDirectory.{step}_directory={course.directory / step}")
    done = subprocess.run(
        [Path(sys.executable).parent / "nbgrader", "generate_feedback", PS, "--force", *places],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(read(course)) == ours


# -- where to read -------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of one chapter in another place."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_text("title: T\nhtml:\n  favicon: f.svg\nsphinx:\n  x: y\n")
    (tmp_path / "book" / "page.md").write_text(
        "---\na: b\n---\n\n```{code-cell}\n# no title\n```\n\n# The *page*\n\n"
        "(here)=\n## `code` and more\n\n(top)=\nText.\n"
    )
    monkeypatch.setattr(reading_module, "ROOT", tmp_path)
    reading.cache_clear()
    yield tmp_path
    reading.cache_clear()


def test_a_place_is_named_by_its_chapter_and_section(book):
    place = reading("book/page#here")
    assert str(place) == "The page, section “code and more” (book/page.html#here)"
    assert not place.link
    assert reading("book/page#nowhere").words == "The page"


def test_a_published_book_is_linked(book):
    config = (book / "_config.yml").read_text()
    site = "  # where it is\n  baseurl: https://example.org/course\n"
    (book / "_config.yml").write_text(config.replace("html:\n", f"html:\n{site}"))
    aspect = AspectVerdict("a", 1, False, "T: m\nf() is 1.", "slug", "book/page#here")
    (link,) = BeautifulSoup(Verdict("e", "E", (aspect,)).to_html(), "html.parser").find_all("a")
    assert link["href"] == "https://example.org/course/book/page.html#here"
    assert link.get_text() == "The page, section “code and more”"


def test_without_the_book_the_reference_stands_for_itself(book):
    assert str(reading("book/absent#label")) == "book/absent#label"


@pytest.mark.parametrize("name", specs.names())
def test_every_section_that_a_verdict_points_to_has_a_title(name):
    for wrong in specs.get(name).misconceptions:
        place = reading(wrong.section)
        assert "section “" in place.words, wrong.section
        assert place.address.endswith(wrong.section.replace("#", ".html#"))
