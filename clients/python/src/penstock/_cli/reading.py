"""The bytes of a file or of standard input, and media in them as frames."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from typing import Any, Protocol

from .._problems import PenstockError

#: What is read ahead at once where lines and heads are read, in bytes.
READ_AHEAD = 1 << 16


class InvalidInput(PenstockError, ValueError):
    """The input is not what it should be, or ends too early; the message says where."""


class Source(Protocol):
    """Media of one stream: `stream` as the API has it, without what the user adds."""

    @property
    def stream(self) -> dict[str, Any]:
        """Members of the stream's request: its type, rate, size or channels, format."""

    def chunks(self, frame_bytes: int) -> Iterator[memoryview]:
        """Whole frames, as they come, of `frame_bytes` each; each chunk is valid until the next one is asked for.

        Raises InvalidInput where the input ends within a frame, after all whole ones have been given.
        """


class Input:
    """A file descriptor that is read once, from its start to its end. `name` is how messages call it."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.name = name
        self.position = 0
        self._descriptor = descriptor
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        """The next bytes, which stay to be read; fewer than `count` only at the end."""
        while len(self._ahead) < count:
            piece = os.read(self._descriptor, READ_AHEAD)
            if not piece:
                break
            self._ahead += piece
        return self._ahead[:count]

    def read(self, count: int) -> bytes:
        """The next bytes; fewer than `count` only at the end."""
        data = self.peek(count)
        self._ahead = self._ahead[len(data) :]
        self.position += len(data)
        return data

    def line(self, limit: int) -> bytes | None:
        """The next line without its newline; None where there is none within `limit` bytes."""
        count = 128
        while True:
            found = self.peek(min(count, limit))
            if (end := found.find(b"\n")) >= 0:
                return self.read(end + 1)[:-1]
            if len(found) < count or count >= limit:
                return None
            count *= 2

    def fill(self, buffer: memoryview, at_least: int) -> int:
        """Reads into a buffer what has come, and waits for `at_least` bytes; fewer only at the end."""
        filled = min(len(buffer), len(self._ahead))
        buffer[:filled] = self._ahead[:filled]
        self._ahead = self._ahead[filled:]
        while filled < len(buffer) and (filled < at_least or self._is_ready()):
            count = os.readv(self._descriptor, [buffer[filled:]])
            if count == 0:
                break
            filled += count
        self.position += filled
        return filled

    def is_ready(self) -> bool:
        """Whether there is something to read, or the end, without waiting."""
        return bool(self._ahead) or self._is_ready()

    def drain(self) -> None:
        """Reads to the end, so that a program which writes there can do so."""
        self._ahead = b""
        while os.read(self._descriptor, READ_AHEAD):
            pass

    def _is_ready(self) -> bool:
        return bool(select.select([self._descriptor], [], [], 0)[0])


def frames(
    source: Input, frame_bytes: int, chunk_bytes: int, left: int | None = None, may_end: bool = False
) -> Iterator[memoryview]:
    """Whole frames that lie one behind the other, in chunks of about `chunk_bytes` at most.

    `left` is how many bytes there are, where that is known. Raises InvalidInput where the input ends before, unless it
    `may_end`, or within a frame.
    """
    buffer = memoryview(bytearray(max(1, chunk_bytes // frame_bytes) * frame_bytes))
    kept = taken = 0
    while left is None or left > 0:
        room = buffer[kept:] if left is None else buffer[kept : kept + left]
        count = source.fill(room, min(frame_bytes - kept, len(room)))
        if left is not None:
            left -= count
        whole = (kept + count) // frame_bytes * frame_bytes
        rest = kept + count - whole
        if whole:
            yield buffer[:whole]
            taken += whole // frame_bytes
            buffer[:rest] = bytes(buffer[whole : whole + rest])
        kept = rest
        if count == 0:
            break
    if kept:
        raise InvalidInput(
            f"{source.name} ends within frame {taken}, counted from 0: it has {kept} of the {frame_bytes} bytes of one"
        )
    if left and not may_end:
        raise InvalidInput(f"{source.name} ends {left} bytes before its head says: {taken} frames were there")


class Raw:
    """Raw frames or samples of what the user says they are."""

    def __init__(self, source: Input, stream: dict[str, Any], chunk_bytes: int) -> None:
        self.stream = stream
        self._source = source
        self._chunk_bytes = chunk_bytes

    def chunks(self, frame_bytes: int) -> Iterator[memoryview]:
        """Whole frames, as they come."""
        return frames(self._source, frame_bytes, self._chunk_bytes)
