"""The server to use: the one that is named, that of PENSTOCK_URL, or a private one of this process."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from . import _private

if TYPE_CHECKING:
    from .client import Client

_lock = threading.Lock()
_clients: dict[tuple[str, str | None], Client] = {}


def connect(server: str | Client | None = None, token: str | None = None) -> Client:
    """The client of `server`: an address or a Client; without one PENSTOCK_URL's; without that, a private server's.

    Clients of the same address and token are one. Raises NoServer where none is named and no private one can be
    started.
    """
    from .client import Client

    if isinstance(server, Client):
        if token is not None:
            raise ValueError("a Client has a token of its own: give token to the Client")
        return server
    key = resolve(server, token)
    with _lock:
        if key not in _clients:
            _clients[key] = Client(*key[:1], token=key[1])
        return _clients[key]


def resolve(server: str | None, token: str | None) -> tuple[str, str | None]:
    """The address and the token to use.

    PENSTOCK_TOKEN is for the server of PENSTOCK_URL and goes to no other address.
    """
    if server is not None and not isinstance(server, str):
        raise TypeError(f"server is an address or a penstock.Client, and not a {type(server).__name__}")
    named = os.environ.get("PENSTOCK_URL") or None
    if server is None and named is None:
        # It asks for no token: only this user reaches its socket.
        return _private.address(), None
    if token is None and server in (None, named):
        token = os.environ.get("PENSTOCK_TOKEN") or None
    return server or str(named), token


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
