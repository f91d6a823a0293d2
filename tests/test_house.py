"""The house rules that a machine can check: pins, commands, style, licences."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograde import cli

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M
    )
}
DIRECT = [
    Requirement(text)
    for group in (
        PYPROJECT["project"]["dependencies"],
        PYPROJECT["build-system"]["requires"],
        *PYPROJECT["project"]["optional-dependencies"].values(),
    )
    for text in group
]


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_every_direct_dependency_is_pinned_to_a_version_it_allows(requirement):
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_the_pins_are_all_that_the_direct_dependencies_need_and_no_more():
    """Walk the installed packages' own metadata from the direct dependencies down."""
    needed, queue = set(), [(r.name, tuple(sorted(r.extras))) for r in DIRECT]
    while queue:
        name, extras = queue.pop()
        if (name, extras) in needed:
            continue
        needed.add((name, extras))
        for text in importlib.metadata.requires(name) or []:
            requirement = Requirement(text)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": e}) for e in (*extras, "")):
                continue
            pinned = PINS.get(canonicalize_name(requirement.name))
            assert pinned, f"{name} needs {requirement.name}, which is not pinned"
            assert requirement.specifier.contains(pinned, prereleases=True), f"{name}: {text}"
            queue.append((requirement.name, tuple(sorted(requirement.extras))))
    assert {canonicalize_name(name) for name, _ in needed} == set(PINS)


@pytest.mark.parametrize("name", PINS)
def test_the_environment_has_the_pinned_version(name):
    installed = importlib.metadata.version(name)
    assert installed.split("+")[0] == PINS[name]  # 2.13.0+cpu is a build of 2.13.0


def test_conda_installs_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["-r requirements.txt", "-e ."]


def test_pre_commit_runs_the_pinned_ruff():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    for hook in config["repos"][0]["hooks"]:
        assert hook["additional_dependencies"] == [f"ruff=={PINS['ruff']}"]


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]])
def test_ruff_finds_nothing(arguments):
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run([ruff, *arguments, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def targets():
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z]+):", makefile, re.M))


def documents():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "book").glob("*.md")]


@pytest.mark.parametrize("path", documents(), ids=lambda p: p.name)
def test_every_command_that_a_document_names_exists(path):
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.M))
    assert named <= targets(), "a make target that does not exist"
    parser = cli._parser()
    commands = set(parser._subparsers._group_actions[0].choices)
    for line in re.findall(r"(?:^|`)(?:\.venv/bin/)?autograde ([a-z]+)", text, re.M):
        assert line in commands


def test_every_autograde_call_in_the_readme_parses():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\.venv/bin/autograde (.*?)(?:\s+#.*)?$", text, re.M)
    assert calls
    for call in calls:
        assert cli._parser().parse_args(call.split()).run


def test_every_path_that_the_readme_and_contributing_name_exists():
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
        paths = re.findall(
            r"`((?:book|tests|tools|autograde|solutions|exercises)/[\w./*-]+)`", text
        )
        for link in links + paths:
            link = link.replace("PS", "ps03-transposed-conv-1d").replace("NAME.md", "index.md")
            if link.startswith("autograde/specs/ps"):
                link = link.replace("-", "_")
            assert list(ROOT.glob(link)), f"{name} names {link}"


def test_the_readme_counts_the_pinned_packages():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(PINS)} pinned packages" in text
    for framework in ("tensorflow", "torch"):
        assert f"`{framework}` {PINS[framework]}" in text


def test_the_workflows_run_what_the_readme_says():
    workflows = {p.stem: yaml.safe_load(p.read_text()) for p in (ROOT / ".github").rglob("*.yml")}
    steps = {
        name: [s.get("run") for job in w["jobs"].values() for s in job["steps"]]
        for name, w in workflows.items()
    }
    assert "bash .ci/run" in steps["test"]
    assert "make book" in steps["pages"]
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in os.fsdecode(listing.stdout).split("\0") if name]


def test_nothing_committed_names_the_machine_it_was_made_on():
    private = re.compile(
        rb"(?<![\w}])/(?:home|Users|root|tmp)/[a-z]|" + re.escape(os.fsencode(ROOT)) + b"/"
    )
    named = {str(p): m[0] for p in tracked() if (m := private.search(p.read_bytes()))}
    assert not named


def test_make_env_says_what_is_missing_under_an_old_python():
    """The script has to be read by old Pythons to tell them so."""
    source = (ROOT / "tools" / "make_env.py").read_text()
    compile(source, "make_env.py", "exec")
    assert "match " not in source
