"""The whole bank of attacks, and honest students in between, through `autograde grade`."""

import json
import os
from pathlib import Path

import pytest

from autograde.engine.kernels import SandboxUnavailable, Zygote
from autograde.grading import verdicts_in
from autograde.submission import notebook_in
from tests.attacks import ours
from tests.attacks.bank import HONEST, PROBLEM_SET, attacks


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """An empty course directory. Without a sandbox the tests skip; in CI they fail."""
    try:
        Zygote().close()
    except SandboxUnavailable as error:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"this machine gives no sandbox: {error}")
    return tmp_path_factory.mktemp("bank") / "course"


@pytest.fixture(scope="module")
def found(course):
    """What came of each attack, by name."""
    return ours.grade_bank(course)


@pytest.mark.parametrize("attack", attacks(), ids=lambda a: a.name)
def test_an_attack_earns_what_its_answers_are_worth_and_nothing_else(found, attack):
    result = found[attack.name]
    assert result["paid"] == 0
    assert "leaked" not in result["note"]
    if attack.kind == "harm":  # one bad cell costs that cell and no other
        assert result["lost"] == 0
    if attack.kind == "format":
        assert result["lost"] == 0 or "was not graded" in result["note"]


@pytest.mark.parametrize("name", ours.honest_students())
def test_nobody_beside_an_attack_is_affected(found, course, name):
    path = notebook_in(Path(course) / "autograded", name, PROBLEM_SET)
    assert {v["exercise"]: v["score"] for v in verdicts_in(path)} == HONEST


STOPPED = {
    "harm/loop_in_the_cell": "did not finish in its time",
    "harm/printed_flood": "was stopped",
    "harm/exit_in_the_cell": "ended the kernel",
    "format/hundred_megabytes": "was not graded",
    "format/pipe_for_a_notebook": "was not graded",
    "format/grade_cell_deleted": "is missing",
}


@pytest.mark.parametrize("name", STOPPED)
def test_the_instructor_is_told_what_happened(found, name):
    assert STOPPED[name] in found[name]["note"]


def test_what_is_recorded_for_the_documentation_is_what_was_found(found):
    recorded = json.loads(ours.RESULTS.read_text(encoding="utf-8"))
    assert {n: r["paid"] for n, r in recorded.items()} == {n: r["paid"] for n, r in found.items()}
