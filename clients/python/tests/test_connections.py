"""The short way of requests that are many, and heads of responses as servers and proxies send them."""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading

import pytest
import urllib3

from penstock._transport import CONNECTION_ERRORS, KEPT_CONNECTIONS, Transport

KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Last(bytes):
    """An answer after which the server hangs up."""


class Scripted:
    """A server that answers each whole request of each connection with the next of its answers."""

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.requests, self.connections = list(answers), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
                    self.converse(connection, stream)

    def converse(self, connection, stream) -> None:
        while self.answers:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = stream.readline()
                if not line:
                    return
                head += line
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            self.requests.append((head, stream.read(int(fields.get(b"Content-Length", 0)))))
            answer = self.answers.pop(0)
            for byte in range(0, len(answer), 7):
                connection.sendall(answer[byte : byte + 7])
            if isinstance(answer, Last):
                return


def post(transport, body=(b"abc",)):
    size = sum(map(len, body))
    return transport.post("/chunks?pts=1", headers={"Content-Length": str(size), "Upload-Offset": "0"}, body=body)


def warmed(*answers, **options):
    """A transport that keeps a connection to such a server."""
    server = Scripted(KEPT, *answers)
    transport = Transport(server.url, **options)
    assert transport.request("GET", "/").read() == b"{}"
    return server, transport


def test_nothing_is_sent_where_no_connection_is_kept() -> None:
    server = Scripted()
    assert post(Transport(server.url)) is None
    assert (server.requests, server.connections) == ([], 0)


def test_what_is_sent_is_what_urllib3_sends() -> None:
    server, transport = warmed(KEPT, KEPT, token="secret", headers={"X-Own": "ä"})
    assert post(transport, (b"a" * 3, b"b" * 100_000, b"c")).body == b"{}"
    head, body = server.requests[-1]
    assert body == b"a" * 3 + b"b" * 100_000 + b"c"
    transport.request(
        "POST", "/chunks?pts=1", headers={"Content-Length": "100004", "Upload-Offset": "0"}, body=body
    ).read()
    other, same = server.requests[-1]
    assert same == body and server.connections == 1
    assert sorted(head.split(b"\r\n")) == sorted(other.split(b"\r\n"))


@pytest.mark.parametrize(
    ("answer", "body", "name", "value"),
    [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\nUpload-Offset:7\r\n\r\nabc", b"abc", "upload-offset", "7"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: \t a b \t\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            b"abc",
            "X",
            "a b",
        ),
        (b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", "X", None),
        (b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", "X", None),
        (b"HTTP/1.1 200 OK\r\nX: one\r\n  two\r\nContent-Length: 1\r\n\r\na", b"a", "x", "one two"),
        (b"HTTP/1.1 200 OK\nX: y\nContent-Length: 1\n\na", b"a", "X", "y"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX:\r\n\r\n", b"", "X", ""),
    ],
)
def test_the_connection_goes_on_behind_every_form_of_a_whole_response(answer, body, name, value) -> None:
    server, transport = warmed(answer, answer, KEPT)
    short = post(transport)
    long = transport.request("POST", "/", headers={"Content-Length": "3"}, body=b"abc")
    assert (short.status, short.body, short.headers.get(name)) == (long.status, long.read(), long.headers.get(name))
    assert (short.body, short.headers.get(name)) == (body, value)
    assert post(transport).body == b"{}" and server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        Last(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
        Last(b"HTTP/1.0 200 OK\r\n\r\n{}"),
        Last(b"HTTP/1.1 200 OK\r\n\r\n{}"),
    ],
)
def test_a_response_that_ends_its_connection_is_its_last(answer) -> None:
    server, transport = warmed(answer)
    assert post(transport).body == b"{}"
    assert post(transport) is None
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        Last(),
        Last(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Last(b"HTTP/1.1 200 OK\r\nContent-Length: 5; close\r\n"),
        Last(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{}"),
        Last(b"HTTP/1.1 200 OK\r\nno field\r\nConnection: close\r\n\r\n"),
        Last(b"SMTP/1.1 200 OK\r\n\r\n"),
        Last(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}"),
        Last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n{}"),
        Last(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"Connection: close\r\n\r\n"),
        Last(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\nConnection: close\r\n\r\n"),
    ],
)
def test_a_response_that_is_none_is_a_failure_of_its_connection(answer) -> None:
    _, transport = warmed(answer)
    with pytest.raises(CONNECTION_ERRORS):
        post(transport)
    assert post(transport) is None


def test_a_body_that_fails_leaves_no_connection_behind() -> None:
    _, transport = warmed(KEPT)

    def broken():
        yield b"a" * 100_000
        raise KeyError("no more")

    with pytest.raises(KeyError):
        transport.post("/", headers={"Content-Length": "200000"}, body=broken())
    assert post(transport) is None


def test_a_server_that_refuses_early_is_heard() -> None:
    refusal = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(KEPT)
            connection.recv(10)
            connection.sendall(refusal)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass

    threading.Thread(target=serve, daemon=True).start()
    transport = Transport(f"http://127.0.0.1:{listener.getsockname()[1]}")
    transport.request("GET", "/").read()
    assert post(transport, (b"a" * 1_000_000,) * 8).status == 409
    assert post(transport) is None


@pytest.mark.parametrize(
    ("name", "value"), [("X\n", "y"), ("X Y", "y"), ("X", "y\r\nZ: z"), ("X", "\0"), ("", "y"), ("X", "€")]
)
def test_a_header_that_is_none_is_refused_at_once(name, value) -> None:
    with pytest.raises(ValueError, match="header"):
        Transport("http://127.0.0.1:1", headers={name: value})


def test_heads_of_all_responses_are_read_alike() -> None:
    server = Scripted(Last(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y"))
    with pytest.raises(CONNECTION_ERRORS) as caught:
        Transport(server.url).request("GET", "/")
    assert isinstance(caught.value, (urllib3.exceptions.ProtocolError, http.client.RemoteDisconnected))


def test_the_address_is_written_alike_both_ways() -> None:
    server = Scripted(KEPT, KEPT)
    transport = Transport(server.url + "/a b/ä%20日", headers={"host": "example.org"})
    transport.request("POST", "/chunks?pts=1", headers={"Content-Length": "3"}, body=b"abc").read()
    assert post(transport) is not None
    (one, _), (other, _) = server.requests
    assert one.split(b" ")[1] == other.split(b" ")[1] == b"/a%20b/%C3%A4%20%E6%97%A5/chunks?pts=1"
    assert one.count(b"\r\nHost: ") + one.count(b"\r\nhost: ") == other.count(b"ost: ") == 1
    assert Transport("http://exämple.org").address.host == "xn--exmple-cua.org"


def test_connections_are_kept_without_a_lock() -> None:
    """Ctrl-C would leave it locked, and finalize waiting for it."""
    server, transport = warmed(*[KEPT] * 20)
    kept = transport._pool().pool
    assert not any(hasattr(kept, name) for name in ("mutex", "not_empty", "not_full"))
    for _ in range(20):
        assert post(transport) is not None
    assert server.connections == 1
    while kept.qsize():
        kept.get()
    with pytest.raises(queue.Empty):
        kept.get()
    for _ in range(KEPT_CONNECTIONS):
        kept.put(None)
    with pytest.raises(queue.Full):
        kept.put(None)
