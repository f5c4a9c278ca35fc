"""One array's way into one stream: cut connections, refusals that pass and lost receipts are made good here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import urllib3.exceptions

from ._arrays import Array
from ._calls import Calls, Response
from ._cancellation import raise_if_cancelled
from ._problems import Conflict, PenstockError, Problem, problem
from ._resume import Patience, is_final, passes
from ._transport import CONNECTION_ERRORS

if TYPE_CHECKING:
    from .types import Receipt

#: What is given to the socket at once, at first: a time-out counts for so much, and a cancelled task ends after it.
PIECE_BYTES = 1 << 20
#: The most of it, for a server that takes a piece within QUICK_SECONDS: each costs the time of many system calls.
MOST_PIECE_BYTES = 1 << 23
QUICK_SECONDS = 0.02
#: A body up to this size is copied to stand in one buffer.
SMALL_BYTES = 1 << 14


@dataclass
class StreamState:
    """What this process knows of one stream: its lock lets one chunk after the other through.

    `offset` is None where it has to be asked: after an upload that did not come to its end here.
    """

    index: int
    path: str
    bytes_per_frame: int
    offset: int | None = None
    next_pts: float = 0.0
    piece_bytes: int = PIECE_BYTES
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Chunk:
    """What to send, and how."""

    array: Array
    pts: float | None = None
    duration: float | None = None
    keyframe: bool = False
    raw: bool = False


class Upload:
    """Sends one chunk until the server has all of it, or says why it can't have it."""

    def __init__(
        self,
        calls: Calls,
        stream: StreamState,
        chunk: Chunk,
        *,
        query: dict[str, Any],
        record: Callable[[], Any],
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        self._calls = calls
        self._stream = stream
        self._chunk = chunk
        self._query = query
        self._record = record
        self._on_sent = on_sent
        self._patience: Patience | None = None
        self._base = 0
        self._done = 0

    def run(self) -> Receipt:
        """The receipt for the whole chunk, however many requests it took. The caller holds the stream's lock."""
        stream = self._stream
        if stream.offset is None:
            stream.offset = self._ask()
        self._base = stream.offset
        start = stream.next_pts if self._chunk.pts is None else self._chunk.pts
        stream.offset = None
        is_resumed = False
        while True:
            try:
                receipt = self._receipt(self._attempt())
                break
            except Problem as error:
                if not self._mends(error, is_resumed):
                    stream.offset = error.offset
                    if error.code != "wrong-state":
                        raise
                    raise explained(error, self._record(), stream.index) from None
            except CONNECTION_ERRORS as error:
                self._wait(error)
                self._reposition(self._ask_again())
            is_resumed = True
            if self._done == self._chunk.array.nbytes:
                receipt = self._reconstructed()
                break
        if is_resumed:
            receipt["frames"] = self._chunk.array.nbytes // stream.bytes_per_frame
            receipt["pts"]["start"] = start
        stream.offset, stream.next_pts = receipt["offset"], receipt["pts"]["end"]
        return receipt

    def _receipt(self, response: Response) -> Receipt:
        """The chunk's. Raises one of CONNECTION_ERRORS where it is none: what stands between may mix things up."""
        end = self._base + self._chunk.array.nbytes
        try:
            receipt: Receipt = response.json()
            if receipt["offset"] == end:
                return receipt
        except (PenstockError, KeyError, TypeError):
            pass
        raise urllib3.exceptions.ProtocolError(f"this is no receipt of what goes up to {end}: {response.body[:200]!r}")

    def _attempt(self) -> Response:
        chunk, done = self._chunk, self._done
        query = {**self._query, "duration": chunk.duration, "raw": True if chunk.raw else None}
        if done == 0:
            query |= {"pts": chunk.pts, "keyframe": True if chunk.keyframe else None}
        array = chunk.array
        head = b"" if array.typestr is None else array.head(skipped=self._rows(done))
        headers = {
            "Content-Type": "application/octet-stream" if array.typestr is None else "application/x-npy",
            "Content-Length": str(len(head) + array.nbytes - done),
            "Upload-Offset": str(self._base + done),
        }
        path, rest = f"{self._stream.path}/chunks", array.data[done:]
        return self._calls.post(path, query=query, headers=headers, body=lambda: self._pieces(head, rest))

    def _rows(self, done: int) -> int:
        """The array's rows that are in: whole ones, as the server takes whole frames."""
        shape = self._chunk.array.shape
        return 0 if not done or not shape else done * shape[0] // self._chunk.array.nbytes

    def _pieces(self, head: bytes, data: memoryview) -> Iterator[bytes | memoryview]:
        if len(head) + len(data) <= SMALL_BYTES:
            yield head + data
            self._tell(len(data))
            return
        if head:
            yield head
        sent = 0
        while sent < len(data):
            raise_if_cancelled()
            piece = data[sent : sent + self._stream.piece_bytes]
            began = time.monotonic()
            yield piece
            self._fit_pieces(time.monotonic() - began, len(piece))
            sent += len(piece)
            self._tell(sent)

    def _fit_pieces(self, seconds: float, size: int) -> None:
        """To how fast the last one went."""
        stream = self._stream
        if seconds > QUICK_SECONDS:
            stream.piece_bytes = max(stream.piece_bytes // 2, PIECE_BYTES)
        elif size == stream.piece_bytes:
            stream.piece_bytes = min(stream.piece_bytes * 2, MOST_PIECE_BYTES)

    def _tell(self, sent: int) -> None:
        if self._on_sent is not None:
            self._on_sent(self._done + sent)

    def _mends(self, error: Problem, is_resumed: bool) -> bool:
        """Whether to go on after this refusal, from where the server says; waits before that where it should."""
        if error.code == "offset-mismatch" and is_resumed and error.offset is not None:
            # What was on its way while the offset was asked has come in since.
            self._reposition(error.offset)
            return True
        if error.code in ("body-cut", "chunk-in-progress") or passes(error):
            self._wait(error, error.retry_after)
            self._reposition(self._ask_again())
            return True
        if error.code == "chunk-interrupted" and is_resumed:
            # One of our own requests, thought to be lost, has been taken over by the next.
            self._wait(error)
            self._reposition(self._ask_again())
            return True
        return False

    def _wait(self, error: BaseException, pause: float | None = None) -> None:
        if self._patience is None:
            self._patience = self._calls.patience(f"sending to stream {self._stream.index}")
        if is_final(error) and not isinstance(error, Problem):
            self._patience.give_up(error)
        self._patience.wait(error, pause)

    def _ask(self) -> int:
        return ask_offset(self._calls, self._stream.path, self._query, self._record, self._stream.index)

    def _ask_again(self) -> int:
        """Where the stream is after a failure: a server that was restarted may not know yet what its writers are at."""
        while True:
            try:
                return self._ask()
            except Problem as error:
                if error.status != 409 or error.state in ("closed", "failed"):
                    raise
                self._wait(error)

    def _reposition(self, offset: int) -> None:
        done = offset - self._base
        if not 0 <= done <= self._chunk.array.nbytes:
            raise Conflict(
                {
                    "type": "urn:penstock:problem:offset-mismatch",
                    "title": "The stream is elsewhere",
                    "status": 409,
                    "detail": f"stream {self._stream.index} has {offset} bytes on the server, while what is sent here "
                    f"goes from {self._base} to {self._base + self._chunk.array.nbytes}: "
                    + ("another client sends to it" if done > 0 else "the server has lost what it had taken"),
                    "offset": offset,
                }
            )
        if done > self._done and self._patience is not None:
            self._patience.got_on()
        self._done = done

    def _reconstructed(self) -> Receipt:
        """The receipt of a chunk that is in, whose own was lost."""
        record = self._record()
        stream = record["streams"][self._stream.index]
        return {
            "frames": 0,
            "offset": stream["offset"],
            "pts": {"start": 0.0, "end": stream["next_pts"]},
            "frames_encoded": stream["frames_encoded"],
            "bytes_written": record["bytes_written"],
        }


def ask_offset(calls: Calls, path: str, query: dict[str, Any], record: Callable[[], Any], index: int) -> int:
    """How many bytes of a stream the server has; where it takes no more, the problem is why."""
    try:
        response = calls.call("HEAD", f"{path}/chunks", query=query)
    except Problem as error:
        # A response to HEAD has no body: GET says what the matter is.
        raise explained(error, record(), index) from None
    return int(response.headers["Upload-Offset"])


def explained(error: Problem, record: Any, index: int) -> Problem:
    """Why a writer takes no more, and how far the stream is; the same problem where the writer is open."""
    if record["state"] == "failed":
        return problem(record["failure"])
    if record["state"] not in ("closed", "finalizing"):
        return error
    stream = record["streams"][index]
    ended_by = record.get("result", {}).get("ended_by")
    by = "" if ended_by in (None, "finalize") else f" ({ended_by})"
    taken = f"{stream['frames']} frames ({stream['offset']} bytes) of stream {index}"
    return Conflict(
        {
            "type": "urn:penstock:problem:wrong-state",
            "title": "The writer takes no more",
            "status": 409,
            "detail": f"writer {record['id']} is {record['state']}{by}, with {taken}",
            "state": record["state"],
            "offset": stream["offset"],
            "request_id": error.request_id,
        }
    )
