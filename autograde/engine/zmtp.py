"""As much of ZMTP 3.0 as it takes to talk to a kernel that may be hostile.

libzmq limits the size of each part of a message and the number of messages that wait, but not the
number of parts: a message that does not end fills the memory of whoever receives it. Here a
whole message has a limit. The protocol: https://rfc.zeromq.org/spec/23/
"""

from __future__ import annotations

import socket

LARGEST_MESSAGE = 4 << 20
MOST_PARTS = 100
CHUNK = 1 << 18
MORE, LONG, COMMAND = 1, 2, 4
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
SUBSCRIBE = b"\x01"


class TooMuch(OSError):
    """The other side has sent a message that is too large."""


class Connection:
    """A connection to the Unix socket at `path`, as a socket of the given `kind`.

    That is "DEALER", or "SUB" for one that subscribes to everything. Raises `OSError` if there is
    nobody who speaks the protocol, or nobody within `seconds`.
    """

    def __init__(self, path: str, kind: str, seconds: float):
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._size = 0
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(seconds)
            self._socket.connect(path)
            self._socket.sendall(GREETING)
            theirs = self._exactly(len(GREETING))
            if theirs[0] != 0xFF or theirs[10] < 3 or theirs[12:32] != GREETING[12:32]:
                raise OSError("the other side does not speak ZMTP 3")
            ready = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4) + kind.encode()
            self._socket.sendall(bytes([COMMAND, len(ready)]) + ready)
            flags, size = self._exactly(2)
            if flags != COMMAND or not self._exactly(size).startswith(b"\x05READY"):
                raise OSError("the other side is not ready")
            if kind == "SUB":
                self.send([SUBSCRIBE], seconds)
            self._socket.setblocking(False)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the socket's descriptor, to wait for."""
        return self._socket.fileno()

    def send(self, parts: list[bytes], seconds: float) -> None:
        """Send a message. Raises `OSError`, `TimeoutError` if it is not taken in `seconds`."""
        frames = []
        for number, part in enumerate(parts, 1):
            long = len(part) > 255
            flags = (MORE if number < len(parts) else 0) | (LONG if long else 0)
            frames += [bytes([flags]), len(part).to_bytes(8 if long else 1), part]
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(b"".join(frames))
        finally:
            self._socket.setblocking(False)

    def receive(self) -> list[bytes] | None:
        """Return the next message, or None if it is not there yet; never wait.

        Raises `OSError` at the connection's end, and `TooMuch`.
        """
        if (message := self._next()) is not None:
            return message
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return None
        if not data:
            raise OSError("the connection has ended")
        self._buffer += data
        return self._next()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _next(self) -> list[bytes] | None:
        """Take a message off the buffer if there is a whole one."""
        while len(self._buffer) >= 2:
            flags = self._buffer[0]
            start = 9 if flags & LONG else 2
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[1:start])
            if self._size + size > LARGEST_MESSAGE or len(self._parts) == MOST_PARTS:
                raise TooMuch("a message is too large")
            if len(self._buffer) < start + size:
                return None
            part = bytes(self._buffer[start : start + size])
            del self._buffer[: start + size]
            if flags & COMMAND:  # such as a heartbeat, which we have not asked for
                continue
            self._parts.append(part)
            self._size += size
            if not flags & MORE:
                message, self._parts, self._size = self._parts, [], 0
                return message
        return None

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise OSError("the connection has ended")
            data += part
        return data
