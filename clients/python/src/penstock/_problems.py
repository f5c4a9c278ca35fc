"""What can go wrong: every exception that this package raises by itself is a PenstockError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PREFIX = "urn:penstock:problem:"
#: Types that the IANA has registered, with Penstock's codes for them.
_REGISTERED = {"https://iana.org/assignments/http-problem-types#mismatching-upload-offset": "offset-mismatch"}


class PenstockError(RuntimeError):
    """The base of this package's exceptions; a RuntimeError, as torchaudio's and torchcodec's are."""


class Unreachable(PenstockError, ConnectionError):
    """No response came from the server, for as long as failures were to be borne (`retry_for`)."""


class NoServer(PenstockError):
    """There is no server to use: none was named, and no private one could be started."""


class InvalidArray(PenstockError, TypeError, ValueError):
    """What was to be sent is no array, or not one that a stream can take; the message says what would be."""


class Problem(PenstockError):
    """A problem (RFC 9457) with which the server refused a request, or by which a writer failed.

    `details` has all of its members. Those that every caller may want are attributes.
    """

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__(dict(details))
        self.details: dict[str, Any] = dict(details)
        #: The seconds after which the server would have the request repeated, where it said so.
        self.retry_after: float | None = None

    @property
    def code(self) -> str:
        """The problem's stable code, the end of its type: `unknown-encoder`, `offset-mismatch`."""
        kind = str(self.details.get("type", ""))
        return _REGISTERED.get(kind) or kind.removeprefix(_PREFIX).rpartition("#")[2] or "unknown"

    @property
    def status(self) -> int:
        """The response's status, or what it would have been of a writer that failed."""
        return int(self.details.get("status", 0))

    @property
    def title(self) -> str:
        """What kind of problem it is, in words."""
        return str(self.details.get("title", ""))

    @property
    def detail(self) -> str:
        """What was wrong, and what to do about it."""
        return str(self.details.get("detail", ""))

    @property
    def parameter(self) -> str | None:
        """The parameter at fault."""
        return self._text("parameter")

    @property
    def pointer(self) -> str | None:
        """A JSON pointer to the member at fault of the body that was sent."""
        return self._text("pointer")

    @property
    def did_you_mean(self) -> str | None:
        """The parameter, option or value that was probably meant."""
        return self._text("did_you_mean")

    @property
    def supported(self) -> list[str]:
        """The values that would be accepted; empty where the problem has none."""
        return [str(value) for value in self.details.get("supported", [])]

    @property
    def log(self) -> list[str]:
        """The last lines that FFmpeg's libraries logged; empty where the problem has none."""
        return [str(line) for line in self.details.get("log", [])]

    @property
    def libav_error(self) -> str | None:
        """The error of FFmpeg's libraries."""
        return self._text("libav_error")

    @property
    def request_id(self) -> str | None:
        """The request's id, by which the server's log has it."""
        return self._text("request_id")

    @property
    def state(self) -> str | None:
        """The writer's state, where that is why."""
        return self._text("state")

    @property
    def offset(self) -> int | None:
        """How many bytes the server has of the stream, where the problem says so."""
        offset = self.details.get("offset")
        return offset if isinstance(offset, int) else None

    def _text(self, member: str) -> str | None:
        value = self.details.get(member)
        return None if value is None else str(value)

    def __str__(self) -> str:
        text = f"{self.title}: {self.detail}" if self.title else self.detail
        what = (
            f" (parameter {self.parameter})" if self.parameter and self.parameter not in (*text.split(), "body") else ""
        )
        values = ""
        if self.supported and self.did_you_mean is None and not any(value in text for value in self.supported):
            shown = ", ".join(self.supported[:12])
            values = f" It takes: {shown}{', …' if len(self.supported) > 12 else ''}."
        return f"{text}{what}{values} [{self.status} {self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.details,))


class InvalidRequest(Problem, ValueError):
    """A parameter, an option, an array or a filter that the server does not take (400, 413, 415, 422)."""


class Unauthorized(Problem):
    """The token is missing or unknown (401)."""


class Forbidden(Problem):
    """The operator does not allow this destination or option, or the token does not allow the request (403)."""


class NotFound(Problem, LookupError):
    """There is no such writer, stream, encoder, muxer or filter (404)."""


class Conflict(Problem):
    """The state of the writer or the stream does not allow it, or the destination exists (409)."""


class Overloaded(Problem):
    """A limit of the server is reached (429, 503), and was for as long as failures were to be borne."""


class WriterFailed(Problem):
    """The writer has failed and takes no more: its encoder, its destination or the disk did."""


_BY_STATUS: dict[int, type[Problem]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: Overloaded,
    503: Overloaded,
}
#: What a writer does not outlive.
_FAILURES = {
    *("encoder-crashed", "encoder-stalled", "encoding-failed", "memory-limit"),
    *("destination-failed", "output-damaged", "no-space", "output-limit"),
}


def problem(details: Mapping[str, Any]) -> Problem:
    """The exception that stands for a problem document.

    A request that was refused because its writer had failed gives the failure itself, as WriterFailed.
    """
    failure = details.get("failure")
    if isinstance(failure, Mapping):
        return WriterFailed(failure)
    found = Problem(details)
    if found.code in _FAILURES:
        return WriterFailed(details)
    return _BY_STATUS.get(found.status, Problem)(details)


def problem_of_response(status: int, content_type: str, body: bytes, request: str) -> Problem:
    """The exception of a response that is not 2xx, also where something other than Penstock has responded."""
    if content_type.partition(";")[0].strip() == "application/problem+json":
        try:
            details = json.loads(body)
        except ValueError:
            details = None
        if isinstance(details, dict):
            return problem({"status": status, **details})
    text = " ".join(body[:300].decode("utf-8", "replace").split())
    return problem(
        {
            "type": "about:blank#unexpected-response",
            "title": f"The response to {request} is no problem document",
            "status": status,
            "detail": f"is {request.split()[-1]} a Penstock server's? It said: {text or 'nothing'}",
        }
    )
