"""Connections of urllib3's as this package has them: by TCP, TLS or a Unix socket.

They have a time-out of their own for sending, responses whose head is whole, and a short way for many requests.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import http.client
import queue
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from . import _cancellation

#: The most lines of a response's head, and bytes of one, as http.client has them.
_MOST_FIELDS, _MOST_LINE_BYTES = 100, 65536
_SMALL_BYTES = 1 << 14
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*\r?\n")


class Response(http.client.HTTPResponse):
    """A response whose head is whole.

    http.client takes a connection's end for the head's, so that a field might be missing, or half a number; and it
    reads the fields as those of an email, which takes longer than all the rest.
    """

    def begin(self) -> None:
        """Reads the head."""
        if self.headers is not None:
            return
        while True:
            version, self.status, reason = self._read_status()
            if not version.startswith("HTTP/1."):
                raise http.client.UnknownProtocol(version)
            fields = self._read_fields()
            # Of 1xx, only that protocols are switched is a last word (RFC 9110 §15.2).
            if not 100 <= self.status < 200 or self.status == http.client.SWITCHING_PROTOCOLS:
                break
        self.code = self.status
        self.reason = reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = self.msg = fields
        coding = fields.get("Transfer-Encoding", "").lower()
        lengths = set(fields.get_all("Content-Length", []))
        if coding not in ("", "chunked") or len(lengths) > 1:
            self.close()
            raise http.client.HTTPException("the head of the response does not say where its body ends")
        self.chunked = coding == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()
        length = lengths.pop() if lengths else ""
        self.length = int(length) if not self.chunked and length.isascii() and length.isdigit() else None
        method: str = self._method
        if method == "HEAD" or self.status in (http.client.NO_CONTENT, http.client.NOT_MODIFIED):
            self.length = 0
        if not self.will_close and not self.chunked and self.length is None:
            self.will_close = True

    def _read_fields(self) -> http.client.HTTPMessage:
        found: list[tuple[str, str]] = []
        while True:
            line = self.fp.readline(_MOST_LINE_BYTES + 1)
            if line in (b"\r\n", b"\n"):
                break
            if not line.endswith(b"\n"):
                self.close()
                if len(line) > _MOST_LINE_BYTES:
                    raise http.client.LineTooLong("header line")
                raise http.client.RemoteDisconnected("the connection ended within the head of the response")
            field = _FIELD.fullmatch(line)
            if field is not None:
                found.append((field[1].decode("ascii"), field[2].decode("latin-1")))
            elif found and line[:1] in (b" ", b"\t"):
                # A line that goes on (RFC 9112 §5.2).
                name, value = found[-1]
                found[-1] = (name, f"{value} {line.strip().decode('latin-1')}")
            else:
                self.close()
                raise http.client.HTTPException(f"the head of the response has {line[:80]!r}, which is no field")
            if len(found) > _MOST_FIELDS:
                self.close()
                raise http.client.HTTPException(f"the head of the response has more than {_MOST_FIELDS} fields")
        fields = http.client.HTTPMessage()
        for name, value in found:
            fields.set_raw(name, value)
        return fields


class _Prepared:
    """What is common to connections: a cancelled call closes them, and sending has a time-out of its own."""

    response_class: type[http.client.HTTPResponse] = Response
    #: Seconds that sending a piece may take; urllib3 would take the time-out of connecting.
    idle: float

    def request(self, *positional: Any, **named: Any) -> None:
        connection: Any = self
        cancellation = _cancellation.current.get()
        if cancellation is not None:
            cancellation.use(connection)
        if connection.sock is None:
            connection.connect()
        # What request() gives the socket.
        connection.timeout = self.idle
        super().request(*positional, **named)  # type: ignore[misc]


class _Connection(_Prepared, urllib3.connection.HTTPConnection):
    pass


class _SecureConnection(_Prepared, urllib3.connection.HTTPSConnection):
    pass


class _UnixConnection(_Connection):
    def __init__(self, host: str, *, socket_path: str, **further: Any) -> None:
        super().__init__(host, **further)
        self._socket_path = socket_path

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if isinstance(self.timeout, (int, float)):
                connection.settimeout(self.timeout)
            connection.connect(self._socket_path)
        except OSError as error:
            connection.close()
            raise urllib3.exceptions.NewConnectionError(self, f"{self._socket_path}: {error}") from error
        return connection


def _joined(head: bytes, pieces: Iterable[Any]) -> Iterator[Any]:
    """The pieces behind the head, which small ones go with: each costs both sides a wake-up."""
    for piece in pieces:
        if head and len(piece) <= _SMALL_BYTES:
            head += bytes(piece)
            continue
        if head:
            yield head
            head = b""
        yield piece
    if head:
        yield head


@dataclass(frozen=True)
class Answer:
    """A response that has been read to its end."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes


class _Kept(queue.LifoQueue[Any]):
    """The connections that a pool keeps, the last one first, instead of urllib3's queue.

    That has a lock, which this never makes: Ctrl-C may leave it locked, so that whatever comes next waits for ever.
    """

    def __init__(self, maxsize: int) -> None:
        self._most = maxsize
        self._connections: collections.deque[Any] = collections.deque()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        """The last; queue.Empty where there is none, at once."""
        try:
            return self._connections.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = False, timeout: float | None = None) -> None:
        """One more; queue.Full where there are enough, about."""
        if len(self._connections) >= self._most:
            raise queue.Full
        self._connections.append(item)

    def qsize(self) -> int:
        """How many there are."""
        return len(self._connections)


class _Preparing:
    """What is common to pools: connections learn the time-out of sending."""

    QueueCls = _Kept

    def __init__(self, *positional: Any, idle: float, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._idle = idle

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()  # type: ignore[misc]
        connection.idle = self._idle
        return connection

    def post(self, head: bytes, pieces: Iterable[Any], read_timeout: float) -> Answer | None:
        """One POST on a connection that is kept, and its response; None, with nothing sent, where there is none.

        What http.client and urllib3 do for each request takes as long as a megabyte does.
        Raises OSError, or urllib3's ProtocolError, where no whole response came.
        """
        connection: Any = self._get_conn()  # type: ignore[attr-defined]
        is_kept = connection.sock is None
        try:
            if connection.sock is None:
                return None
            cancellation = _cancellation.current.get()
            if cancellation is not None:
                cancellation.use(connection)
            connection.sock.settimeout(self._idle)
            is_sent = False
            # What broke the pipe may have said why.
            with contextlib.suppress(BrokenPipeError):
                for piece in _joined(head, pieces):
                    connection.sock.sendall(piece)
                is_sent = True
            connection.sock.settimeout(read_timeout)
            response = Response(connection.sock, method="POST")
            try:
                response.begin()
                answer = Answer(response.status, urllib3.HTTPHeaderDict(response.headers.items()), response.read())
                is_kept = is_sent and not response.will_close
            finally:
                response.close()
            return answer
        except http.client.HTTPException as error:
            if isinstance(error, OSError):
                raise
            raise urllib3.exceptions.ProtocolError(f"the response broke off: {error}", error) from error
        finally:
            if not is_kept:
                connection.close()
            self._put_conn(connection)  # type: ignore[attr-defined]


class Pool(_Preparing, urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class SecurePool(_Preparing, urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class UnixPool(_Preparing, urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, path: str, **further: Any) -> None:
        super().__init__("localhost", **further)
        # Connections are made by what is called for each.
        self.ConnectionCls = functools.partial(_UnixConnection, socket_path=path)  # type: ignore[assignment]
