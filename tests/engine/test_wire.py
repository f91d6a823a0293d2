"""What crosses the trust boundary, and what does not."""

import json
import os
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograde.engine import wire
from autograde.layout import layout
from autograde.spec import Case


def across(message):
    """Send a message through a socket and return what arrives."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=wire.send, args=(ours, message))
        sender.start()
        arrived = wire.receive(theirs)
        sender.join()
        return arrived


def raw(header, blob=b""):
    """Return what `receive` makes of bytes that `send` would not send."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data = header if isinstance(header, bytes) else json.dumps(header).encode()
        ours.sendall(struct.pack("!II", len(data), len(blob)) + data + blob)
        ours.shutdown(socket.SHUT_WR)
        return wire.receive(theirs)


arrays = hnp.arrays(
    st.sampled_from(["f4", "f8", "i8", "u1", "?"]), hnp.array_shapes(min_dims=0, max_side=4)
)


@given(arrays)
def test_an_array_arrives_with_its_type_shape_and_values(array):
    arrived = across({"x": array})["x"]
    assert arrived.dtype == array.dtype
    assert arrived.shape == array.shape
    np.testing.assert_array_equal(arrived, array)


@given(arrays, st.text(max_size=20))
def test_whatever_comes_with_it_an_array_arrives_aligned(array, text):
    assert across({text: None, "x": array})["x"].flags.aligned


@pytest.mark.parametrize("step", [1, 2, -1, -3])
@pytest.mark.parametrize("writeable", [True, False])
def test_a_view_arrives_as_a_view(step, writeable):
    array = np.arange(12.0)[::step]
    array.flags.writeable = writeable
    arrived = across({"x": array})["x"]
    np.testing.assert_array_equal(arrived, array)
    assert arrived.strides == array.strides
    assert arrived.flags.writeable == writeable


VIEWS = {
    "transposed": lambda a: a.T,
    "channels last": lambda a: a.transpose(0, 2, 1),
    "every other": lambda a: a[..., ::2],
    "backwards": lambda a: a[::-1, ::-1, ::-1],
    "every other, transposed": lambda a: a.T[::2],
}


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_of_several_axes_lies_in_memory_as_it_did(kind):
    array = VIEWS[kind](np.arange(60.0).reshape(3, 4, 5))
    arrived = across({"x": array})["x"]
    np.testing.assert_array_equal(arrived, array)
    assert layout(arrived) == layout(array)
    assert not arrived.flags.c_contiguous
    assert layout(Case("a", (array,)).copy().args[0]) == layout(array)


def test_a_view_that_would_cost_far_more_memory_arrives_contiguous():
    array = np.broadcast_to(np.arange(3.0), (4, 3))[:, ::-1]
    arrived = across({"far": np.arange(100.0)[::50], "broadcast": array})
    assert arrived["far"].tolist() == [0, 50]
    assert arrived["far"].flags.c_contiguous
    np.testing.assert_array_equal(arrived["broadcast"], array)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner),
        max_leaves=2,
    )
)
def test_plain_values_arrive_as_they_were(value):
    assert across({"x": value})["x"] == value


@pytest.mark.parametrize(
    "value", [np.array([None]), object(), {1, 2}, b"bytes", np.array(["a"]), 1j], ids=type
)
def test_nothing_else_is_sent(value):
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(wire.WireError):
        wire.send(ours, {"x": value})


ARRAY = {"array": "<f8", "shape": [2], "axes": [0], "step": 1, "writeable": True}


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[" * 5000,
        [1, 2],
        {"unknown": 1},
        ARRAY | {"array": "|O"},
        ARRAY | {"array": "V8"},
        ARRAY | {"array": "f8,f8"},
        ARRAY | {"array": "f8".rjust(1000)},
        ARRAY | {"shape": [1 << 62, 4]},
        ARRAY | {"shape": [-1]},
        ARRAY | {"shape": 3},
        ARRAY | {"shape": [True, 2]},
        ARRAY | {"step": 1 << 40},
        ARRAY | {"step": "1"},
        ARRAY | {"step": 0},
        ARRAY | {"axes": [1]},
        ARRAY | {"axes": [0, 0]},
        ARRAY | {"axes": 0},
        {"list": {"array": 1}},
        {"dict": [1]},
        {"list": [0] * 20_000},
    ],
    ids=lambda h: str(h)[:40],
)
def test_a_malformed_message_is_refused(header):
    with pytest.raises(wire.WireError):
        raw(header, b"\0" * 8)


def test_a_message_that_announces_too_much_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(struct.pack("!II", 10, wire.MAX_BYTES + 1))
        with pytest.raises(wire.WireError, match="too large"):
            wire.receive(theirs)


def test_the_end_of_the_socket_is_told_from_a_broken_message():
    with pytest.raises(wire.WireError, match="broke off"):
        _cut_off()
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        with pytest.raises(EOFError):
            wire.receive(theirs)


def _cut_off():
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(struct.pack("!II", 100, 0) + b"{")
        ours.close()
        return wire.receive(theirs)


def shared(message):
    """Send a message in shared memory; return the memory and what arrives."""
    ours, theirs = socket.socketpair()
    memory = wire.Memory()
    with ours, theirs:
        wire.send(ours, message, memory)
        return memory, wire.receive(theirs, sharing=True)


@pytest.mark.parametrize("step", [1, 3, -2])
def test_the_sender_of_shared_arrays_sees_what_is_done_to_them(step):
    first, second = np.arange(3, dtype="f4"), np.arange(12)[::step]
    memory, arrived = shared({"x": first, "y": [second]})
    with memory:
        np.testing.assert_array_equal(arrived["x"], first)
        np.testing.assert_array_equal(arrived["y"][0], second)
        assert arrived["y"][0].strides == second.strides
        assert not memory.changed()
        arrived["y"][0][-1] += 1
        assert memory.changed()
        arrived["y"][0][-1] -= 1
        assert not memory.changed()


@pytest.mark.parametrize("size", [0, 8, 4096, 1 << 20])
def test_shared_memory_keeps_its_size(size):
    """Nobody counts what a sandbox keeps in memory that it has not mapped."""
    memory, _ = shared({"x": np.arange(4.0)})
    with memory, pytest.raises(PermissionError):
        os.ftruncate(memory.descriptor, size)


def test_who_does_not_share_takes_no_memory_of_the_others():
    """A sender who lets the memory shrink would kill a reader."""
    ours, theirs = socket.socketpair()
    with ours, theirs, wire.Memory() as memory:
        before = len(os.listdir("/proc/self/fd"))
        wire.send(ours, {"x": np.arange(4.0)}, memory)
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(wire.WireError, match="broke off"):
            wire.receive(theirs)
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_message_has_until_its_deadline_however_slowly_it_comes():
    ours, theirs = socket.socketpair()
    begin = time.monotonic()

    def drip():
        for byte in struct.pack("!II", 100, 0) + b" " * 100:
            try:
                ours.send(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    dripping = threading.Thread(target=drip)
    dripping.start()
    with theirs, pytest.raises(TimeoutError):
        wire.receive(theirs, begin + 0.2)
    dripping.join()
    ours.close()


def test_more_than_the_reader_wants_is_refused():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(ours, {"x": np.zeros(100)})
        with pytest.raises(wire.WireError, match="too large"):
            wire.receive(theirs, most=99)
