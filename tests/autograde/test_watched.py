"""A watched kernel cannot hide a race or a forgotten mask, and right ones are left in peace."""

import pytest
import torch

from autograde import specs
from autograde.apart import import_triton
from autograde.watched import CROWDED, OUTSIDE, RACE, watch

triton, tl = import_triton()

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="only the interpreter is watched")


@triton.jit
def racing(x, w, z, KERNEL: tl.constexpr, STRIDE: tl.constexpr):
    """Add without atomics; a program for each input."""
    i = tl.program_id(0)
    for k in range(KERNEL):
        place = z + i * STRIDE + k
        tl.store(place, tl.load(place) + tl.load(x + i) * tl.load(w + k))


@triton.jit
def blind(x, z, BLOCK: tl.constexpr):
    """Copy without a mask."""
    o = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z + o, tl.load(x + o))


@triton.jit
def crowded(z, BLOCK: tl.constexpr):
    """Write a whole block to one place."""
    tl.store(z + tl.arange(0, BLOCK) * 0, tl.arange(0, BLOCK).to(tl.float32))


@triton.jit
def late(x, z):
    """Read what the program before has written."""
    i = tl.program_id(0)
    tl.store(z + i + 1, tl.load(z + i) + 1.0)


@triton.jit
def racing_block(x, w, z, n, KERNEL: tl.constexpr, STRIDE: tl.constexpr, BLOCK: tl.constexpr):
    """Add without atomics; one program for all inputs."""
    i = tl.arange(0, BLOCK)
    value = tl.load(x + i, mask=i < n)
    for k in range(KERNEL):
        place = z + i * STRIDE + k
        before = tl.load(place, mask=i < n)
        tl.store(place, before + value * tl.load(w + k), mask=i < n)


@triton.jit
def turned(x, z, BLOCK: tl.constexpr, WAIT: tl.constexpr):
    """Write a block, and read it from its other end."""
    o = tl.arange(0, BLOCK)
    tl.store(z + o, tl.load(x + o))
    if WAIT:
        tl.debug_barrier()
    back = tl.load(z + BLOCK - 1 - o)
    if WAIT:
        tl.debug_barrier()
    tl.store(z + o, back)


@triton.jit
def all_in_one(x, indices, z, n, BLOCK: tl.constexpr):
    """Unpool into the first plane, whatever plane an input is from."""
    i = tl.arange(0, BLOCK)
    index = tl.load(indices + i, mask=i < n)
    tl.store(z + index, tl.load(x + i, mask=i < n), mask=i < n)


def test_a_race_between_programs_is_seen_although_the_result_is_right():
    z = torch.zeros(8)
    with watch() as seen:
        racing[(3,)](torch.tensor([1.0, 10, 100]), torch.arange(1.0, 5), z, KERNEL=4, STRIDE=2)
    assert z.tolist() == [1, 2, 13, 24, 130, 240, 300, 400]
    assert seen.problems == [RACE]
    assert seen.launched == ["racing"]


def test_programs_whose_copies_do_not_overlap_have_no_race():
    with watch() as seen:
        racing[(3,)](torch.ones(3), torch.ones(2), torch.zeros(6), KERNEL=2, STRIDE=2)
    assert seen.problems == []


def test_one_that_reads_what_the_program_before_has_written_races():
    with watch() as seen:
        late[(3,)](torch.zeros(4), torch.zeros(4))
    assert seen.problems == [RACE]


def test_a_race_within_one_program_is_seen_although_the_result_is_right():
    x, w, z = torch.tensor([1.0, 10, 100]), torch.arange(1.0, 5), torch.zeros(8)
    with watch() as seen:
        racing_block[(1,)](x, w, z, 3, KERNEL=4, STRIDE=2, BLOCK=4)
    assert z.tolist() == [1, 2, 13, 24, 130, 240, 300, 400]
    assert seen.problems == [CROWDED]


def test_a_block_whose_copies_do_not_overlap_has_no_race():
    with watch() as seen:
        racing_block[(1,)](
            torch.ones(3), torch.ones(2), torch.zeros(6), 3, KERNEL=2, STRIDE=2, BLOCK=4
        )
    assert seen.problems == []


def test_a_block_that_goes_to_one_place_races():
    with watch() as seen:
        crowded[(1,)](torch.zeros(4), BLOCK=4)
    assert seen.problems == [CROWDED]


@pytest.mark.parametrize("wait", [False, True])
def test_a_block_may_read_what_it_has_written_after_a_barrier(wait):
    z = torch.zeros(4)
    with watch() as seen:
        turned[(1,)](torch.arange(4.0), z, BLOCK=4, WAIT=wait)
    assert z.tolist() == [3, 2, 1, 0]
    assert seen.problems == ([] if wait else [CROWDED])


def test_what_lies_outside_is_said_and_not_touched():
    both = torch.arange(16.0)
    x, z = both[:5].clone(), torch.zeros(5)
    with watch() as seen:
        blind[(2,)](x, z, BLOCK=4)
    assert seen.problems == [OUTSIDE]
    assert torch.equal(z, x)


def test_a_second_launch_begins_anew():
    """Zeros first, then values: in two launches that is no race."""
    x, z = torch.ones(8), torch.zeros(8)
    with watch() as seen:
        blind[(2,)](x, z, BLOCK=4)
        blind[(4,)](x, z, BLOCK=2)
    assert seen.problems == []
    assert len(seen.launched) == 2


def test_afterwards_nothing_is_watched():
    with watch() as seen:
        pass
    blind[(1,)](torch.ones(4), torch.zeros(4), BLOCK=4)
    assert seen.launched == []


def test_a_race_in_one_program_earns_no_full_marks():
    def answer(x, w, stride):
        n, k = len(x), len(w)
        z = x.new_zeros((n - 1) * stride + k)
        racing_block[(1,)](x, w, z, n, KERNEL=k, STRIDE=stride, BLOCK=triton.next_power_of_2(n))
        return z

    verdict = specs.get("conv_transpose1d_triton").judge(answer, 7)
    assert not verdict.passed
    assert CROWDED in verdict.message


def test_who_lets_planes_meet_is_asked_where_they_begin():
    def answer(x, indices, output_hw):
        z = x.new_zeros(*x.shape[:2], *output_hw)
        all_in_one[(1,)](x, indices, z, x.numel(), BLOCK=triton.next_power_of_2(x.numel()))
        return z

    verdict = specs.get("max_unpool2d_triton").judge(answer, 7)
    assert "where does each plane's output begin?" in verdict.message


def test_what_a_call_out_of_time_has_left_switched_on_stops_nobody():
    """PyTorch's own unpooling, the oracle, refuses to be deterministic unless it only warns."""

    def answer(x, indices, output_hw):
        return x

    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        verdict = specs.get("max_unpool2d_triton").judge(answer, 7)
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert "launched no Triton kernel" in verdict.message
