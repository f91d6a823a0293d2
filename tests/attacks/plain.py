"""What the attacks do to plain `nbgrader autograde`: the column to compare our grading with.

    python -m tests.attacks.plain [KIND | NAME ...]   # without any: those not run yet

Every attack is handed in to a course of its own and graded with this course's nbgrader
configuration, inside a throw-away container: bubblewrap, no network, the whole disk read-only,
a small file system in memory to write to, limits on memory, processes and time. Nothing of
bank.py may run outside of it. Afterwards an honest submission is graded in the same container
if the attack means harm and has left anything behind. What came of it goes to plain.json, by name:

    paid    points above what the answers are worth
    lost    points that right answers of the same notebook did not get
    note    what else happened: crashed, leaked, harmed others, left things behind

One setting differs: a cell may take 20 s, not 120, to keep the whole run bearable.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograde.course import ROOT
from tests.attacks.bank import (
    HONEST,
    PROBLEM_SET,
    Attack,
    attacks,
    balance,
    leaked,
    released_notebook,
    scores_in,
)

RESULTS = Path(__file__).with_suffix(".json")
SCRATCH = Path("/tmp") / "course"  # inside the container
NOBODY = 64999
SECONDS = 120


def main(wanted: list[str]) -> None:
    """Run the wanted attacks, or all without a result, and note each result at once."""
    os.nice(10)
    if os.geteuid():
        sys.exit("plain.py needs root to make its container, and drops it inside.")
    known = _results()
    chosen = [a for a in attacks() if {a.name, a.kind} & set(wanted or {a.name} - set(known))]
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        _copy_repository(template)
        _contained(template, "--prepare", writable=True)
        for attack in chosen:
            result = _result(attack, *_contained(template, "--inside", attack.name))
            results = _results() | {attack.name: result}
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            print(attack.name, json.dumps(result), flush=True)


def _results() -> dict[str, dict]:
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


# -- outside -------------------------------------------------------------------------------


def _copy_repository(to: Path) -> None:
    """Copy what grading needs, under version control as the original is."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if name.startswith(("autograde/", "solutions/", "exercises/", "tests/")) or "/" not in name:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    git = ["git", "-C", str(to), "-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "autograde", "solutions"], check=True)
    subprocess.run([*git, "commit", "-qm", "Course"], check=True)
    (to / "home" / ".jupyter").mkdir(parents=True)
    (to / "home" / ".jupyter" / "migrated").touch()  # or Jupyter makes it at some later start
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", to], check=True)
    to.parent.chmod(0o755)


def _contained(template: Path, *arguments: str, writable=False) -> tuple[dict | None, float]:
    """Run this script in the container; return what it found out and the seconds it took.

    None if it did not live to tell.
    """
    bind = "--bind" if writable else "--ro-bind"
    home, base = Path.home(), Path(sys.base_prefix).resolve()
    python = []  # where the interpreter lies in the home folder, let it be seen
    if base.is_relative_to(home):
        for folder in reversed(base.relative_to(home).parents):
            python += ["--perms", "0755", "--dir", str(home / folder)]
        python += ["--ro-bind", str(base), str(base)]
    command = [
        *("timeout", "--signal=KILL", str(SECONDS)),
        *("bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net"),
        *("--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--ro-bind", "/", "/", "--tmpfs", str(home)),
        *python,
        *("--dev", "/dev", "--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/dev/shm"),
        *("--proc", "/proc", "--perms", "1777", "--size", str(1 << 30), "--tmpfs", "/tmp"),
        *(bind, str(template), str(SCRATCH if writable else SCRATCH.with_name("template"))),
        *("--clearenv", "--setenv", "PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin"),
        *("--setenv", "PYTHONPATH", str(SCRATCH), "--setenv", "HOME", str(SCRATCH / "home")),
        *("--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--setenv", "GRADER_SECRET", "keep out"),
        *("--setenv", "PYTHONWARNINGS", "ignore", "--chdir", "/tmp"),
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"),
        *("prlimit", "--as=8589934592", "--nproc=400", "--cpu=100", "--core=0", "--"),
        # A copy of the template first: what is graded has to be writable, as it usually is.
        *("sh", "-c", 'test -d "$1" || cp -r "$2" "$1"; cd "$1"; shift 2; exec "$@"', "sh"),
        *(str(SCRATCH), str(SCRATCH.with_name("template"))),
        *(sys.executable, "-m", "tests.attacks.plain", *arguments),
    ]
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=2 if writable else -3
        )
        out.seek(max(0, out.seek(0, 2) - 1_000_000))
        text = out.read().decode("utf-8", "replace")
    if writable and done.returncode:
        sys.exit(f"the course could not be prepared: {text}")
    said = [line for line in text.splitlines() if line.startswith("RESULT ")]
    found = json.loads(said[-1].removeprefix("RESULT ")) if said else None
    return found, time.monotonic() - start


def _result(attack: Attack, found: dict | None, seconds: float) -> dict:
    if found is None:
        why = "hung until it was killed" if seconds > SECONDS - 5 else "killed the grader"
        return {"paid": 0, "lost": sum(attack.earned.values()), "note": why}
    paid, lost, odd = balance(attack, found["scores"])
    return {"paid": paid, "lost": lost, "note": "; ".join([*found["notes"], *odd])}


# -- inside --------------------------------------------------------------------------------


def _prepare() -> None:
    """Release the problem set and grade one honest student's work."""
    from autograde.course import Course
    from autograde.release import release

    release(PROBLEM_SET, Course.open(None, create=True))
    _hand_in_honestly("zoe")
    code, log = _autograde("zoe")
    scores = _scores("zoe")
    if code or {k: scores.get(k) for k in HONEST} != HONEST:
        sys.exit(f"zoe got {scores}\n{log}")


def _inside(attack: Attack) -> None:
    """Grade one attack and print what came of it."""
    course = SCRATCH / "course"
    folder = course / "submitted" / "mallory" / PROBLEM_SET
    folder.parent.mkdir(parents=True)
    attack.hand_in(folder, released_notebook())
    before = _surroundings()
    code, log = _autograde("mallory", seconds=60 if attack.kind == "harm" else 100)
    notes = []
    if code is None:
        notes.append("did not end and was stopped")
    elif code:
        notes.append(f"was not graded: {_last_line(log)}")
    scores = _scores("mallory")
    executed = course / "autograded" / "mallory" / PROBLEM_SET / f"{PROBLEM_SET}.ipynb"
    if got := leaked(executed, log):
        notes.append(f"leaked: {got}")
    notes += _harm_done(before, everything=attack.kind == "harm")
    print("\nRESULT", json.dumps({"scores": scores, "notes": notes}), flush=True)


def _harm_done(before: dict, *, everything: bool) -> list[str]:
    notes = []
    after = _surroundings()
    changed = sorted(k for k in before if after.get(k) != before[k])
    added = sorted(set(after) - set(before))
    for what, names in (("changed", changed), ("left behind", added)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            notes.append(f"{what}: {', '.join(names[:3])}{more}")
    if (others := _scores("zoe")) != HONEST:
        how = "changed" if others else "out of reach"
        notes.append(f"another student's scores are {how}")
    if alive := [p for p in Path("/proc").glob("[0-9]*") if _is_stray(p)]:
        notes.append(f"{len(alive)} processes are still there")
    if not (everything and notes):  # all that could reach the next student has been looked at
        return notes
    try:
        _hand_in_honestly("yan")
        code, _ = _autograde("yan", seconds=45)
        got = {k: v for k, v in _scores("yan").items() if k in HONEST}
        if code or got != HONEST:
            notes.append(f"the next student got {sum(v or 0 for v in got.values()):g} of 28 points")
    except OSError as error:
        notes.append(f"the next student could not hand in: {error.strerror}")
    return notes


def _is_stray(process: Path) -> bool:
    """Return whether this is neither process 1, nor this one, nor a zombie."""
    if int(process.name) in (1, os.getpid()):
        return False
    try:
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        return parent != 0 and bool((process / "cmdline").read_bytes())
    except OSError:
        return False


def _hand_in_honestly(student: str) -> None:
    import nbformat

    from tests.sample_class.hand_in import HERE, answers, submission

    given = answers(HERE / PROBLEM_SET / "ada.py")
    folder = SCRATCH / "course" / "submitted" / student / PROBLEM_SET
    folder.mkdir(parents=True)
    notebook = submission(PROBLEM_SET, given)
    (folder / f"{PROBLEM_SET}.ipynb").write_text(nbformat.writes(notebook))


def _autograde(student: str, seconds: float = 100) -> tuple[int | None, str]:
    """Run `nbgrader autograde` and return its exit code, None if it hung, and its log."""
    command = [sys.executable, "-m", "nbgrader", "autograde", PROBLEM_SET, f"--student={student}"]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [*command, "--create", "--Execute.timeout=20"],
            cwd=SCRATCH,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = None
        out.seek(max(0, out.seek(0, 2) - 1_000_000))
        return code, out.read().decode("utf-8", "replace")


def _scores(student: str) -> dict[str, float | None]:
    return scores_in(SCRATCH / "course" / "gradebook.db", student)


def _surroundings() -> dict[str, tuple]:
    """Return size and time of all files that a submission has no business with."""
    own = {"mallory", ".git", "__pycache__", "template"}
    noise = ("gradebook.db", "history.sqlite", ".nbgrader.log")
    found = {}
    for folder, _, names in os.walk("/tmp"):
        if own & set(Path(folder).parts):
            continue
        for path in (Path(folder) / n for n in names if not n.startswith(noise)):
            shown = str(path.relative_to("/tmp")).replace("course/home/", "~/")
            try:
                found[shown] = (path.lstat().st_size, path.lstat().st_mtime_ns)
            except OSError:
                found[shown] = ()
    return found


def _last_line(log: str) -> str:
    """Return the last line of a log that names an exception."""
    lines = re.findall(r"^\s*([\w.]*(?:Error|Exception|Entry)\b.*)", log, re.M)
    return lines[-1].replace(f"{SCRATCH}/", "")[:110] if lines else "no reason given"


if __name__ == "__main__":
    if sys.argv[1:] == ["--prepare"]:
        _prepare()
    elif sys.argv[1:2] == ["--inside"]:
        _inside(next(a for a in attacks() if a.name == sys.argv[2]))
    else:
        main(sys.argv[1:])
