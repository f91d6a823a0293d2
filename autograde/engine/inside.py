"""`autograde.notebook` as a notebook in the sandbox sees it. It knows no answer.

`check` says nothing here. `grade` lets the judge, at the other end of a socket, call the
learner's function: inputs come in, results go out, and the judge's verdict comes back to be
shown. What this process shows or returns decides nothing; the judge has its own record.
"""

import importlib.abc
import importlib.machinery
import os
import socket
import sys
import types

import numpy as np

from autograde import apart, wire
from autograde.calling import call


def check(name):
    """Do nothing: the hidden test in the same cell says it all."""


def grade(name):
    """Let the judge put the function called `name` to the test; return the points it gives."""
    scope = sys._getframe(1).f_globals
    with socket.socket(fileno=os.dup(int(os.environ["AUTOGRADE_JUDGE"]))) as sock:
        wire.send(sock, {"grade": name, "defined": callable(scope.get(name))})
        while "calls" in (request := wire.receive(sock, sharing=True)):
            serve(sock, scope[name], request)
    if "refused" in request:
        raise RuntimeError(request["refused"])
    print(request["text"])
    return request["score"]


def serve(sock, fn, request):
    """Call the function as often as is asked for, up to a slow call, and send what comes of it."""
    several = request["several"]
    how = {
        "given": {given: _remote(sock, given) for given in request["given"]},
        "seconds": request["seconds"],
        "driver": _driver(request["driver"]),
        "several": several,
    }
    for inputs in request["calls"]:
        called = call(fn, inputs["args"], inputs["kwargs"], **how)
        wire.send(sock, _told(called, several))
        if called.kind == "slow":
            break


def _told(called, several):
    """Return what came of a call as a message."""
    parts = []
    if called.kind == "ok":
        parts = [np.asarray(v) for v in (called.value if several else [called.value])]
    size = sum(part.nbytes for part in parts)
    if size > wire.MAX_RESULT:
        called.kind, parts = "type", []
        called.text = f"returned {size} bytes, far more than was asked for."
    return {
        "kind": called.kind,
        "parts": [part.copy() for part in parts],  # without what lies between its elements
        "text": called.text[:1000],
        "refused": called.refused,
    }


def _driver(source):
    """Return the function that `source` defines, or None if there is none."""
    if not source:
        return None
    scope = {}
    exec(source, scope)
    return next(value for name, value in scope.items() if name != "__builtins__")


def _remote(sock, name):
    """Return a function that the judge computes."""

    def given(*args, **kwargs):
        wire.send(sock, {"given": name, "args": args, "kwargs": kwargs})
        reply = wire.receive(sock)
        if "raises" in reply:
            raise ValueError(reply["raises"])
        return reply["value"]

    return given


class _Absent(types.ModuleType):
    """Stands for a package that is not here: it can be imported, and nothing else.

    An import that a learner left at the top of a cell does not take the rest of it along, as
    it does not where they wrote it.
    """

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(self._why())

    def __call__(self, *args, **kwargs):
        raise TypeError(self._why())

    def _why(self):
        return f"{self.__name__} is not here: this is graded without {self.__name__.split('.')[0]}."


class _Absence(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds those packages that nobody else has found."""

    packages = (
        *("cv2", "jax", "keras", "matplotlib", "onnx", "pandas", "PIL", "scipy", "seaborn"),
        *("skimage", "sklearn", "tensorflow", "torch", "torchvision"),
    )

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Absent(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(_Absence())
if "triton" not in sys.modules:  # and must not be found by PyTorch, which would use it
    apart.import_triton = lambda: (_Absent("triton"), _Absent("triton.language"))
