"""The bank of attacks is graded as one class, with honest students among them."""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograde.course import ROOT, Course, UsageError
from autograde.submission import notebook_in
from tests.attacks import bank, ours, plain

# What nbgrader says of cells with one and the same id.
pytestmark = pytest.mark.filterwarnings("ignore:Non-unique cell id")
PS = bank.PROBLEM_SET
ATTACKS = bank.attacks()


def only(*kinds):
    """Run a test on each attack of these kinds."""
    chosen = [a for a in ATTACKS if a.kind in kinds]
    return pytest.mark.parametrize("attack", chosen, ids=lambda a: a.name)


@dataclass
class Graded:
    """The bank's course, what came of each attack, and what was there before and after."""

    course: Course
    results: dict
    before: dict
    after: dict
    left: list


def surroundings():
    """Return size and time of every file that a submission has no business with."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    paths += [p for p in Path.home().iterdir() if p.is_file()]
    paths += [p for p in Path.home().glob(".i*/**/startup/*")]
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in paths if p.is_file()}


def processes():
    """Return this process's children, and whatever runs in a sandbox made below `tempdir`."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            walled = tempfile.gettempdir() in (path / "mountinfo").read_text()
            if parent == os.getpid() or walled:
                found.add((path.name, (path / "cmdline").read_bytes()))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Everything, graded once. Where there is no sandbox the tests skip; in CI they fail."""
    folder, temporary = tmp_path_factory.mktemp("bank"), tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        before, running = surroundings(), processes()
        try:
            results = ours.grade_bank(folder)
        except UsageError as error:
            say = pytest.fail if os.environ.get("CI") else pytest.skip
            say(str(error))
        left = [*(processes() - running), *temporary.iterdir()]
        return Graded(Course(folder), results, before, surroundings(), left)


@only(*bank.KINDS)
def test_nothing_unearned_is_paid(graded, attack):
    assert graded.results[attack.name]["paid"] == 0


@only(*bank.KINDS)
def test_nothing_leaks(graded, attack):
    assert "leaked" not in graded.results[attack.name]["note"]


@only("harm")
def test_harm_costs_no_other_answer(graded, attack):
    assert graded.results[attack.name]["lost"] == 0
    assert "was not graded" not in graded.results[attack.name]["note"]


REASON = re.compile(r"was not graded: (not a readable notebook: |no notebook |its time stamp )\S.+")


@only("format")
def test_a_broken_notebook_costs_nothing_or_is_listed_with_its_reason(graded, attack):
    result = graded.results[attack.name]
    if "was not graded" in result["note"]:
        assert REASON.fullmatch(result["note"])
        assert result["note"].isprintable()
        assert bank.scores_in(graded.course.gradebook_file, ours.student(attack)) == {}
    else:
        assert result["lost"] == 0


def test_whoever_is_honest_gets_full_marks(graded):
    gradebook = graded.course.gradebook_file
    found = {name: bank.scores_in(gradebook, name) for name in ours.honest_students()}
    assert found == dict.fromkeys(found, bank.HONEST)
    assert len(found) > 10


def test_nothing_is_left_behind_or_changed(graded):
    assert graded.left == []
    assert graded.after == graded.before


ENDED = "A cell ended the kernel."
LATE = "A cell did not finish in its time and was stopped."
FLOODED = "A cell printed far too much and was stopped."
SEEN = {
    "aborted": ENDED,
    "exit_in_the_call": ENDED,
    "exit_in_the_cell": ENDED,
    "segmentation_fault": ENDED,
    "stack_overflow": ENDED,
    "thread_ends_a_later_cell": ENDED,
    "loop_in_the_cell": LATE,
    "loop_with_signals_blocked": LATE,
    "slow_everywhere": LATE,
    "comm_flood": FLOODED,
    "error_stream_flood": FLOODED,
    "message_of_many_parts": FLOODED,
    "small_printed_flood": FLOODED,
    "thread_floods_a_later_cell": FLOODED,
}


@pytest.mark.parametrize("name", SEEN)
def test_the_instructor_sees_what_stopped_an_attack(graded, name):
    assert SEEN[name] in graded.results[f"harm/{name}"]["note"]


def test_the_committed_results_are_those_found(graded):
    committed = json.loads(ours.RESULTS.read_text(encoding="utf-8"))
    points = [
        {name: (r["paid"], r["lost"]) for name, r in results.items()}
        for results in (committed, graded.results)
    ]
    assert points[0] == points[1]
    assert set(committed) == set(json.loads(plain.RESULTS.read_text(encoding="utf-8")))


def test_the_command_lists_what_could_not_be_graded_and_what_happened(graded):
    command = [sys.executable, "-m", "autograde.cli", "grade", "ps03", "--course"]
    done = subprocess.run(
        [*command, graded.course.directory], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.replace("\n", "").isprintable()
    kept, listed = done.stdout.split("\nCould not be graded:\n")
    for attack in ATTACKS:
        student, note = ours.student(attack), graded.results[attack.name]["note"]
        refused = re.search(rf"^  {student}: .+", listed, re.M)
        assert bool(refused) == ("was not graded" in note)
    assert "harm-exit_in_the_cell: A cell ended the kernel." in kept


PAGES = ("format-scripts_in_the_text", "harm-hostile_display", "forge-verdict_displayed")


def in_formgrader(course, student):
    """Return the page on which nbgrader's formgrader shows a submission."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    names = ("assignment_id", "notebook_id", "submission_id", "student", "notebook_path")
    resources = dict.fromkeys((*names, "last_name", "first_name", "base_url"), "x")
    path = notebook_in(course.autograded, student, PS)
    page, _ = HTMLExporter(config=config).from_filename(
        str(path), resources={**resources, "index": 0, "total": 1}
    )
    return page


@pytest.mark.parametrize("student", PAGES)
def test_nothing_of_a_submission_runs_where_it_is_marked(graded, browser, tmp_path, student):
    path = tmp_path / "page.html"
    path.write_text(in_formgrader(graded.course, student), encoding="utf-8")
    page = browser.new_page()
    page.route("http*://**", lambda route: route.abort())
    page.goto(path.as_uri())
    page.wait_for_timeout(500)
    assert page.url == path.as_uri()
    assert page.title() != "owned"
    schemes = page.eval_on_selector_all("a[href]", "links => links.map(a => a.protocol)")
    assert set(schemes) <= {"file:", "http:", "https:"}
    assert page.locator("#notebook :is(script, iframe, object, form, base, meta, svg)").count() == 0
    page.close()
