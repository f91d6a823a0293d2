"""Make the environment in `.venv`: `make env`. Uses nothing but the standard library.

It says what is missing and how to get it, instead of a traceback. Exit code 1 if it cannot
make the environment. With the environment variable PIP_EXTRA_INDEX_URL set, pip looks there
too (see the README on the CPU build of PyTorch).
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
REQUIREMENTS_TRITON = os.path.join(ROOT, "requirements-triton.txt")
SUPPORTED = ("3.11", "3.12", "3.13")
NEEDED_GIB = 6
VERSION = platform.python_version()


class Missing(Exception):
    """Something is missing: one line on what, one on what to do."""


class NoPackage(Missing):
    """There is no ready-made package for this machine."""


def use_supported_python():
    """Go on under a supported Python; raises `Missing` if there is none."""
    if is_supported(VERSION):
        return
    for version in reversed(SUPPORTED):
        other = shutil.which(f"python{version}")
        if other and ask(other, "import ensurepip; print('yes')") == "yes":
            print(f"using {other}", flush=True)
            os.execv(other, [other, *sys.argv])
    raise Missing(
        f"Python {', '.join(SUPPORTED)} is needed; {sys.executable} is {VERSION}.",
        "Install one (Debian, Ubuntu: sudo apt install python3.12 python3.12-venv) or name one "
        "you have: make env PYTHON=/path/to/python3.12",
    )


def is_supported(version):
    """Return whether a version such as `3.12.1` is one the pins hold for."""
    return ".".join(version.split(".")[:2]) in SUPPORTED


def ask(python, question):
    """Return what `python -c question` prints, or None if it cannot be run."""
    try:
        answer = subprocess.run([python, "-c", question], capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip()


def check_machine():
    """Raise `Missing` if `venv` or disk space is missing."""
    if importlib.util.find_spec("ensurepip") is None:
        raise Missing(
            "This Python cannot make virtual environments: its module ensurepip is missing.",
            f"Debian, Ubuntu: sudo apt install python{'.'.join(VERSION.split('.')[:2])}-venv",
        )
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < NEEDED_GIB and not os.path.exists(os.path.join(VENV, ".ready")):
        raise Missing(
            f"{free:.1f} GiB are free in {ROOT}; the environment takes {NEEDED_GIB} GiB.",
            "Free some space, or clone to a larger disk.",
        )


def pip(*arguments, total=0):
    """Run pip in the environment, counting packages up to `total`.

    Raises `Missing` with what pip's failure means.
    """
    run = subprocess.Popen(
        [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # setuptools warns of every editable installation; there is nothing to act on.
        env=dict(os.environ, PYTHONWARNINGS="ignore"),
    )
    said, seen = [], set()
    for line in run.stdout:
        package = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line)
        if package and package.group(1) not in seen:
            seen.add(package.group(1))
            if total:
                show_progress(len(seen), total, package.group(1))
        elif total and line.startswith("Installing collected"):
            print("     unpacking, which takes a minute", flush=True)
        elif line.startswith(("ERROR", "WARNING: Retrying", "error")) or said:
            said.append(line)
    if run.wait() != 0:
        raise explain("".join(said))


def explain(text):
    """Return the `Missing` that stands behind pip's error message."""
    if re.search(r"Retrying|Connection|Name or service|resolution|timed out|Network", text):
        return Missing(
            "pip could not reach the package index.",
            "Check the network (or the proxy: HTTPS_PROXY), then run the same command again; "
            "what has been downloaded is kept.",
        )
    if "No space left" in text:
        return Missing("The disk is full.", "Free some space, then run the same command again.")
    no_wheel = re.search(r"No matching distribution found for (\S+)", text)
    if no_wheel:
        return NoPackage(
            f"There is no ready-made package of {no_wheel.group(1)} for Python {VERSION} on "
            f"{platform.system()} {platform.machine()}.",
            f"Use Python {', '.join(SUPPORTED)} on 64-bit Linux.",
        )
    return Missing(f"pip failed:\n{text.rstrip()}", "Mend that, then run the same command again.")


def install_triton():
    """Install Triton apart, where nothing finds it unasked; autograde/apart.py says why."""
    if ask(VENV_PYTHON, "import importlib.util as u; print(u.find_spec('triton'))") != "None":
        print("     not needed: this build of PyTorch has brought one", flush=True)
        return
    with open(REQUIREMENTS_TRITON, encoding="utf-8") as pins:
        (pin,) = (line.strip() for line in pins if "==" in line)
    folder = os.path.join(VENV, "triton")
    if os.path.isdir(os.path.join(folder, "{}-{}.dist-info".format(*pin.split("==")))):
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        pip("install", "--only-binary=:all:", "--no-deps", "--target", folder, pin)
    except NoPackage as missing:
        print(f"     {missing.args[0]} Chapter 27 and two exercises do without.", flush=True)


def show_progress(seen, total, what):
    """Show how far it is: one changing line on a terminal, else a line now and then."""
    if sys.stdout.isatty():
        print(f"\r     {seen} of {total}  {what:<40}", end="", flush=True)
        if seen == total:
            print()
    elif seen % 25 == 0 or seen == total:
        print(f"     {seen} of {total}", flush=True)


def main():
    """Make the environment step by step."""
    use_supported_python()
    check_machine()
    # An environment of the same Python is brought up to date in place: that is quicker, and
    # leaves a working one if the network fails half-way.
    if ask(VENV_PYTHON, "import platform, pip; print(platform.python_version())") == VERSION:
        print(f"1/4  keeping .venv with Python {VERSION}", flush=True)
    else:
        print(f"1/4  making .venv with Python {VERSION}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    with open(REQUIREMENTS, encoding="utf-8") as pins:
        count = sum("==" in line for line in pins)
    print(f"2/4  installing {count} packages, 4 GB on disk (11 GB with CUDA)", flush=True)
    # Ready-made packages only: nothing here needs a compiler.
    pip("install", "--only-binary=:all:", "-r", REQUIREMENTS, total=count)
    print("3/4  installing Triton apart, 0.7 GB on disk", flush=True)
    install_triton()
    print("4/4  installing autograde from this folder", flush=True)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)
    with open(os.path.join(VENV, ".ready"), "w"):
        pass


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit("make env: {}\n          {}".format(*missing.args))
    except subprocess.CalledProcessError as error:
        sys.exit(f"make env: {error.cmd[0]} failed with exit code {error.returncode}.")
    except KeyboardInterrupt:
        sys.exit("make env: stopped. Run the same command again to go on.")
