"""All cells stand in reverse order, so that every test comes before its answer."""

from tests.attacks.bank import dump


def build(released):
    released["cells"].reverse()
    return dump(released)
