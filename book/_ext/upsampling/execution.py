"""Executed pages: run again when what they depend on changes, and without log noise."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

# TensorFlow logs a few lines while it is imported, before it reads its own log level.
# They go to the process's stderr, not to Python's: the kernel must not take them for a
# cell's output, so they are kept in a file. Python's own stderr still is a cell's output,
# and fails the build.
KERNEL_CONFIG = """\
import os
c = get_config()
c.IPKernelApp.capture_fd_output = False
c.HistoryManager.enabled = False
os.dup2(os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
"""
RESULTS_DEPEND_ON = ("numpy", "tensorflow", "torch")
# What pages read and run besides their own code, by the import that gives it away.
FILES = {
    "from figures import": ["book/figures.py"],
    "from gpu_records import": ["book/gpu_records.py", "benchmarks/gpu/*.json"],
    "from triton_kernels import": ["book/triton_kernels.py"],
    "import segmentation": [
        "book/segmentation*.py",
        "benchmarks/networks_segmentation.json",
    ],
    "import superresolution": [
        "book/superresolution*.py",
        "benchmarks/networks_superresolution.json",
    ],
    "import generation": ["book/generation*.py", "book/superresolution_keras.py"],
    "from autograde": [
        "autograde/**/*.py",
        "benchmarks/*.json",
        "exercises/*/*.ipynb",
        "tests/attacks/**/*.json",
        "tests/attacks/*/*.py",
        "tests/sample_class/**/*.py",
    ],
}


def files(root, patterns):
    """Return the files under `root` that match `patterns`, sorted."""
    return sorted({path for pattern in patterns for path in Path(root).glob(pattern)})


def digest(root):
    """Return what stands for the libraries and files that the pages' results depend on."""
    found = hashlib.sha256()
    for package in RESULTS_DEPEND_ON:
        found.update(f"{package}=={version(package)}\n".encode())
    for path in files(root, [pattern for patterns in FILES.values() for pattern in patterns]):
        found.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def configure(app, config):
    """Choose the cache for these versions and files, and the kernels' configuration.

    The cache of executed pages knows their code only. A new framework, a changed drawing or a
    new record starts another one, so that no page shows what an older one printed.
    """
    build = Path(app.srcdir, "_build")
    config.nb_execution_cache_path = str(build / ".jupyter_cache" / digest(app.srcdir))

    profile = build / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    text = KERNEL_CONFIG.format(log=str(build / "kernels.log"))
    (profile / "ipython_kernel_config.py").write_text(text, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(profile.parent)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def note_files(app, docname, source):
    """Read a page again when a file that it depends on has changed."""
    for sign, patterns in FILES.items():
        if sign in source[0]:
            for path in files(app.srcdir, patterns):
                app.env.note_dependency(str(path))


def setup(app):
    """Connect to Sphinx."""
    app.connect("config-inited", configure)
    app.connect("source-read", note_files)
