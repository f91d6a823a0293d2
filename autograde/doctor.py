"""What this machine can do, and how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    yield Finding("sandbox", *_sandbox(), needed=False)
    free = shutil.disk_usage(ROOT).free / 2**30
    yield Finding("disk", free > 1, f"{free:.1f} GiB free", "free some space")


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
    if importlib.util.find_spec("torch") is None:
        return False, "PyTorch is not installed, so it was not looked for", "make env"
    import torch

    if torch.cuda.is_available():
        return True, torch.cuda.get_device_name(0), ""
    return False, "none: everything runs on the CPU", "nothing needs one"


def _sandbox() -> tuple[bool, str, str]:
    remedy = "apt install bubblewrap"
    bwrap = shutil.which("bwrap")
    if not bwrap:
        return False, "bubblewrap is not installed; `grade` does not use it yet", remedy
    command = [bwrap, "--ro-bind", "/", "/", "--unshare-all", "true"]
    works = subprocess.run(command, capture_output=True, env=os.environ, check=False)
    if works.returncode:
        reason = works.stderr.decode().strip().splitlines()[-1:]
        return False, f"bubblewrap does not work here: {' '.join(reason)}", "allow user namespaces"
    return True, f"{bwrap} works; `grade` does not use it yet", ""


def report(show: Callable[[str], None]) -> bool:
    """Show the findings and return whether everything that is needed is there."""
    fine = True
    for f in examine():
        mark = "ok " if f.good else ("-- " if not f.needed else "NO ")
        remedy = f"  →  {f.remedy}" if f.remedy and not f.good else ""
        show(f"{mark} {f.subject:<14}{f.detail}{remedy}")
        fine &= f.good or not f.needed
    return fine
