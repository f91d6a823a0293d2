"""The engine's side of a kernel's sockets. Whatever comes over them may be forged.

`jupyter_client`'s own clients trust their kernel: a malformed message raises in the middle of
the caller's wait. This one speaks the same protocol (Jupyter messaging 5.3), signs with
`jupyter_client.session.Session`, drops what is not signed or not a message, and never connects
twice: by then a learner's code may have put something else in the socket's place. Why it does
not use libzmq, `zmtp.py` says.
"""

from __future__ import annotations

import hmac
import json
import select
import time
from collections.abc import Callable
from typing import Any

import nbformat
from jupyter_client.session import Session

from autograde.engine.harmless import harmless
from autograde.engine.zmtp import Connection, TooMuch

PATIENCE = 30.0
"""Seconds in which a kernel has to answer for the first time."""
TICK = 0.1
MOST_HEARD = 16 << 20
"""Bytes that a kernel may send for one cell, whatever comes of them."""
GRACE = 2.0
"""Seconds in which the output of a cell has to end after the cell has."""
NONSENSE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
SHOWN = ("stream", "display_data", "execute_result", "error")


class Client:
    """A connection to one kernel. Raises `RuntimeError` if it does not answer in time."""

    def __init__(self, connection: dict[str, Any], ended: Callable[[], bool]):
        self.ended = ended
        self._session = Session(key=connection["key"].encode(), signature_scheme="hmac-sha256")
        self._sockets: list[Connection] = []
        try:
            for kind, port in (("DEALER", "shell_port"), ("SUB", "iopub_port")):
                path = f"{connection['ip']}-{connection[port]}"
                self._sockets.append(Connection(path, kind, PATIENCE))
            self._shell, self._iopub = self._sockets
            self._poll = select.poll()
            for sock in self._sockets:
                self._poll.register(sock, select.POLLIN)
            self._wait_until_heard()
        except OSError as error:
            self.close()
            raise RuntimeError(f"a kernel did not answer: {error}") from None

    def _wait_until_heard(self) -> None:
        """Ask until the answer arrives on iopub too, which begins to listen with some delay."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self.ended():
            asked = self._send("kernel_info_request", {}, PATIENCE)
            if self._until_idle(asked, 0.05, lambda kind, content: True) == "done":
                return
        raise TimeoutError("it cannot be heard")

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
        deadline = time.monotonic() + seconds
        try:
            asked = self._send("execute_request", content, max(TICK, seconds))
        except TimeoutError:
            return "timeout"
        except OSError:
            return "dead"
        return self._until_idle(asked, deadline - time.monotonic(), take)

    def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets:
            sock.close()

    def _send(self, kind: str, content: dict[str, Any], seconds: float) -> str:
        message = self._session.msg(kind, content)
        self._shell.send(self._session.serialize(message), seconds)
        return message["header"]["msg_id"]

    def _until_idle(self, asked: str, seconds: float, take) -> str:
        deadline, replied, heard = time.monotonic() + seconds, False, 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return "flood" if replied else "timeout"
            try:
                said, reply = self._iopub.receive(), self._shell.receive()
            except TooMuch:
                return "flood"
            except OSError:
                return "dead"
            heard += sum(map(len, [*(said or ()), *(reply or ())]))
            if heard > MOST_HEARD:
                return "flood"
            if said is None and reply is None:
                if self.ended():
                    return "dead"
                self._poll.poll(min(left, TICK) * 1000)
            if said is not None:
                kind, parent, content = self._understood(said) or ("nonsense", {}, {})
                if kind == "status" and parent.get("msg_id") == asked:
                    if content.get("execution_state") == "idle":
                        return "done"
                elif not take(kind if parent.get("msg_id") == asked else "nonsense", content):
                    return "flood"
            if reply is not None and not replied:
                message = self._understood(reply)
                if message and message[1].get("msg_id") == asked:
                    # The end of the output may never come: a kernel drops what is not read in time.
                    replied, deadline = True, min(deadline, time.monotonic() + GRACE)

    def _understood(self, frames: list[bytes]) -> tuple[str, dict, dict] | None:
        """Return kind, parent header and content of a message, or None if it is none."""
        try:
            start = frames.index(b"<IDS|MSG>") + 1
            signature, *parts = frames[start : start + 5]
            if not hmac.compare_digest(self._session.sign(parts), signature):
                return None
            header, parent, _, content = map(json.loads, parts)
            kind = header["msg_type"]
        except NONSENSE:
            return None
        if not (isinstance(kind, str) and isinstance(parent, dict) and isinstance(content, dict)):
            return None
        return kind, parent, content


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
        self.left -= len(json.dumps(content))
        if self.left <= 0:
            return
        if kind == "stream" and not isinstance(content["text"], str):
            return  # a file may hold a list of lines, a kernel has no reason to send one
        wanted = {
            "stream": ("name", "text"),
            "display_data": ("data",),
            "execute_result": ("data",),
            "error": ("ename", "evalue", "traceback"),
        }[kind]
        output = {"output_type": kind, **{key: _clean(content[key]) for key in wanted}}
        last = self.outputs[-1] if self.outputs else {}
        if kind == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
            return
        if "data" in wanted:
            output |= {"data": harmless(output["data"]), "metadata": {}}
            if not output["data"]:
                return
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
    return value


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode().replace("\0", "�")
