"""Ending the work of a thread whose result is no longer awaited, also where it waits for a server."""

from __future__ import annotations

import contextlib
import contextvars
import socket
import threading
from typing import Any


class Cancelled(BaseException):
    """Ends the work of a thread whose result is no longer awaited."""


class Cancellation:
    """What one call can be told to end by. Its thread looks at it between attempts and pieces."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._connection: Any = None

    def cancel(self) -> None:
        """Tells the call to end, and wakes it where it waits for its connection."""
        with self._lock:
            self._event.set()
            connected = getattr(self._connection, "sock", None)
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def use(self, connection: Any) -> None:
        """The call's request goes by this connection."""
        with self._lock:
            self._connection = connection
        self.raise_if_set()

    def wait(self, seconds: float) -> None:
        """A pause that ends when the call is to."""
        self._event.wait(seconds)
        self.raise_if_set()

    def raise_if_set(self) -> None:
        """Ends the call's work if it is to end."""
        if self._event.is_set():
            raise Cancelled


#: The current thread's, of calls that can be cancelled.
current: contextvars.ContextVar[Cancellation | None] = contextvars.ContextVar("penstock_cancellation", default=None)


def raise_if_cancelled() -> None:
    """Ends the current thread's work if it is to end."""
    cancellation = current.get()
    if cancellation is not None:
        cancellation.raise_if_set()
