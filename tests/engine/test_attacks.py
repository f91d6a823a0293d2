"""Attacks on the verdict and on the answer earn nothing in the engine, and leak nothing."""

import pytest

from autograde import specs
from tests.attacks import bank

PS = "ps03-transposed-conv-1d"
RELEASED = bank.released_notebook()
# Whether an input was changed in place, only the learner's own process can see.
BEYOND_US = {"forge/mutation_hidden"}


@pytest.mark.parametrize("attack", bank.attacks("forge", "steal"), ids=lambda a: a.name)
def test_an_attack_earns_no_more_than_its_honest_answers(engine, attack):
    executed = engine.execute(attack.build(RELEASED), PS)
    unearned = {
        name: verdict["score"]
        for name, verdict in executed.graded.items()
        if verdict["score"] > attack.earned.get(name, 0)
    }
    printed = str([o.get("text", "") for outputs in executed.outputs for o in outputs])
    if attack.name in BEYOND_US:
        assert unearned == {"conv1d": 5.0}  # one point for leaving the input alone
    else:
        assert not unearned
    assert bank.LEAKED not in printed


@pytest.mark.parametrize("attack", bank.attacks(), ids=lambda a: a.name)
def test_every_attack_says_what_it_tries_and_what_it_is_worth(attack):
    assert attack.what.strip().endswith(".")
    assert set(attack.earned) <= set(specs.names(PS))
    assert all(0 < attack.earned[n] <= specs.get(n).points for n in attack.earned)
