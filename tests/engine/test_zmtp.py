"""Our few lines of ZMTP talk with libzmq, and take no more from it than they should."""

import contextlib
import select
import socket
import threading
import time

import pytest
import zmq

from autograde.engine import zmtp


@contextlib.contextmanager
def talking(path, theirs, kind):
    """A libzmq socket of the type `theirs`, and our connection to it."""
    with zmq.Context() as context, context.socket(theirs) as sock:
        sock.linger = 0
        sock.bind(f"ipc://{path}")
        with contextlib.closing(zmtp.Connection(str(path), kind, 5)) as connection:
            yield sock, connection


def received(connection, seconds=10):
    """Return the next message, however it is cut up on its way."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (message := connection.receive()) is not None:
            return message
        select.select([connection], [], [], 0.1)
    raise TimeoutError


MESSAGES = [[b""], [b"a", b"", b"b" * 255], [b"c" * 256, b"d" * 70_000], [b"e"] * zmtp.MOST_PARTS]


@pytest.mark.parametrize("parts", MESSAGES, ids=len)
def test_messages_go_there_and_back(tmp_path, parts):
    with talking(tmp_path / "s", zmq.ROUTER, "DEALER") as (router, dealer):
        dealer.send(parts, 5)
        whose, *arrived = router.recv_multipart()
        assert arrived == parts
        router.send_multipart([whose, *parts])
        router.send_multipart([whose, b"the next"])
        assert received(dealer) == parts
        assert received(dealer) == [b"the next"]
        assert dealer.receive() is None


def test_a_subscriber_hears_what_is_published(tmp_path):
    with talking(tmp_path / "s", zmq.XPUB, "SUB") as (publisher, subscriber):
        assert publisher.recv() == zmtp.SUBSCRIBE
        publisher.send_multipart([b"topic", b"said"])
        assert received(subscriber) == [b"topic", b"said"]


@pytest.mark.parametrize(
    "parts",
    [[bytes(zmtp.LARGEST_MESSAGE + 1)], [bytes(1 << 20)] * 9, [b""] * (zmtp.MOST_PARTS + 1)],
    ids=["a large part", "much in many parts", "many parts"],
)
def test_a_message_that_is_too_large_is_not_received(tmp_path, parts):
    with talking(tmp_path / "s", zmq.ROUTER, "DEALER") as (router, dealer):
        dealer.send([b"hello"], 5)
        router.send_multipart([router.recv_multipart()[0], *parts], copy=False)
        with pytest.raises(zmtp.TooMuch):
            received(dealer)


@contextlib.contextmanager
def served(path, *pieces):
    """Our connection to a server that sends these pieces, and neither reads nor ends before."""
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve():
            connected, _ = server.accept()
            with connected, contextlib.suppress(OSError):
                for piece in pieces:
                    connected.sendall(piece)
                    time.sleep(0.001)
                over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with contextlib.closing(zmtp.Connection(str(path), "DEALER", 0.5)) as connection:
                yield connection
        finally:
            over.set()
            thread.join()


READY = b"\x04\x06\x05READY"


def test_a_message_arrives_whole_whatever_pieces_it_comes_in_and_commands_are_passed_over(tmp_path):
    frames = b"\x04\x05\x04PING" + b"\x01\x03one" + b"\x02" + (300).to_bytes(8) + b"x" * 300
    pieces = [zmtp.GREETING[:7], zmtp.GREETING[7:], READY, *(bytes([b]) for b in frames[:30])]
    with served(tmp_path / "s", *pieces, frames[30:]) as connection:
        assert received(connection) == [b"one", b"x" * 300]


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([], "timed out"),
        ([b"HTTP/1.1 200 OK\r\n" + bytes(64)], "does not speak ZMTP"),
        ([zmtp.GREETING[:20]], "timed out"),
        ([zmtp.GREETING, b"\x00\x01x"], "is not ready"),
    ],
    ids=["nothing", "another protocol", "half a greeting", "a message too soon"],
)
def test_whoever_does_not_speak_the_protocol_is_not_connected_to(tmp_path, pieces, why):
    with pytest.raises(OSError, match=why), served(tmp_path / "s", *pieces):
        pass


def test_the_end_of_a_connection_is_told(tmp_path):
    with talking(tmp_path / "s", zmq.ROUTER, "DEALER") as (router, dealer):
        router.close()
        with pytest.raises(OSError, match="has ended"):
            received(dealer)


def test_a_message_that_nobody_takes_is_given_up(tmp_path):
    with served(tmp_path / "s", zmtp.GREETING, READY) as connection, pytest.raises(TimeoutError):
        connection.send([bytes(64 << 20)], 0.2)
