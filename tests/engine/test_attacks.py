"""Every attack says what it tries and what its answers are honestly worth.

What comes of them is tested in tests/e2e/test_bank.py.
"""

import pytest

from tests.attacks import bank


@pytest.mark.parametrize("attack", bank.attacks(), ids=lambda a: a.name)
def test_every_attack_says_what_it_tries_and_what_it_is_worth(attack):
    assert attack.what.strip().endswith(".")
    assert set(attack.earned) <= set(bank.HONEST)
    assert all(0 < attack.earned[n] <= bank.HONEST[n] for n in attack.earned)
