"""How values cross the trust boundary: a JSON header and raw array bytes, with limits.

Nothing is unpickled or evaluated. Both sides use this module; the judge's side relies on the
limits here when it reads what a learner's process sends.

The array bytes follow the header, or they lie in a piece of memory that both sides share and
whose descriptor travels along: then the sender sees what the receiver does to its arrays.
"""

import fcntl
import json
import math
import mmap
import os
import socket
import struct
import time

import numpy as np

from autograde.layout import MOST, layout, room, view

MAX_HEADER = 1 << 20
MAX_BYTES = 64 << 20
MAX_RESULT = 4 << 20  # of one call; the judge keeps them until an exercise is judged
MAX_ITEMS = 10_000
MAX_DEPTH = 6
KINDS = "fiub"
ALIGNED = 16


class WireError(Exception):
    """What arrived is not a message of this protocol, or is larger than allowed."""


def send(sock, message, memory=None):
    """Send a JSON-ready `message`, in which arrays, lists and tuples may stand as values.

    With `memory`, a `Memory`, the arrays are put there.
    """
    blobs = []
    header = json.dumps(_pack(message, blobs, 0)).encode()
    header += b" " * (-len(header) % ALIGNED)  # what follows is to be aligned too
    blob = b"".join(blobs)
    if len(header) > MAX_HEADER or len(blob) > MAX_BYTES:
        raise WireError(f"a message of {len(header) + len(blob)} bytes is too large")
    sizes = struct.pack("!II", len(header), len(blob))
    if memory and blob:
        memory.fill(blob)
        sent = socket.send_fds(sock, [sizes + header], [memory.descriptor])
        sock.sendall((sizes + header)[sent:])
    else:
        sock.sendall(sizes + header + blob)


def receive(sock, deadline=None, most=MAX_BYTES, *, sharing=False):
    """Return the next message. Raises `WireError`, or `EOFError` at the end.

    `deadline`, on the monotonic clock, holds for the whole message, however slowly it comes;
    past it `TimeoutError` is raised. `most` limits the bytes of its arrays. Only with `sharing`
    may they lie in the sender's memory: who trusts nobody does not read what may vanish.
    """
    sizes, descriptors = _first(sock, deadline, sharing)
    shared = None
    try:
        header_size, blob_size = struct.unpack("!II", sizes)
        if header_size > MAX_HEADER or blob_size > most:
            raise WireError("a message is too large")
        if descriptors:
            header = _exactly(sock, header_size, deadline)
            shared = mmap.mmap(descriptors[0], blob_size)
        else:
            data = bytearray(_exactly(sock, header_size + blob_size, deadline))
            header = data[:header_size]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    blob = memoryview(shared) if shared else memoryview(data)[header_size:]
    try:
        return _unpack(json.loads(header), blob, [0], 0, [0])
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireError(f"a malformed message: {error}") from None


class Memory:
    """Memory to send arrays in. The receiver maps it, so what is done to them is seen here."""

    def __init__(self):
        self.descriptor = os.memfd_create("arrays", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._sent = b""

    def fill(self, blob):
        """Put the arrays' bytes here. From now on it neither grows nor shrinks."""
        self._sent = blob
        os.write(self.descriptor, blob)
        seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)

    def changed(self):
        """Return whether the bytes are no longer those that were sent."""
        return os.pread(self.descriptor, len(self._sent), 0) != self._sent

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)


def _first(sock, deadline, sharing):
    """Return the first eight bytes of a message and the descriptors that came with them."""
    _wait(sock, deadline)
    # A plain recv() drops descriptors unseen.
    data, descriptors = socket.recv_fds(sock, 8, 1)[:2] if sharing else (sock.recv(8), [])
    if not data:
        raise EOFError
    if len(data) < 8:
        data += _exactly(sock, 8 - len(data), deadline)
    return data, descriptors


def _exactly(sock, count, deadline):
    parts, left = [], count
    while left:
        _wait(sock, deadline)
        part = sock.recv(min(left, 1 << 20))
        if not part:
            raise WireError("a message broke off")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _wait(sock, deadline):
    """Let the next call on the socket wait no longer than until `deadline`."""
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("a message came too slowly")
        sock.settimeout(left)


def _pack(value, blobs, depth):
    if depth > MAX_DEPTH + 2:
        raise WireError("nested too deeply")
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind not in KINDS:
            raise WireError(f"arrays of {array.dtype} do not cross")
        axes, step = layout(array)
        if array.flags.c_contiguous:
            blob = array.tobytes()
        else:
            row, spread = room(array.shape, array.dtype, axes, step)
            spread[...] = array
            blob = row.tobytes()
        blobs.append(blob + bytes(-len(blob) % ALIGNED))
        return {
            "array": array.dtype.str,
            "shape": list(array.shape),
            "axes": list(axes),
            "step": step,
            "writeable": bool(array.flags.writeable),
        }
    if isinstance(value, dict):
        return {"dict": {str(k): _pack(v, blobs, depth + 1) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_pack(v, blobs, depth + 1) for v in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise WireError(f"{type(value).__name__} does not cross")


def _unpack(value, blob, offset, depth, items):
    items[0] += 1
    if depth > MAX_DEPTH + 2 or items[0] > MAX_ITEMS:
        raise WireError("nested too deeply or too many values")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if not isinstance(value, dict) or not value:
        raise WireError("a malformed value")
    if "array" in value:
        return _array(value, blob, offset)
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {k: _unpack(v, blob, offset, depth + 1, items) for k, v in inner.items()}
    if kind in ("list", "tuple"):
        if not isinstance(inner, list):
            raise WireError("a malformed value")
        values = [_unpack(v, blob, offset, depth + 1, items) for v in inner]
        return tuple(values) if kind == "tuple" else values
    raise WireError(f"an unknown kind of value: {kind!r}")


def _array(value, blob, offset):
    """Return the array described, a view of `blob`, laid out in memory as the sender's was."""
    name = str(value["array"])
    if len(name) > 8:  # a record may have a hundred thousand fields
        raise WireError("a malformed type")
    dtype = np.dtype(name)
    shape, axes, step = value["shape"], value["axes"], value["step"]
    if dtype.kind not in KINDS or dtype.hasobject:
        raise WireError(f"arrays of {dtype} do not cross")
    if not isinstance(shape, list) or len(shape) > 8:
        raise WireError("a malformed shape")
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in shape):
        raise WireError("a malformed shape")
    if not isinstance(axes, list) or sorted(axes) != list(range(len(shape))):
        raise WireError("malformed axes")
    if type(step) is not int or not 1 <= abs(step) <= MOST:
        raise WireError("a malformed step")
    size = math.prod(shape) * dtype.itemsize * abs(step)
    start, stop = offset[0], offset[0] + size
    if stop > len(blob):
        raise WireError("an array is longer than its message")
    offset[0] = stop + -size % ALIGNED
    array = view(np.frombuffer(blob[start:stop], dtype), shape, axes, step)
    array.flags.writeable = bool(value["writeable"])
    return array
