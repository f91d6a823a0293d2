"""Every graded function of the course, by name.

>>> from autograde import specs
>>> specs.get("conv1d").points
5
"""

from __future__ import annotations

from dataclasses import replace

from autograde.spec import Spec
from autograde.specs import ps03_transposed_conv_1d

PROBLEM_SETS = {"ps03-transposed-conv-1d": ps03_transposed_conv_1d.SPECS}
"""The specs of each problem set, in course order. A new problem set is one line here."""

LIMITS: dict[str, dict[str, float]] = {}
"""By problem set, what a submission may use where that is not the default: fields of
`autograde.engine.kernels.Limits`, such as `{"memory": 4 << 30}`."""

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
