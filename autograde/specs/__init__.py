"""Every graded function of the course, by name.

>>> from autograde import specs
>>> specs.get("conv1d").points
5
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

from autograde.spec import Spec

_MODULES = {
    found.name.replace("_", "-"): importlib.import_module(f"{__name__}.{found.name}")
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name)
    if found.name.startswith("ps")
}

PROBLEM_SETS = {problem_set: module.SPECS for problem_set, module in _MODULES.items()}
"""The specs of each problem set, in course order: `ps03_transposed_conv_1d.py` here holds those
of the folder `ps03-transposed-conv-1d`."""

LIMITS = {ps: module.LIMITS for ps, module in _MODULES.items() if hasattr(module, "LIMITS")}
"""By problem set, what a submission may use where that is not the default: a module's `LIMITS`
holds fields of `autograde.engine.kernels.Limits`, such as `{"memory": 4 << 30}`."""

_BY_NAME = {
    spec.name: replace(spec, problem_set=problem_set)
    for problem_set, its_specs in PROBLEM_SETS.items()
    for spec in its_specs
}


def names(problem_set: str | None = None) -> list[str]:
    """Return the name of every exercise, in course order, or of one problem set's."""
    return [n for n, s in _BY_NAME.items() if problem_set in (None, s.problem_set)]


def get(name: str) -> Spec:
    """Return the spec called `name`. Raises `KeyError`, naming those there are."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise KeyError(f"no exercise {name!r}; there are {', '.join(_BY_NAME)}") from None
