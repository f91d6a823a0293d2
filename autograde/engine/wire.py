"""How values cross the trust boundary: a JSON header and raw array bytes, with limits.

Nothing is unpickled or evaluated. Both sides use this module; the judge's side relies on the
limits here when it reads what a learner's process sends.
"""

import json
import math
import struct

import numpy as np

MAX_HEADER = 1 << 20
MAX_BYTES = 64 << 20
MAX_ITEMS = 10_000
MAX_DEPTH = 4
KINDS = "fiub"


class WireError(Exception):
    """What arrived is not a message of this protocol, or is larger than allowed."""


def send(sock, message):
    """Send a JSON-ready `message`, in which arrays, lists and tuples may stand as values."""
    blobs = []
    header = json.dumps(_pack(message, blobs, 0)).encode()
    blob = b"".join(blobs)
    if len(header) > MAX_HEADER or len(blob) > MAX_BYTES:
        raise WireError(f"a message of {len(header) + len(blob)} bytes is too large")
    sock.sendall(struct.pack("!II", len(header), len(blob)) + header)
    sock.sendall(blob)


def receive(sock):
    """Return the next message. Raises `WireError`, or `EOFError` at the end."""
    sizes = _exactly(sock, 8, first=True)
    header_size, blob_size = struct.unpack("!II", sizes)
    if header_size > MAX_HEADER or blob_size > MAX_BYTES:
        raise WireError("a message is too large")
    header = _exactly(sock, header_size)
    blob = memoryview(_exactly(sock, blob_size))
    try:
        return _unpack(json.loads(header), blob, [0], 0, [0])
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireError(f"a malformed message: {error}") from None


def _exactly(sock, count, first=False):
    parts, left = [], count
    while left:
        part = sock.recv(min(left, 1 << 20))
        if not part:
            if first and left == count:
                raise EOFError
            raise WireError("a message broke off")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _pack(value, blobs, depth):
    if depth > MAX_DEPTH + 2:
        raise WireError("nested too deeply")
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind not in KINDS:
            raise WireError(f"arrays of {array.dtype} do not cross")
        blobs.append(np.ascontiguousarray(array).tobytes())
        step = array.strides[0] // array.itemsize if array.ndim == 1 and array.size > 1 else 1
        return {
            "array": str(array.dtype.newbyteorder("<")),
            "shape": list(array.shape),
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
    """Return the array described, laid out in memory as the sender's was."""
    dtype = np.dtype(str(value["array"]))
    shape, step = value["shape"], value["step"]
    if dtype.kind not in KINDS or dtype.hasobject:
        raise WireError(f"arrays of {dtype} do not cross")
    if not isinstance(shape, list) or len(shape) > 8:
        raise WireError("a malformed shape")
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in (*shape, abs(step))):
        raise WireError("a malformed shape")
    size = math.prod(shape) * dtype.itemsize
    start, stop = offset[0], offset[0] + size
    if stop > len(blob):
        raise WireError("an array is longer than its message")
    offset[0] = stop
    flat = np.frombuffer(blob[start:stop], dtype).reshape(shape)
    if len(shape) == 1 and step not in (0, 1) and abs(step) * size <= MAX_BYTES:
        array = np.zeros(abs(step) * shape[0], dtype)[::step]
        array[...] = flat
    else:
        array = flat.copy()
    array.flags.writeable = bool(value["writeable"])
    return array
