"""Grade the sample class, multiplied, with plain nbgrader and with `autograde grade`.

    python -m benchmarks.grading [--quick] [--plain N] [--repeat N] [--largest N]
        [--to FILE]

Both grade the same submissions for a problem set whose hidden tests ask PyTorch and TensorFlow.
Plain nbgrader is `nbgrader autograde` with this course's configuration. `autograde grade` has
everything on that it always has: the sandbox, the judge outside it, the resumable ledger. Both
find the problem set in the gradebook already. The script stops if their scores differ.

It is done for two classes. In one a student's loops never end, and wait for the time limit in
both. The other is the same without that student. Then `autograde grade` alone gets larger classes
of the second kind, with one and with two workers.

Time is from the command's start to its end. CPU time is that of all its processes. Memory is the
largest sum of their shares (PSS), looked at twice a second. The learners' own computing is their
cells and functions run here, on the same inputs, with nothing around them. Nothing is asserted
about any of it.
What is measured goes to benchmarks/grading.json: every run, and what `summarise` makes of them;
*For instructors*, a page of the book, is computed from that. Let the machine do nothing else
meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import datetime
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from autograde import specs
from autograde.calling import quiet
from autograde.course import ROOT, Course
from autograde.release import release
from tests.sample_class.hand_in import HERE, answers, submission

PS = "ps03-transposed-conv-1d"
RECORD = Path(__file__).with_suffix(".json")
LOOPS = "hana"
"""The student whose loops never end."""
CLASSES = {"all": (), "no endless loops": (LOOPS,)}
PLAIN, OURS = "nbgrader", "autograde"
CORES = len(os.sched_getaffinity(0))
WORKERS = max(CORES, 2)
"""Beside plain nbgrader, which uses one core."""
PARTS = ("kernel", "cells", "learner", "judge", "recording")
PROCESSES = ("kernels", "judge", "engine")
LOOK = 0.5
"""Seconds between two looks at the memory."""


@dataclass
class Run:
    """One command over one class. Times in seconds, memory in bytes.

    `inside` is what benchmarks/metered.py found, and beside it "start" and "end", the seconds
    before the first submission began and after the last was recorded; "sent", the bytes handed
    in; and in "cpu" the time of the "kernels", which is all that is not the others'.
    """

    system: str
    kind: str
    submissions: int
    workers: int
    seconds: float
    cpu: float
    memory: int
    inside: dict = field(default_factory=dict)


# -- the classes ---------------------------------------------------------------------------


def hand_in(course: Path, size: int, without: tuple[str, ...] = ()) -> int:
    """Hand in `size` submissions of the sample class, in turn; return the bytes they have.

    Each says in a comment whose it is, so that no two are the same.
    """
    sources = [p for p in sorted((HERE / PS).glob("*.py")) if p.stem not in without]
    total = 0
    for number in range(size):
        source = sources[number % len(sources)]
        student = f"{number:05}-{source.stem}"
        notebook = submission(PS, answers(source))
        first = next(c for c in notebook.cells if c.cell_type == "code")
        first.source += f"\n# handed in by {student}"
        path = course / "submitted" / student / PS / f"{PS}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        total += path.stat().st_size
    return total


def prepare(folder: Path, size: int, without: tuple[str, ...]) -> tuple[Course, int]:
    """Make a course whose gradebook knows the problem set, and hand in; return it and the bytes."""
    course = Course.open(folder, create=True)
    release(PS, course, into=folder / "release")
    return course, hand_in(folder, size, without)


def scores(course: Course) -> dict[str, dict[str, float | None]]:
    """Return {student: {part: automatic score}} from the gradebook."""
    with course.open_gradebook() as gradebook:
        return {
            s.student.id: {g.cell.name: g.auto_score for n in s.notebooks for g in n.grades}
            for s in gradebook.assignment_submissions(PS)
        }


# -- one run -------------------------------------------------------------------------------


def run_plain(kind: str, size: int) -> tuple[Run, dict]:
    """Grade a class with plain nbgrader; return the run and the scores."""
    with tempfile.TemporaryDirectory() as folder:
        course, _ = prepare(Path(folder) / "course", size, CLASSES[kind])
        places = [
            f"--CourseDirectory.{step}_directory={course.directory / step}"
            for step in ("submitted", "autograded", "feedback", "release")
        ]
        places.append(f"--CourseDirectory.db_url={course.gradebook}")
        command = [sys.executable, "-m", "nbgrader", "autograde", PS, "--create", *places]
        seconds, cpu, memory, _ = measure(command, course, size)
        return Run(PLAIN, kind, size, 1, seconds, cpu, memory), scores(course)


def run_ours(kind: str, size: int, workers: int) -> tuple[Run, dict]:
    """Grade a class with `autograde grade`; return the run and the scores."""
    with tempfile.TemporaryDirectory() as folder:
        course, sent = prepare(Path(folder) / "course", size, CLASSES[kind])
        found = Path(folder) / "inside.json"
        command = [sys.executable, "-m", "benchmarks.metered", found]
        command += ["grade", PS, "--course", course.directory, "--workers", workers]
        seconds, cpu, memory, begin = measure(command, course, size)
        inside = json.loads(found.read_text())
        inside["cpu"]["kernels"] = cpu - sum(inside["cpu"].values())
        inside["start"] = inside.pop("started") - begin
        inside["end"] = seconds - inside["start"] - inside["executing"]
        inside["sent"] = sent
        return Run(OURS, kind, size, workers, seconds, cpu, memory, inside), scores(course)


def measure(command: list, course: Course, size: int) -> tuple[float, float, int, float]:
    """Run `command`; return seconds, seconds of CPU, bytes of memory, and when it began.

    Exits with what it said if it fails or has not graded `size` submissions.
    """
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    before = _cpu_of_the_reaped()
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, env=environment, stdout=said, stderr=said
        )
        with Memory(process.pid, course, size) as memory:
            code = process.wait()
        seconds = time.monotonic() - begin
        _reap_orphans()
        graded = len(scores(course))
        if code or graded != size:
            said.seek(max(0, said.seek(0, 2) - 4000))
            print(said.read().decode("utf-8", "replace"))
            sys.exit(f"{command[2]} ended with {code}; {graded} of {size} have been graded")
    return seconds, _cpu_of_the_reaped() - before, memory.peak, begin


def adopt_orphans() -> None:
    """Have every orphan among our descendants become our child, so that its time is counted."""
    PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _cpu_of_the_reaped() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap_orphans() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class Memory(threading.Thread):
    """Watches the memory of a process and its descendants while the context lasts."""

    def __init__(self, pid: int, course: Course, size: int):
        super().__init__(daemon=True)
        self.peak = 0
        self._pid, self._course, self._size = pid, course, size
        self._over = threading.Event()

    def run(self) -> None:
        """Look again and again, and say now and then how far the grading is."""
        told = time.monotonic()
        while not self._over.wait(LOOK):
            self.peak = max(self.peak, sum(map(share, descendants(self._pid))))
            if time.monotonic() - told > 30:
                told = time.monotonic()
                done = sum(1 for _ in self._course.autograded.glob(f"*/{PS}"))
                print(f"    {done} of {self._size}", flush=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()


def descendants(pid: int) -> list[int]:
    """Return a process and all that descend from it, as far as they are still there."""
    found = [pid]
    for each in found:
        try:
            for task in os.listdir(f"/proc/{each}/task"):
                found += map(int, Path(f"/proc/{each}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return found


def share(pid: int) -> int:
    """Return a process's memory in bytes; what it shares with others is divided among them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * sum(int(n) for n in re.findall(r"^(?:Pss|SwapPss): +(\d+)", text, re.M))


def own_seconds(without: tuple[str, ...]) -> float:
    """Return the seconds that a submission's own code takes, on average over the students.

    Their cells, and their functions on all the inputs that a judge has, run in this process.
    """
    drawn = {name: specs.get(name).all_cases(1) for name in specs.names(PS)}
    sources = [p for p in sorted((HERE / PS).glob("*.py")) if p.stem not in without]
    total = 0.0
    for path in sources:
        scope: dict = {}
        cells = [c for c in submission(PS, answers(path)).cells if c.cell_type == "code"]
        own = [c.source for c in cells if not c.metadata.get("nbgrader", {}).get("grade")]
        begin = time.perf_counter()
        with quiet():
            for source in own:
                with contextlib.suppress(Exception, SystemExit):
                    exec(source, scope)
            for name, cases in drawn.items():
                for case in cases:
                    with contextlib.suppress(Exception, SystemExit):
                        scope[name](*case.args, **case.kwargs)
        total += time.perf_counter() - begin
    return total / len(sources)


# -- all runs ------------------------------------------------------------------------------


def benchmark(sizes: list[int], plain: int, repeat: int) -> tuple[list[Run], int]:
    """Return all runs, and how many submissions have the same scores from both."""
    runs, alike = [], 0

    def add(run: Run) -> None:
        print(
            f"  {run.system}, {run.submissions} submissions ({run.kind}), {run.workers} "
            f"worker{'s' * (run.workers > 1)}: {run.seconds:.1f} s, CPU {run.cpu:.1f} s, "
            f"{run.memory / 2**20:.0f} MiB",
            flush=True,
        )
        runs.append(run)

    for kind in CLASSES:
        run, theirs = run_plain(kind, min(plain, sizes[0]))
        add(run)
        for _ in range(repeat):
            run, ours = run_ours(kind, sizes[0], WORKERS)
            add(run)
            insist_on_equal(theirs, ours)
        alike += len(theirs)
    for workers in (1, 2):
        for size in sizes:
            run, _ = run_ours("no endless loops", size, workers)
            add(run)
    return runs, alike


def insist_on_equal(theirs: dict, ours: dict) -> None:
    """Exit, with the first difference, unless both gave each submission the same scores."""
    for student, parts in theirs.items():
        if ours[student] != parts:
            sys.exit(f"scores of {student} differ: nbgrader {parts}, autograde {ours[student]}")


# -- what the runs say ---------------------------------------------------------------------


def summarise(runs: list[Run], own: float) -> dict:
    """Return the figures that are quoted, all computed from `runs`.

    "ratios": how often plain nbgrader takes what ours takes, by class and by "seconds", "cpu"
    and "memory", each as minimum, median and maximum over all pairs of runs. Where plain
    nbgrader had fewer submissions, its times count for as many as ours in proportion.
    "growth": ours by workers and size, medians. "marginal": by workers, what "each" submission adds
    and what a run costs "once", from the smallest and the largest class: seconds, seconds of CPU,
    the same by the parts of the work and by process; bytes that a submission and its result have;
    and the seconds at the "start" and the "end" of a run in which nothing is graded.
    "own" is `own`, the seconds that a submission's own code takes where nothing is around it.
    """
    return {
        "ratios": {kind: _ratios(kind, runs) for kind in CLASSES},
        "per submission": {kind: _per_submission(kind, runs) for kind in CLASSES},
        "growth": _growth(runs),
        "marginal": {str(w): _marginal(w, runs) for w in (1, 2)},
        "own": own,
    }


def _ratios(kind: str, runs: list[Run]) -> dict:
    theirs = [r for r in runs if (r.system, r.kind) == (PLAIN, kind)]
    ours = _compared(kind, runs)
    found = {}
    for what in ("seconds", "cpu", "memory"):
        pairs = [
            getattr(t, what) / getattr(o, what) * (_scale(t, o) if what != "memory" else 1)
            for t in theirs
            for o in ours
        ]
        if pairs:
            found[what] = {"min": min(pairs), "median": _middle(pairs), "max": max(pairs)}
    return found


def _compared(kind: str, runs: list[Run]) -> list[Run]:
    """Return our runs that stand against plain nbgrader's: the smallest class, most workers."""
    ours = [r for r in runs if (r.system, r.kind) == (OURS, kind)]
    which = min(((r.submissions, -r.workers) for r in ours), default=None)
    return [r for r in ours if (r.submissions, -r.workers) == which]


def _scale(theirs: Run, ours: Run) -> float:
    return ours.submissions / theirs.submissions


def _per_submission(kind: str, runs: list[Run]) -> dict:
    theirs = [r for r in runs if (r.system, r.kind) == (PLAIN, kind)]
    both = {PLAIN: theirs, OURS: _compared(kind, runs)}
    return {
        system: {
            "submissions": some[0].submissions,
            "seconds": _middle(r.seconds / r.submissions for r in some),
            "cpu": _middle(r.cpu / r.submissions for r in some),
            "memory": _middle(r.memory for r in some),
        }
        for system, some in both.items()
        if some
    }


def _ours(workers: int, runs: list[Run]) -> dict[int, list[Run]]:
    """Return our runs without endless loops, by the size of the class."""
    by: dict[int, list[Run]] = {}
    for r in sorted(runs, key=lambda r: r.submissions):
        if (r.system, r.kind, r.workers) == (OURS, "no endless loops", workers):
            by.setdefault(r.submissions, []).append(r)
    return by


def _growth(runs: list[Run]) -> list[dict]:
    return [
        {
            "workers": workers,
            "submissions": size,
            "seconds": _middle(r.seconds for r in some),
            "cpu": _middle(r.cpu for r in some),
            "memory": _middle(r.memory for r in some),
        }
        for workers in (1, 2)
        for size, some in _ours(workers, runs).items()
    ]


def _marginal(workers: int, runs: list[Run]) -> dict:
    by = _ours(workers, runs)
    least, most = min(by), max(by)

    def line(value) -> dict[str, float]:
        few, many = (_middle(value(r) for r in by[n]) for n in (least, most))
        each = (many - few) / (most - least)
        return {"each": each, "once": few - each * least}

    return {
        "seconds": line(lambda r: r.seconds),
        "cpu": line(lambda r: r.cpu),
        "parts": {p: line(lambda r, p=p: r.inside[p]) for p in PARTS},
        "cpu by process": {p: line(lambda r, p=p: r.inside["cpu"][p]) for p in PROCESSES},
        "bytes": {w: line(lambda r, w=w: r.inside[w])["each"] for w in ("sent", "received")},
        "edges": {e: _middle(r.inside[e] for r in by[most]) for e in ("start", "end")},
    }


def _middle(values) -> float:
    return statistics.median(values)


# -- the record ----------------------------------------------------------------------------


def machine() -> dict:
    """Return what the figures depend on: cores, memory, processor, versions."""
    memory = int(re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    packages = ("nbgrader", "jupyter_client", "ipykernel", "numpy", "torch", "tensorflow")
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": CORES,
        "memory": memory,
        "linux": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def show(summary: dict) -> None:
    """Print the figures as two small tables."""
    console = Console()
    table = Table(title="plain nbgrader and autograde grade, a submission")
    for name in ("class", "nbgrader", "autograde", "ratio (min, median, max)"):
        table.add_column(name)
    for kind, ratios in summary["ratios"].items():
        for what, unit in (("seconds", "s"), ("cpu", "s CPU"), ("memory", "MiB in all")):
            if what in ratios:
                each = [summary["per submission"][kind][s][what] for s in (PLAIN, OURS)]
                each = [e / 2**20 if what == "memory" else e for e in each]
                low, middle, high = (ratios[what][k] for k in ("min", "median", "max"))
                shown = [f"{e:.0f} {unit}" if e > 100 else f"{e:.2f} {unit}" for e in each]
                table.add_row(kind, *shown, f"{low:.1f}  {middle:.1f}  {high:.1f}")
    console.print(table)
    table = Table(title="autograde grade by the size of the class (no endless loops)")
    for name in ("workers", "submissions", "s", "s each", "CPU s each", "MiB"):
        table.add_column(name, justify="right")
    for g in summary["growth"]:
        n = g["submissions"]
        each = (f"{g['seconds']:.1f}", f"{g['seconds'] / n:.3f}", f"{g['cpu'] / n:.3f}")
        table.add_row(str(g["workers"]), str(n), *each, f"{g['memory'] / 2**20:.0f}")
    console.print(table)
    for workers, found in summary["marginal"].items():
        table = Table(title=f"{workers} worker{'s' * (workers != '1')}: what a submission adds")
        for name in ("", "each", "once"):
            table.add_column(name, justify="right" if name else "left")
        rows = [("seconds", found["seconds"]), *found["parts"].items()]
        rows += [("seconds of CPU", found["cpu"]), *found["cpu by process"].items()]
        for name, line in rows:
            shown = name if "seconds" in name else f"  {name}"
            table.add_row(shown, f"{line['each']:.3f}", f"{line['once']:.1f}")
        console.print(table)
        console.print(f"  at the start {found['edges']['start']:.1f} s, ", end="")
        console.print(f"at the end {found['edges']['end']:.1f} s without grading")
    console.print(f"the learners' own code, with nothing around it: {summary['own']:.3f} s")


def main(argv: list[str] | None = None) -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(prog="benchmarks.grading", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only try it: classes of 8 and 16")
    parser.add_argument(
        "--plain",
        metavar="N",
        type=int,
        help="let plain nbgrader grade N submissions only, and count them for all",
    )
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=int,
        default=3,
        help="let `autograde grade` grade what nbgrader has graded N times (default: 3)",
    )
    parser.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        help=f"where to write the record (default: {RECORD.relative_to(ROOT)}, nowhere if --quick)",
    )
    parser.add_argument(
        "--largest",
        metavar="N",
        type=int,
        default=500,
        help="the largest class of those that show how time grows (default: 500)",
    )
    arguments = parser.parse_args(argv)
    sizes = [8, 16] if arguments.quick else [50, 100, 200, 500]
    sizes = [size for size in sizes if size <= max(arguments.largest, sizes[0])]
    adopt_orphans()
    runs, alike = benchmark(sizes, arguments.plain or sizes[0], arguments.repeat)
    summary = summarise(runs, own_seconds(CLASSES["no endless loops"]))
    show(summary)
    print(f"scores equal: {alike} submissions")
    path = arguments.to or (None if arguments.quick else RECORD)
    if path is None:
        return
    record = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": " ".join(["python -m benchmarks.grading", *(argv or sys.argv[1:])]),
        "machine": machine(),
        "problem_set": PS,
        "scores_equal": alike,
        "summary": summary,
        "runs": [asdict(run) for run in runs],
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
