"""What this machine can do, and how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograde.course import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. `needed` findings that are not `good` are a problem."""

    subject: str
    good: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def examine() -> Iterator[Finding]:
    """Yield what was found, one subject after the other."""
    version = platform.python_version()
    yield Finding("Python", sys.version_info[:2] in {(3, 11), (3, 12), (3, 13)}, version)
    for package, what in (
        ("numpy", "all exercises"),
        ("torch", "oracle, book"),
        ("tensorflow", "oracle, book"),
        ("nbgrader", "release, grade"),
        ("jupyter-book", "book"),
        ("jupyterlab", "lab"),
    ):
        yield _package(package, what)
    yield Finding("GPU", *_gpu(), needed=False)
    browser = find_browser()
    yield Finding(
        "browser",
        browser is not None,
        browser or "no Chromium found: browser tests are skipped",
        "apt install chromium",
        needed=False,
    )
    free = shutil.disk_usage(ROOT).free / 2**30
    yield Finding("disk", free > 1, f"{free:.1f} GiB free", "free some space")
    yield from _sandbox()


def find_browser() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _package(package: str, what: str) -> Finding:
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return Finding(package, False, f"not installed ({what})", "make env")
    return Finding(package, True, f"{version} ({what})")


def _gpu() -> tuple[bool, str, str]:
    # The driver's own files: importing a framework to ask takes seconds.
    cards = list(Path("/proc/driver/nvidia/gpus").glob("*"))
    if cards:
        return True, f"{len(cards)} of NVIDIA's", ""
    return False, "none: everything runs on the CPU", "nothing needs one"


def _sandbox() -> Iterator[Finding]:
    """Try to break out of the sandbox: a finding for each attempt, or one if there is none."""
    try:
        from autograde.engine import probes
    except ImportError as error:
        yield Finding("sandbox", False, f"not tried: {error}", "make env")
        return
    try:
        for number, result in enumerate(probes.attempts()):
            if number == 0:
                yield Finding("sandbox", True, "`grade` uses one; it has to withstand attempts")
            came = "" if result.held else f", with {result.came[:200]!r}"
            remedy = "grade only work that you trust here"
            yield Finding(f"- {result.probe.name}", result.held, result.probe.tried + came, remedy)
    except RuntimeError as error:
        yield Finding("sandbox", False, f"none, and `grade` needs one: {error}")


def report(show: Callable[[str], None]) -> bool:
    """Show the findings and return whether everything that is needed is there."""
    fine = True
    for f in examine():
        mark = "ok " if f.good else ("-- " if not f.needed else "NO ")
        remedy = f"  →  {f.remedy}" if f.remedy and not f.good else ""
        show(f"{mark} {f.subject:<17}{f.detail}{remedy}")
        fine &= f.good or not f.needed
    return fine
