"""Bearing failures that pass: how long, how often, and what is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

import urllib3.exceptions

from . import _cancellation
from ._problems import Overloaded, PenstockError, Problem, Unreachable
from ._transport import CONNECTION_ERRORS, reason

#: Pauses grow from the first of these to the second, in seconds.
PAUSES = (0.01, 3.0)
#: How long a server that has never responded is waited for, in seconds: a wrong address should not take a minute.
FIRST_CONTACT = 5.0

Value = TypeVar("Value")


class Patience:
    """How long failures of one piece of work are borne: `retry_for` seconds from the last that got on.

    A pause is what the server asks for (Retry-After) or grows by itself. `wait` raises the failure when the time is
    over, or would be after the pause.
    """

    def __init__(self, retry_for: float, what: str) -> None:
        self._retry_for = retry_for
        self._what = what
        self._since: float | None = None
        self._pause = PAUSES[0]

    def got_on(self) -> None:
        """The work has made progress: the time begins anew with the next failure."""
        self._since, self._pause = None, PAUSES[0]

    def wait(self, error: BaseException, retry_after: float | None = None) -> None:
        """Pauses before the next attempt; raises where there is none any more."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        seconds = self._pause * random.uniform(0.7, 1.3) if retry_after is None else retry_after
        if now + seconds > self._since + self._retry_for:
            raise self._final(error, now - self._since) from error
        self._pause = min(self._pause * 2, PAUSES[1])
        pause(seconds)

    def give_up(self, error: BaseException) -> NoReturn:
        """Raises the failure without waiting."""
        raise self._final(error, 0) from error

    def _final(self, error: BaseException, elapsed: float) -> BaseException:
        if isinstance(error, (Problem, Unreachable)):
            return error
        tried = f" for {elapsed:.1f} s (retry_for is {self._retry_for:g})" if elapsed >= 0.1 else ""
        return Unreachable(f"{self._what} failed{tried}: {reason(error)}")


def pause(seconds: float) -> None:
    """Waits; a call that can be cancelled no longer than until it is."""
    cancellation = _cancellation.current.get()
    if cancellation is None:
        time.sleep(seconds)
    else:
        cancellation.wait(seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After; None where there is none, or a date."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None


def is_final(error: BaseException) -> bool:
    """Whether no later attempt could do better: a certificate that is not trusted, a protocol that is another.

    What another attempt within the failing one has given up is final, too.
    """
    if isinstance(error, PenstockError):
        return True
    # TLS's word for a connection that was cut.
    return isinstance(error, urllib3.exceptions.SSLError) and "EOF" not in str(error)


def passes(problem: Problem) -> bool:
    """Whether a refusal is one that time mends: a limit that is reached, a server or a proxy that is restarted.

    Also a writer that is being finalized, as an encoder does whose server is gone: it will soon have ended.
    """
    if problem.code == "wrong-state" and problem.state == "finalizing":
        return True
    if problem.status in (408, 502, 504) and problem.code == "unexpected-response":
        return True
    return isinstance(problem, Overloaded) or problem.code == "request-timeout"


def until_done(attempt: Callable[[], Value], patience: Callable[[], Patience]) -> Value:
    """What `attempt` gives once it gives something. It must be one that can be repeated.

    It raises CONNECTION_ERRORS, or problems with a `retry_after` of theirs.
    """
    waiting: Patience | None = None
    while True:
        _cancellation.raise_if_cancelled()
        try:
            return attempt()
        except Problem as error:
            if not passes(error):
                raise
            failure: BaseException = error
            asked = error.retry_after
        except CONNECTION_ERRORS as error:
            if is_final(error):
                patience().give_up(error)
            failure, asked = error, None
        waiting = waiting or patience()
        waiting.wait(failure, asked)
