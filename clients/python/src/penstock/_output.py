"""The encoded bytes as they come, from one end to the other whatever happens to connections between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import urllib3
import urllib3.exceptions

from ._calls import Calls
from ._problems import Problem, problem
from ._resume import Patience, is_final, passes
from ._transport import CONNECTION_ERRORS

#: The most that is read at once.
READ_BYTES = 1 << 18
#: The same of a chunked body, of which a chunk that is cut within is lost.
CHUNK_BYTES = 1 << 14


class Output:
    """Reads a writer's output from `offset`, at most `length` bytes.

    While the writer lives the bytes come as they are written (of formats that rewrite their start: at the end). A
    reader that waits holds no connection longer than the idle time-out: it asks anew then.
    """

    def __init__(
        self,
        calls: Calls,
        path: str,
        *,
        query: Mapping[str, Any],
        record: Callable[[], Any],
        offset: int = 0,
        length: int | None = None,
    ) -> None:
        if offset < 0 or (length is not None and length < 0):
            raise ValueError(f"offset and length count bytes from 0 on, and not {offset} and {length}")
        self._calls = calls
        self._path = path
        self._query = query
        self._record = record
        self._at = offset
        self._end = None if length is None else offset + length
        self._patience: Patience | None = None

    def __iter__(self) -> Iterator[bytes]:
        while self._end is None or self._at < self._end:
            try:
                response = self._begin()
                if response is None:
                    return
                yield from self._read(response)
                return
            except Problem as error:
                if not passes(error):
                    raise
                self._wait(error, error.retry_after)
            except urllib3.exceptions.ReadTimeoutError as error:
                # Nothing may have been written for a while. Whether the server is there shows in that it says how the
                # writer is; once that has ended there is nothing to wait for.
                if self._record()["state"] in ("closed", "failed"):
                    self._wait(error)
            except CONNECTION_ERRORS as error:
                if not is_final(error):
                    self._raise_if_failed()
                self._wait(error)

    def _begin(self) -> urllib3.BaseHTTPResponse | None:
        headers = {}
        if self._at or self._end is not None:
            headers["Range"] = f"bytes={self._at}-{'' if self._end is None else self._end - 1}"
        try:
            return self._calls.begin("GET", self._path, query=self._query, headers=headers)
        except Problem as error:
            # Nothing follows the last byte, which is where a reader is whose connection broke right behind it.
            if error.status == 416 and error.details.get("size") == self._at:
                return None
            raise

    def _read(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        try:
            # A writer that lives takes no Range: what was read before is passed over.
            passed = 0 if response.status == 206 else self._at
            for piece in _pieces(response):
                if passed >= len(piece):
                    passed -= len(piece)
                    continue
                rest = piece[passed:] if passed else piece
                passed = 0
                if self._end is not None:
                    rest = rest[: self._end - self._at]
                self._at += len(rest)
                if self._patience is not None:
                    self._patience.got_on()
                yield rest
                if self._at == self._end:
                    response.close()
                    return
            response.release_conn()
            state = response.headers.get("Penstock-Writer-State")
            if state == "failed":
                self._raise_if_failed()
        except BaseException:
            response.close()
            raise

    def _raise_if_failed(self) -> None:
        record = self._record()
        if record["state"] == "failed":
            raise problem(record["failure"])

    def _wait(self, error: BaseException, pause: float | None = None) -> None:
        if self._patience is None:
            self._patience = self._calls.patience(f"GET {self._path}")
        if is_final(error) and not isinstance(error, Problem):
            self._patience.give_up(error)
        self._patience.wait(error, pause)


def _pieces(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """A body as it comes: what is there when a connection breaks is not lost."""
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked" or not hasattr(response, "read1"):
        yield from response.stream(CHUNK_BYTES)
        return
    while piece := response.read1(READ_BYTES):
        yield piece
