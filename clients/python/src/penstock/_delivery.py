"""The way of an output's bytes from the server into a sink: while they are written, or at the end."""

from __future__ import annotations

import queue
import threading
import time

from ._destination import Sink
from .writer import Writer

#: Pieces that wait for the caller's thread; each is at most what Writer.output gives at once.
WAITING_PIECES = 32
#: Seconds for which a call waits for bytes that the server has written and that are on their way here.
CATCH_UP_TIME = 2.0


class Delivery:
    """Hands what a writer's output holds to a sink, once, in order.

    An output that the server sends while it is written is read by a thread from `begin` on. The sink gets it there
    and then; or, where its `write` is the caller's own code, in the caller's thread: during `catch_up` and `finish`.
    """

    def __init__(self, writer: Writer, sink: Sink, *, is_live: bool, in_calls: bool) -> None:
        self._writer = writer
        self._sink = sink
        self._is_live = is_live
        self._pieces: queue.Queue[bytes | None] | None = queue.Queue(WAITING_PIECES) if in_calls else None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._is_abandoned = False
        self._has_ended = False
        self._delivered = 0

    def begin(self) -> None:
        """The writer is open: begins to read, where there is something to be read before the end."""
        if self._is_live:
            name = f"penstock output {self._writer.id}"
            self._thread = threading.Thread(target=self._read, name=name, daemon=True)
            self._thread.start()

    def catch_up(self, bytes_written: int) -> None:
        """Hands over what has come, and what the server says it has written so far.

        Raises what went wrong while reading, or in the sink.
        """
        if self._thread is None:
            return
        if self._pieces is None:
            self._raise_failure()
            return
        with self._lock:
            deadline = time.monotonic() + CATCH_UP_TIME
            while not self._has_ended:
                wait = deadline - time.monotonic() if self._delivered < bytes_written else 0
                try:
                    piece = self._pieces.get(timeout=wait) if wait > 0 else self._pieces.get_nowait()
                except queue.Empty:
                    return
                self._hand_over(piece)
                deadline = time.monotonic() + CATCH_UP_TIME

    def finish(self) -> None:
        """The writer is finalized: hands over the rest and closes the sink."""
        if self._thread is None:
            for piece in self._writer.output():
                self._sink.write(piece)
        elif self._pieces is None:
            self._thread.join()
            self._raise_failure()
        else:
            with self._lock:
                while not self._has_ended:
                    self._hand_over(self._pieces.get())
        self._sink.close()

    def abandon(self, *, keep: bool) -> None:
        """There will be no more. What a growing file has stays if it is to be kept, and goes otherwise."""
        self._is_abandoned = True
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CATCH_UP_TIME)
        if keep and self._is_live:
            self._sink.close()
        else:
            self._sink.discard()

    def _hand_over(self, piece: bytes | None) -> None:
        if piece is None:
            self._has_ended = True
            self._raise_failure()
            return
        self._delivered += len(piece)
        self._sink.write(piece)

    def _read(self) -> None:
        try:
            for piece in self._writer.output():
                if self._is_abandoned:
                    return
                if self._pieces is None:
                    self._sink.write(piece)
                else:
                    self._wait_in_line(piece)
        except BaseException as failure:
            self._failure = failure
        finally:
            self._wait_in_line(None)

    def _wait_in_line(self, piece: bytes | None) -> None:
        while self._pieces is not None and not self._is_abandoned:
            try:
                self._pieces.put(piece, timeout=0.2)
                return
            except queue.Full:
                continue

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
