"""Requests to the API and their responses: JSON both ways, problems as exceptions, failures that pass borne."""

from __future__ import annotations

import json
import ssl
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from ._problems import NotFound, PenstockError, Problem, problem_of_response
from ._resume import FIRST_CONTACT, Patience, retry_after, until_done
from ._transport import CONNECTION_ERRORS, Timeouts, Transport

#: Seconds from the last progress for which failures that pass are borne.
RETRY_FOR = 60.0

Query = Mapping[str, Any]


@dataclass(frozen=True)
class Response:
    """A response that has been read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's JSON. Raises PenstockError where it is none: something that stands between has responded."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            said = self.body[:80].decode(errors="replace") or "nothing"
            raise PenstockError(f"a response of {self.status} is no JSON; it says: {said}") from error


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return urllib.parse.quote(name, safe="")


def target(path: str, query: Query | None = None) -> str:
    """A path with a query of what is not None; True and False as the server writes them."""
    pairs = [
        (name, {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value)
        for name, value in (query or {}).items()
        if value is not None
    ]
    return path + ("?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote) if pairs else "")


class Calls:
    """One server's API, as requests; what all writers of a client share."""

    def __init__(
        self,
        server: str,
        *,
        token: str | None,
        headers: Mapping[str, str] | None,
        retry_for: float,
        timeouts: Timeouts | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        if not retry_for >= 0:
            raise ValueError(f"retry_for is a number of seconds from 0 on, and not {retry_for!r}")
        self.transport = Transport(server, token=token, headers=headers, timeouts=timeouts, ssl_context=ssl_context)
        self.retry_for = retry_for
        self._has_responded = False

    def patience(self, what: str) -> Patience:
        """How long failures of one piece of work are borne."""
        return Patience(
            self.retry_for if self._has_responded else min(self.retry_for, FIRST_CONTACT),
            f"{what} at {self.transport.address}",
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        value: Any = None,
        headers: Mapping[str, str] | None = None,
        idle: float | None = None,
        retry: bool = True,
    ) -> Response:
        """The response to a request that may be repeated, with `value` as its JSON.

        Raises the problem with which the server refuses it, or Unreachable.
        """
        body = None if value is None else json.dumps(value, allow_nan=False).encode()
        fields = {**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})}

        if idle is None and method in ("GET", "HEAD"):
            idle = self.transport.timeouts.answer

        def attempt() -> Response:
            return self.once(method, path, query=query, headers=fields, body=body, idle=idle)

        if not retry:
            return attempt()
        return until_done(attempt, lambda: self.patience(f"{method} {path}"))

    def delete(self, path: str, query: Query) -> Any:
        """What went with a writer that was deleted; None where the server has nothing to say of it.

        A writer that is not there when the request is repeated was deleted by the first, whose response was lost.
        """
        tries = 0

        def attempt() -> Any:
            nonlocal tries
            tries += 1
            try:
                response = self.once("DELETE", path, query=query)
            except NotFound:
                if tries == 1:
                    raise
                return None
            return response.json() if response.status == 200 else None

        return until_done(attempt, lambda: self.patience(f"DELETE {path}"))

    def once(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[Any] | None = None,
        idle: float | None = None,
    ) -> Response:
        """One attempt. Raises problems, or what CONNECTION_ERRORS has where no whole response came."""
        response = self.begin(method, path, query=query, headers=headers, body=body, idle=idle)
        try:
            content = response.read()
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Response(response.status, response.headers, content)

    def post(
        self, path: str, *, query: Query, headers: Mapping[str, str], body: Callable[[], Iterable[Any]]
    ) -> Response:
        """`once` for one of many POSTs."""
        answer = self.transport.post(target(path, query), headers=headers, body=body())
        if answer is None:
            return self.once("POST", path, query=query, headers=headers, body=body())
        self._has_responded = True
        if not 200 <= answer.status < 300:
            raise self._refusal(answer.status, answer.headers, answer.body, f"POST {path}")
        return Response(answer.status, answer.headers, answer.body)

    def begin(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[Any] | None = None,
        idle: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One attempt, up to a response of 2xx whose body is yet to be read."""
        where = target(path, query)
        response = self.transport.request(method, where, headers=headers, body=body, idle=idle)
        self._has_responded = True
        if 200 <= response.status < 300:
            return response
        try:
            content = response.read()
        except CONNECTION_ERRORS:
            response.close()
            raise
        response.release_conn()
        raise self._refusal(response.status, response.headers, content, f"{method} {path}")

    def _refusal(self, status: int, headers: Mapping[str, str], content: bytes, what: str) -> Problem:
        failure = problem_of_response(
            status, headers.get("Content-Type", ""), content, f"{what} at {self.transport.address}"
        )
        failure.retry_after = retry_after(headers)
        if "offset" not in failure.details and headers.get("Upload-Offset", "").isdigit():
            failure.details["offset"] = int(headers["Upload-Offset"])
        return failure
