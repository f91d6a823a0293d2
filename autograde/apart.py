"""Triton, which is installed apart from the other packages, and how to import it.

Triton and TensorFlow each bring a copy of the compiler LLVM. A process that has loaded
TensorFlow's and then loads Triton's is ended by the system; the other order does no harm.
PyTorch imports Triton unasked where it finds it, for an optimiser as for `torch.compile`. So
`make env` installs it where nothing looks for it. A CUDA build of PyTorch brings its own along,
among the other packages: then that is the one.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

FOLDER = Path(sys.prefix) / "triton"
"""Where `make env` installs it."""


def import_triton():
    """Import Triton and return the modules `triton` and `triton.language`.

    Where PyTorch sees no GPU, kernels run in Triton's interpreter, on the CPU. Raises
    `ImportError` if TensorFlow was imported before Triton, or if Triton is not installed.
    """
    if "triton" not in sys.modules:
        if "tensorflow" in sys.modules:
            raise ImportError(
                "Triton has to be imported before TensorFlow: after it, Python would crash. "
                "Restart Python (in a notebook: the kernel) and import Triton first."
            )
        import torch

        if not torch.cuda.is_available():  # Triton decides as it is imported
            os.environ["TRITON_INTERPRET"] = "1"
        if importlib.util.find_spec("triton") is None:
            sys.path.append(str(FOLDER))
    try:
        import triton
        import triton.language
    except ModuleNotFoundError as error:
        if error.name != "triton":
            raise
        raise ImportError(
            "Triton is not installed. There are packages of it for 64-bit Linux on x86; there, "
            "run: make env"
        ) from None
    return triton, triton.language
