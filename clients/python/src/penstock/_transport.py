"""Connections to one server: pools of urllib3's, by http, https or a Unix socket; safe among threads and forks."""

from __future__ import annotations

import functools
import http.client
import os
import socket
import ssl
import threading
import urllib.parse
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from . import _cancellation
from ._problems import PenstockError

#: Connections that a process keeps for later; more are made when more threads send at once.
KEPT_CONNECTIONS = 16

#: What a request can end with when its connection can't be made, breaks, or stays silent.
CONNECTION_ERRORS = (urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True)
class Timeouts:
    """Seconds: `connect` to make a connection, `answer` to get a response to a request that only asks.

    `idle` is how long anything else may be without progress. It counts anew with every piece that is sent (a megabyte,
    up to eight of them where they go in no time), so it bounds no upload; it is longer than the server's own
    `--call-timeout` (120), within which a slow encoder either goes on or is called stalled.
    """

    connect: float = 10.0
    answer: float = 30.0
    idle: float = 180.0


@dataclass(frozen=True)
class Address:
    """Where a server is: the parts of `http://host:port/prefix`, `https://…` or `unix:/path/of/socket`."""

    scheme: str
    host: str = ""
    port: int | None = None
    prefix: str = ""
    path: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.prefix}"

    @classmethod
    def parse(cls, server: str) -> Address:
        """The address that a text names; ValueError says what is wrong with it."""
        forms = 'it is "http://host:8080", "https://host" or "unix:/path/of/socket"'
        if server.startswith("unix:"):
            path = server.removeprefix("unix:")
            path = "/" + path.lstrip("/") if path.startswith("//") else path
            if not path.startswith("/"):
                raise ValueError(f"server {server!r} has no absolute path of a socket; {forms}")
            return cls("unix", path=path)
        try:
            parts = urllib.parse.urlsplit(server)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"server {server!r} is no address ({error}); {forms}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"server {server!r} is no address; {forms}")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a server's address has no user and password; give a token with token=")
        if parts.query or parts.fragment:
            raise ValueError(f"server {server!r} has a query or a fragment; {forms}")
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


class _Lines:
    """A response's stream while its head is read: remembers the last line."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.stream.readline(limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Response(http.client.HTTPResponse):
    """A response whose head is whole.

    http.client takes a connection's end for the head's, so that a field might be missing, or half a number.
    """

    def begin(self) -> None:
        stream = self.fp
        lines: Any = _Lines(stream)
        self.fp = lines
        super().begin()
        if self.fp is lines:
            self.fp = stream
        if lines.last not in (b"\r\n", b"\n"):
            self.close()
            raise http.client.RemoteDisconnected("the connection ended within the head of the response")


class _Prepared:
    """What is common to connections: a cancelled call closes them, and sending has a time-out of its own."""

    response_class: type[http.client.HTTPResponse] = _Response
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


class _Preparing:
    """What is common to pools: connections learn the time-out of sending."""

    def __init__(self, *positional: Any, idle: float, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._idle = idle

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()  # type: ignore[misc]
        connection.idle = self._idle
        return connection


class _Pool(_Preparing, urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_Preparing, urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _UnixPool(_Preparing, urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, path: str, **further: Any) -> None:
        super().__init__("localhost", **further)
        # Connections are made by what is called for each.
        self.ConnectionCls = functools.partial(_UnixConnection, socket_path=path)  # type: ignore[assignment]


@dataclass
class _Process:
    """What belongs to one process alone."""

    pid: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    pool: urllib3.connectionpool.HTTPConnectionPool | None = None


class Transport:
    """Sends requests to one server. Threads share it; a forked process gets connections of its own."""

    def __init__(
        self,
        server: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.address = Address.parse(server)
        self.timeouts = timeouts or Timeouts()
        self._ssl_context = ssl_context
        self._headers = {"User-Agent": "penstock-python", "Accept": "application/json", **(headers or {})}
        if token is not None:
            if not token or not token.isascii() or not token.isprintable() or " " in token:
                raise ValueError("token is empty or has characters that no token has: visible ASCII without blanks")
            self._headers["Authorization"] = f"Bearer {token}"
        self._process = _Process()
        _transports.add(self)

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[Any] | None = None,
        idle: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One request, sent once, with its response as it comes: the caller reads or closes it.

        Raises one of CONNECTION_ERRORS where no response came.
        """
        timeout = urllib3.Timeout(connect=self.timeouts.connect, read=idle or self.timeouts.idle)
        return self._pool().urlopen(
            method,
            self.address.prefix + target,
            body=body,
            headers={**self._headers, **(headers or {})},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Closes the connections that are kept; a later request makes new ones."""
        process = self._process
        with process.lock:
            pool, process.pool = process.pool, None
        if pool is not None:
            pool.close()

    def after_fork(self) -> None:
        """Leaves connections and lock to the process that they belong to."""
        self._process = _Process()

    def _pool(self) -> urllib3.connectionpool.HTTPConnectionPool:
        process = self._process
        if process.pid != os.getpid():
            self.after_fork()
            process = self._process
        with process.lock:
            if process.pool is None:
                process.pool = self._new_pool()
            return process.pool

    def _new_pool(self) -> urllib3.connectionpool.HTTPConnectionPool:
        address = self.address
        common: dict[str, Any] = {"maxsize": KEPT_CONNECTIONS, "block": False, "idle": self.timeouts.idle}
        if address.scheme == "unix":
            return _UnixPool(address.path, **common)
        if address.scheme == "https":
            return _SecurePool(address.host, address.port, ssl_context=self._ssl_context, **common)
        return _Pool(address.host, address.port, **common)


_transports: weakref.WeakSet[Transport] = weakref.WeakSet()


def _after_fork() -> None:
    for transport in list(_transports):
        transport.after_fork()


os.register_at_fork(after_in_child=_after_fork)


def reason(error: BaseException) -> str:
    """Why a connection failed, in the words of the innermost cause rather than of the layers around it."""
    seen: BaseException = error
    while True:
        inner = seen.__cause__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException) or isinstance(inner, PenstockError):
            break
        seen = inner
    if isinstance(seen, socket.timeout):
        return "no answer in time"
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__
