"""One engine for all tests that run a submission."""

import os

import pytest

from autograde.engine.execute import Engine
from autograde.engine.kernels import Limits, SandboxUnavailable

LIMITS = Limits(cell=4, test=12, notebook=40)


@pytest.fixture(scope="session")
def engine():
    """An engine with short limits. Where there is no sandbox the tests skip; in CI they fail."""
    with Engine("of this class", limits=LIMITS) as engine:
        try:
            kernel, _ = engine.zygote(("numpy",), LIMITS).fork(key="trial", judge=None)
        except SandboxUnavailable as error:
            say = pytest.fail if os.environ.get("CI") else pytest.skip
            say(f"this machine gives no sandbox: {error}")
        kernel.signal(9)
        yield engine
