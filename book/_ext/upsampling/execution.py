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


def configure(app, config):
    """Choose the cache for these versions and drawings, and the kernels' configuration.

    The cache of executed pages knows their code only. A new framework or a changed drawing
    module starts a new one, so that no page shows what an older one printed.
    """
    build = Path(app.srcdir, "_build")
    digest = hashlib.sha256(Path(app.srcdir, "book", "figures.py").read_bytes())
    for package in RESULTS_DEPEND_ON:
        digest.update(f"{package}=={version(package)}\n".encode())
    config.nb_execution_cache_path = str(build / ".jupyter_cache" / digest.hexdigest()[:16])

    profile = build / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    text = KERNEL_CONFIG.format(log=str(build / "kernels.log"))
    (profile / "ipython_kernel_config.py").write_text(text, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(profile.parent)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def note_drawings(app, docname, source):
    """Read a page again when the drawing module it imports has changed."""
    if "from figures import" in source[0]:
        app.env.note_dependency(str(Path(app.srcdir, "book", "figures.py")))


def setup(app):
    """Connect to Sphinx."""
    app.connect("config-inited", configure)
    app.connect("source-read", note_drawings)
