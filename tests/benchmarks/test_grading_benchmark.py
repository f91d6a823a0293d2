"""The benchmark's arithmetic, and what it counts. Nothing here asserts a speed."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from autograde.course import ROOT
from autograde.submission import parse
from benchmarks import grading
from benchmarks.grading import OURS, PLAIN, Run, summarise

NOBODY_WAITS = "no endless loops"


def ours(submissions, workers, seconds, cpu, memory=600, kind=NOBODY_WAITS):
    inside = {"start": 2.0, "end": 0.5, "sent": 45 * submissions, "received": 90 * submissions}
    inside |= {part: 0.25 * submissions for part in ("kernel", "cells", "learner", "recording")}
    inside |= {"judge": 3 + 0.125 * submissions, "executing": seconds - 2.5}
    inside |= {"cpu": {"kernels": submissions, "judge": 5, "engine": submissions}}
    return Run(OURS, kind, submissions, workers, seconds, cpu, memory, inside)


@pytest.fixture
def runs():
    """A class of ten took nbgrader 100 s; ours cost 4 s to start, and a second a submission."""
    growth = [ours(n, w, 4 + n / w, 5 + 2 * n, 600 + 50 * w) for w in (1, 2) for n in (10, 20)]
    compared = [ours(10, 2, seconds, 25, 700) for seconds in (8.0, 10.0)]
    return [Run(PLAIN, NOBODY_WAITS, 10, 1, 100.0, 90.0, 350), *compared, *growth]


def test_ratios_are_those_of_every_pair_of_runs(runs):
    ratios = summarise(runs, 0.0)["ratios"][NOBODY_WAITS]
    assert ratios["seconds"] == pytest.approx({"min": 10, "median": 100 / 9, "max": 12.5})
    assert ratios["cpu"] == pytest.approx(dict.fromkeys(("min", "median", "max"), 3.6))
    assert ratios["memory"] == pytest.approx(dict.fromkeys(("min", "median", "max"), 0.5))


def test_a_smaller_class_of_nbgraders_counts_in_proportion_but_not_its_memory(runs):
    whole = summarise(runs, 0.0)["ratios"][NOBODY_WAITS]
    fifth = replace(runs[0], submissions=2, seconds=20.0, cpu=18.0)
    part = summarise([fifth, *runs[1:]], 0.0)
    for what, ratio in part["ratios"][NOBODY_WAITS].items():
        assert ratio == pytest.approx(whole[what])
    assert part["per submission"][NOBODY_WAITS][PLAIN]["seconds"] == 10.0


def test_what_a_submission_adds_is_told_from_what_a_run_costs_once(runs):
    found = summarise(runs, 0.0)["marginal"]["1"]
    assert found["seconds"] == pytest.approx({"each": 1.0, "once": 4.0})
    assert found["cpu"] == pytest.approx({"each": 2.0, "once": 5.0})
    assert found["parts"]["judge"] == pytest.approx({"each": 0.125, "once": 3.0})
    assert found["cpu by process"]["judge"] == pytest.approx({"each": 0.0, "once": 5.0})
    assert found["cpu by process"]["engine"] == pytest.approx({"each": 1.0, "once": 0.0})
    assert found["bytes"] == {"sent": 45, "received": 90}


def test_no_two_submissions_are_the_same_and_nobody_waits_without_the_loops(tmp_path):
    size = grading.hand_in(tmp_path, 9, grading.CLASSES[NOBODY_WAITS])
    files = [p.read_bytes() for p in sorted(tmp_path.glob("submitted/*/*/*.ipynb"))]
    assert len(set(files)) == 9
    assert sum(map(len, files)) == size
    sources = ["".join(c.source for c in parse(data).cells) for data in files]
    assert not [s for s in sources if "-hana" in s]
    assert len({s.partition("handed in by")[2] for s in sources}) == 9


def test_different_scores_stop_the_benchmark():
    same = {"ada": {"conv1d": 5.0}, "emil": {"conv1d": None}}
    grading.insist_on_equal({"ada": {"conv1d": 5.0}}, same)
    with pytest.raises(SystemExit, match="ada differ"):
        grading.insist_on_equal({"ada": {"conv1d": 4.0}}, same)


ORPHAN = """
import os, subprocess, sys, time
from benchmarks.grading import _cpu_of_the_reaped, _reap_orphans, adopt_orphans
adopt_orphans()
burn = "import time\\nwhile time.process_time() < 0.4: pass"
leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
subprocess.run([sys.executable, "-c", leave], check=True)
_reap_orphans()
print(_cpu_of_the_reaped())
"""


def test_the_time_of_processes_that_outlive_their_parents_is_counted():
    command = [sys.executable, "-c", ORPHAN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 0.4


def test_memory_of_a_childs_child_is_found_and_shared_memory_counted_once():
    hold = "import time; kept = bytearray(b'x') * (64 << 20); import os; os.fork()"
    hold += "; print('there', flush=True); time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE) as process:
        for _ in range(2):  # the one that holds it, and its fork
            process.stdout.readline()
        found = grading.descendants(process.pid)
        together = sum(map(grading.share, found))
        subprocess.run(["kill", "-9", *map(str, found)], check=True)
    assert len(found) == 3
    assert 64 << 20 <= together < 128 << 20


def test_the_record_says_what_its_runs_say():
    record = json.loads(grading.RECORD.read_text())
    runs = [Run(**run) for run in record["runs"]]
    assert [asdict(run) for run in runs] == record["runs"]
    assert summarise(runs, record["summary"]["own"]) == record["summary"]
    compared = {(r.system, r.kind) for r in runs}
    assert compared == {(s, k) for s in (PLAIN, OURS) for k in grading.CLASSES}
