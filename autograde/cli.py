"""The command line: `autograde COMMAND`. See `autograde COMMAND --help` for examples.

Exit codes: 0 done, 1 something graded needs attention (listed), 2 wrong usage or input.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from autograde.course import ROOT, Course, UsageError, find_problem_set, problem_sets

DONE, ATTENTION, USAGE = 0, 1, 2
# jsonschema, under nbformat, would build 38 grammars of addresses that no notebook holds: a second
# for every command. It does without the package where that is not there.
sys.modules.setdefault("rfc3987_syntax", None)


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except UsageError as error:
        print(f"autograde: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("autograde: stopped. Run the same command again to go on.", file=sys.stderr)
        return ATTENTION


def _release(arguments) -> int:
    from autograde.release import release

    wanted = [find_problem_set(text) for text in arguments.problem_set] or problem_sets()
    course = Course.open(arguments.course, arguments.gradebook, create=True)
    course.open_gradebook(create=True).close()
    for problem_set in wanted:
        print(_short(release(problem_set, course)))
    return DONE


def _check(arguments) -> int:
    from autograde.checking import check_notebook

    verdicts, unanswered = check_notebook(arguments.notebook)
    for verdict in verdicts:
        print(verdict)
    for name in unanswered:
        print(f"{name}: not answered yet.")
    ready = sum(v.passed for v in verdicts)
    noted = sum(v.noted for v in verdicts)
    print(
        f"\n{ready - noted} of {len(verdicts) - noted} exercises pass their visible checks", end=""
    )
    print(f", {noted} answer{'s are' if noted > 1 else ' is'} noted." if noted else ".")
    return DONE if ready == len(verdicts) and not unanswered else ATTENTION


def _grade(arguments) -> int:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from autograde.grading import grade_class

    problem_set = find_problem_set(arguments.problem_set)
    course = Course.open(
        arguments.course, arguments.gradebook, create=arguments.submissions is not None
    )
    if arguments.submissions:
        _collect(arguments.submissions, course, problem_set)
    console = Console(width=None if sys.stdout.isatty() else 120)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress, _interrupts() as interrupts:
        task = progress.add_task("getting ready", total=None)

        def advance(student, done, of):
            if interrupts:
                raise KeyboardInterrupt
            progress.update(task, description="grading", completed=done, total=of)
            if not console.is_terminal:
                # Not by the console, which prints a line again that Ctrl-C has met.
                print(f"{done} of {of}  {student}", flush=True)

        results = grade_class(
            course,
            problem_set,
            only=arguments.only,
            force=arguments.force,
            workers=arguments.workers,
            scheduler=arguments.scheduler,
            unsandboxed=arguments.unsandboxed,
            on_progress=advance,
        )
        progress.update(task, description="graded")
        progress.stop_task(task)
    return _show_results(console, course, problem_set, results)


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yield a list of the Ctrl-C's so far. Each raises as ever, but a library may swallow it."""
    seen = []

    def note(number, frame):
        seen.append(number)
        raise KeyboardInterrupt

    def ignored(what):  # raised where nothing can be, as while an object is deleted: it is noted
        if not issubclass(what.exc_type, KeyboardInterrupt):
            hook(what)

    before, hook = signal.signal(signal.SIGINT, note), sys.unraisablehook
    sys.unraisablehook = ignored
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


def _show_results(console, course, problem_set, results) -> int:
    """Print the class as a table and return the exit code."""
    from rich.table import Table

    graded = [r for r in results if r.problem is None]
    names = [p.name for p in graded[0].parts] if graded else []
    maxima = [p.max_score for p in graded[0].parts] if graded else []
    table = Table(title=problem_set)
    table.add_column("student")
    for number, most in enumerate(maxima, 1):
        table.add_column(f"{number}\n/{most:g}", justify="right")
    table.add_column(f"points\n/{sum(maxima):g}", justify="right")
    table.add_column("note")
    for r in results:
        if r.problem:
            table.add_row(r.student, *["–"] * len(names), "–", "could not be graded")
            continue
        cells = ["by hand" if p.score is None else f"{p.score:g}" for p in r.parts]
        table.add_row(r.student, *cells, f"{r.score:g}", r.note)
    console.print(table)
    for number, name in enumerate(names, 1):
        console.print(f"  {number}  {name}")

    confused = [(r.student, *pair) for r in graded for pair in r.misconceptions.items()]
    if confused:
        console.print("\nWhat seems to be confused:")
        for student, exercise, misconception in confused:
            console.print(f"  {student}: {misconception} ({exercise})", soft_wrap=True)
    happened = [r for r in graded if r.incidents]
    if happened:
        console.print("\nWhat happened on the way:")
        for r in happened:
            console.print(f"  {r.student}: {_counted(r.incidents)}", markup=False, soft_wrap=True)
    failed = [r for r in results if r.problem]
    if failed:
        console.print("\nCould not be graded:")
        for r in failed:
            console.print(f"  {r.student}: {r.problem}", markup=False, soft_wrap=True)
    kept = sum(r.kept for r in results)
    if kept:
        console.print(f"\n{kept} unchanged since last graded (--force grades them again).")
    console.print(f"\ngradebook  {course.gradebook_shown}", soft_wrap=True)
    console.print(f"notebooks  {_short(course.autograded)}", soft_wrap=True)
    return ATTENTION if failed else DONE


def _counted(texts) -> str:
    """Return sentences one after the other, each once, with how often it is there."""
    times = Counter(texts)
    return " ".join(f"{text} ({n} times)" if n > 1 else text for text, n in times.items())


def _feedback(arguments) -> int:
    from autograde.release import last_words

    problem_set = find_problem_set(arguments.problem_set)
    course = Course.open(arguments.course, arguments.gradebook)
    if not any(course.autograded.glob(f"*/{problem_set}")):
        raise UsageError(f"{problem_set} has not been graded. Run: autograde grade {problem_set}")
    course.open_gradebook().close()
    outcome = course.nbgrader().generate_feedback(problem_set, force=True)
    pages = sorted(course.feedback.glob(f"*/{problem_set}/*.html"))
    for page in pages:
        print(_short(page))
    if not outcome["success"]:
        print(f"autograde: {last_words(outcome)}", file=sys.stderr)
        return ATTENTION
    return DONE


def _export(arguments) -> int:
    from autograde.export import export

    course = Course.open(arguments.course, arguments.gradebook)
    waiting = export(course, arguments.format, arguments.to)
    print(_short(arguments.to))
    for student, parts in waiting.items():
        print(f"not final: {student} waits for {', '.join(parts)} to be marked by hand")
    return ATTENTION if waiting else DONE


def _doctor(arguments) -> int:
    from autograde.doctor import report

    return DONE if report(print) else ATTENTION


def _collect(source: Path, course: Course, problem_set: str) -> None:
    """Copy `source/<student>/<problem set>/` into the course's `submitted/`."""
    found = sorted(source.glob(f"*/{problem_set}")) if source.is_dir() else []
    if not found:
        raise UsageError(f"{source} has no folders STUDENT/{problem_set}.")
    for folder in found:
        target = course.submitted / folder.parent.name / problem_set
        if folder.resolve() != target.resolve():
            shutil.copytree(folder, target, dirs_exist_ok=True)


def _short(path: Path) -> Path:
    """Return `path` relative to here where that is shorter to read."""
    path = Path(path).resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


class _Parser(argparse.ArgumentParser):
    """Say what was wrong in one line and where to read more."""

    def error(self, message):
        self.exit(USAGE, f"autograde: {message}. See: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autograde", description="Release, check and grade problem sets.")
    parser.add_argument("--version", action="version", version=f"autograde {version('autograde')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name, run, what, example):
        sub = commands.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            epilog=f"example: autograde {example}",
        )
        sub.set_defaults(run=run)
        return sub

    def with_course(sub):
        default = Course.directory.relative_to(ROOT)
        sub.add_argument(
            "--course", metavar="DIR", help=f"the class's directory (default: {default}/ here)"
        )
        sub.add_argument(
            "--gradebook",
            metavar="URL",
            default="",
            help="another gradebook, such as postgresql://USER:PASSWORD@HOST/DATABASE",
        )

    sub = command(
        "release", _release, "make the learners' notebooks from the solutions", "release ps03"
    )
    sub.add_argument("problem_set", metavar="PS", nargs="*", help="which (default: all)")
    with_course(sub)

    sub = command(
        "check",
        _check,
        "run a notebook and show each part's visible verdict and what is still to do",
        "check exercises/ps03-transposed-conv-1d/ps03-transposed-conv-1d.ipynb",
    )
    sub.add_argument("notebook", metavar="NOTEBOOK", type=Path)

    sub = command(
        "grade", _grade, "grade a class", "grade ps03 --course course --only ada --only grace"
    )
    sub.add_argument("problem_set", metavar="PS")
    sub.add_argument(
        "--submissions",
        metavar="DIR",
        type=Path,
        help="first copy DIR/STUDENT/PS/ into the course's submitted/",
    )
    sub.add_argument(
        "--only",
        metavar="STUDENT",
        action="append",
        default=[],
        help="only this one; may be repeated",
    )
    sub.add_argument("--force", action="store_true", help="grade again what has not changed")
    where = sub.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        metavar="N",
        type=_positive,
        help="how many submissions to run at a time (default: one for each core)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run them on a Dask cluster, such as tcp://10.0.0.1:8786",
    )
    sub.add_argument(
        "--unsandboxed",
        action="store_true",
        help="grade even where there is no sandbox: only work you trust",
    )
    with_course(sub)

    sub = command("feedback", _feedback, "write a feedback page for each student", "feedback ps03")
    sub.add_argument("problem_set", metavar="PS")
    with_course(sub)

    sub = command(
        "export",
        _export,
        "write the grades to a file for a learning management system",
        "export --format canvas --to grades.csv",
    )
    sub.add_argument("--format", choices=["nbgrader", "canvas", "moodle"], required=True)
    sub.add_argument("--to", metavar="FILE", type=Path, required=True)
    with_course(sub)

    command("doctor", _doctor, "say what this machine can do and what is missing", "doctor")
    return parser


if __name__ == "__main__":
    sys.exit(main())
