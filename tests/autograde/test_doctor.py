"""The doctor says what a machine can do, what it lacks, and how to get that."""

import re
import sys

import pytest

from autograde.doctor import report
from autograde.engine import probes
from autograde.engine.kernels import SandboxUnavailable


def examined():
    """Return whether all that is needed is there, and the report."""
    lines = []
    return report(lines.append), "\n".join(lines)


@pytest.fixture
def no_attempts(monkeypatch):
    """Probes that need no sandbox, and find what the test says."""
    return lambda attempts: monkeypatch.setattr(probes, "attempts", attempts)


def results(*held):
    return lambda: iter(
        probes.Result(probe, fine, "what came back")
        for probe, fine in zip(probes.PROBES, held, strict=False)
    )


def test_it_reports_every_subject_and_how_to_get_what_is_missing(
    no_attempts, monkeypatch, tmp_path
):
    no_attempts(results(True))
    monkeypatch.setenv("PATH", str(tmp_path))
    fine, said = examined()
    assert fine  # a browser is not needed to read and grade
    assert re.search(r"^-- +browser .*apt install chromium", said, re.M)
    for subject in ("Python", "torch", "tensorflow", "nbgrader", "GPU", "disk", "sandbox"):
        assert re.search(rf"^(ok|--) +{subject} ", said, re.M)


def test_it_shows_each_attempt_on_the_sandbox_and_what_came_of_it(no_attempts):
    no_attempts(results(True, False, True))
    fine, said = examined()
    assert not fine
    for probe, mark in zip(probes.PROBES[:3], ("ok", "NO", "ok"), strict=True):
        assert re.search(rf"^{mark} +- {probe.name} +{re.escape(probe.tried)}", said, re.M)
    assert said.count("what came back") == 1


@pytest.mark.parametrize("why", [SandboxUnavailable, RuntimeError])
def test_a_machine_without_a_sandbox_cannot_grade_and_is_told_why(no_attempts, why):
    def attempts():
        raise why("the operating system refused it. Do this.")
        yield

    no_attempts(attempts)
    fine, said = examined()
    assert not fine
    assert re.search(r"^NO +sandbox +none.*refused it\. Do this\.$", said, re.M)


def test_where_the_engine_is_not_installed_nothing_is_tried(monkeypatch):
    monkeypatch.delattr("autograde.engine.probes")
    monkeypatch.setitem(sys.modules, "autograde.engine.probes", None)
    fine, said = examined()
    assert not fine
    assert re.search(r"^NO +sandbox +not tried: .*make env$", said, re.M)
