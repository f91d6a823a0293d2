"""Keep what native code writes to file descriptor 2 out of the way."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere.

    TensorFlow's C++ libraries announce themselves there when they are imported, whatever the
    Python side or TF_CPP_MIN_LOG_LEVEL says, and a Jupyter kernel captures the descriptor.
    """
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
