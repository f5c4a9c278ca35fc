"""Connections to one server: pools of urllib3's, by http, https or a Unix socket; safe among threads and forks."""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import urllib.parse
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
import urllib3.exceptions

from ._connections import Answer, Pool, SecurePool, UnixPool
from ._problems import PenstockError

#: Connections that a process keeps for later; more are made when more threads send at once.
KEPT_CONNECTIONS = 16

#: What a request can end with when its connection can't be made, breaks, or stays silent.
CONNECTION_ERRORS = (urllib3.exceptions.HTTPError, OSError)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


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
        try:
            host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
        except UnicodeError as error:
            raise ValueError(f"server {server!r} has a host that is no name ({error}); {forms}") from None
        prefix = urllib.parse.quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        return cls(parts.scheme, host, port, prefix)


@dataclass
class _Process:
    """What belongs to one process alone."""

    pid: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    pool: Pool | SecurePool | UnixPool | None = None


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
        self._common_fields = self._as_fields()
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

    def post(self, target: str, *, headers: Mapping[str, str], body: Iterable[Any]) -> Answer | None:
        """`request` for one of many POSTs, with its response read; None, with nothing sent, where no connection is kept
        on which it could go."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {self.address.prefix}{target} HTTP/1.1\r\n{self._common_fields}{fields}\r\n"
        return self._pool().post(head.encode("latin-1"), body, self.timeouts.idle)

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

    def _as_fields(self) -> str:
        """What each request has in its head, as urllib3 would write it."""
        address = self.address
        host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
        port = "" if address.port is None else f":{address.port}"
        for name, value in self._headers.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise ValueError(f"the header {name!r} is no text: {value!r}")
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"the header {name!r} has characters that no header has: {value!r}")
        own = {name.lower() for name in self._headers}
        fields = {"Host": host + port, "Accept-Encoding": "identity"}
        fields = {name: value for name, value in fields.items() if name.lower() not in own} | self._headers
        return "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    def _pool(self) -> Pool | SecurePool | UnixPool:
        process = self._process
        if process.pid != os.getpid():
            self.after_fork()
            process = self._process
        with process.lock:
            if process.pool is None:
                process.pool = self._new_pool()
            return process.pool

    def _new_pool(self) -> Pool | SecurePool | UnixPool:
        address = self.address
        common: dict[str, Any] = {"maxsize": KEPT_CONNECTIONS, "block": False, "idle": self.timeouts.idle}
        if address.scheme == "unix":
            return UnixPool(address.path, **common)
        if address.scheme == "https":
            return SecurePool(address.host, address.port, ssl_context=self._ssl_context, **common)
        return Pool(address.host, address.port, **common)


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
