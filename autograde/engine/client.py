"""The engine's side of a kernel's sockets. Whatever comes over them may be forged.

`jupyter_client`'s own clients trust their kernel: a malformed message raises in the middle of
the caller's wait. This one speaks the same protocol (Jupyter messaging 5.3), signs with
`jupyter_client.session.Session`, drops what is not signed or not a message, and never connects
twice: by then a learner's code may have put something else in the socket's place.
"""

from __future__ import annotations

import hmac
import json
import math
import time
from collections.abc import Callable
from typing import Any

import nbformat
import zmq
from jupyter_client.session import Session

LARGEST_MESSAGE = 4 << 20
MOST_MESSAGES = 64
"""How many may wait to be read; a kernel drops what is beyond."""
TICK = 0.1
GRACE = 2.0
"""Seconds in which the output of a cell has to end after the cell has."""
NONSENSE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
SHOWN = ("stream", "display_data", "execute_result", "error")


class Client:
    """A connection to one kernel. Raises `RuntimeError` if it does not answer in time."""

    def __init__(self, connection: dict[str, Any], ended: Callable[[], bool]):
        self.ended = ended
        self._session = Session(key=connection["key"].encode(), signature_scheme="hmac-sha256")
        context = zmq.Context.instance()
        self._shell, self._iopub = context.socket(zmq.DEALER), context.socket(zmq.SUB)
        self._iopub.subscribe(b"")
        for sock, port in ((self._shell, "shell_port"), (self._iopub, "iopub_port")):
            sock.linger = 0
            sock.reconnect_ivl = -1
            sock.maxmsgsize = LARGEST_MESSAGE
            sock.rcvhwm = MOST_MESSAGES
            sock.connect(f"ipc://{connection['ip']}-{connection[port]}")
        self._poller = zmq.Poller()
        self._poller.register(self._shell, zmq.POLLIN)
        self._poller.register(self._iopub, zmq.POLLIN)
        self._wait_until_heard()

    def _wait_until_heard(self) -> None:
        """Ask until the answer arrives on iopub too, which begins to listen with some delay."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.ended():
            asked = self._send("kernel_info_request", {})
            if self._until_idle(asked, 0.05, lambda kind, content: True) == "done":
                return
        self.close()
        raise RuntimeError("a kernel did not answer")

    def run(self, code: str, seconds: float, take: Callable[[str, dict], bool]) -> str:
        """Run `code` and return "done", "timeout", "flood" (`take` had enough) or "dead".

        `take(kind, content)` gets each message there is to show, and returns whether it can
        take more.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return self._until_idle(self._send("execute_request", content), seconds, take)

    def close(self) -> None:
        """Close the sockets."""
        self._shell.close()
        self._iopub.close()

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._session.send(self._shell, kind, content)
        return message["header"]["msg_id"]

    def _until_idle(self, asked: str, seconds: float, take) -> str:
        deadline, replied = time.monotonic() + seconds, False
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "flood" if replied else "timeout"
            ready = dict(self._poller.poll(min(left, TICK) * 1000))
            if not ready and self.ended():
                return "dead"
            if self._iopub in ready:
                message = self._receive(self._iopub)
                if message is None:
                    if not take("nonsense", {}):
                        return "flood"
                    continue
                kind, parent, content = message
                if parent.get("msg_id") != asked:
                    if not take("nonsense", {}):
                        return "flood"
                elif kind == "status":
                    if content.get("execution_state") == "idle":
                        return "done"
                elif not take(kind, content):
                    return "flood"
            if self._shell in ready:
                message = self._receive(self._shell)
                if message and message[1].get("msg_id") == asked and not replied:
                    # The end of the output may never come: a message over the limit closes iopub.
                    replied, deadline = True, min(deadline, time.monotonic() + GRACE)

    def _receive(self, sock: zmq.Socket) -> tuple[str, dict, dict] | None:
        """Return kind, parent header and content of the next message, or None if it is none."""
        try:
            frames = sock.recv_multipart(zmq.NOBLOCK)
            start = frames.index(b"<IDS|MSG>") + 1
            signature, *parts = frames[start : start + 5]
            if not hmac.compare_digest(self._session.sign(parts), signature):
                return None
            header, parent, _, content = (json.loads(p, parse_constant=_none) for p in parts)
            kind = header["msg_type"]
        except (zmq.ZMQError, *NONSENSE):
            return None
        if not (isinstance(kind, str) and isinstance(parent, dict) and isinstance(content, dict)):
            return None
        return kind, parent, content


def _none(constant: str) -> None:
    """Stand for NaN and the infinities, which JSON proper does not have."""


class Outputs:
    """Collects the outputs of a cell as nbformat has them, up to about `limit` characters."""

    def __init__(self, limit: int):
        self.left = limit
        self.outputs: list[dict[str, Any]] = []

    def take(self, kind: str, content: dict[str, Any]) -> bool:
        """Take a message; return False once there is too much."""
        self.left -= 200
        if kind in SHOWN and self.left > 0:
            try:
                self._add(kind, content)
            except (*NONSENSE, nbformat.ValidationError):
                pass
        return self.left > 0

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        content = _clean(content)
        self.left -= len(json.dumps(content))
        if self.left <= 0:
            return
        last = self.outputs[-1] if self.outputs else {}
        if kind == "stream" and not isinstance(content["text"], str):
            return  # a file may hold a list of lines, a kernel has no reason to send one
        if kind == "stream" and last.get("name") == content["name"]:
            last["text"] += content["text"]
            return
        wanted = {
            "stream": ("name", "text"),
            "display_data": ("data", "metadata"),
            "execute_result": ("data", "metadata"),
            "error": ("ename", "evalue", "traceback"),
        }[kind]
        output = {"output_type": kind, **{key: content[key] for key in wanted}}
        if kind == "execute_result":
            output["execution_count"] = 1
        nbformat.validate(output, ref="output", version=4)
        self.outputs.append(output)


def _clean(value: Any) -> Any:
    """Return JSON data that every file and database can hold: no half characters."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode().replace("\0", "�")
