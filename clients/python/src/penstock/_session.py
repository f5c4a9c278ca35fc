"""One output from its first stream to its end: a writer on the server, and the way of its bytes to where they go."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ._arrays import Array
from ._chunks import PIECE_BYTES, pieces
from ._delivery import Delivery
from ._destination import Destination, Sink
from ._parameters import InvalidParameter
from ._problems import PenstockError
from ._transport import CONNECTION_ERRORS, reason
from .writer import ENDINGS, LISTEN_TIME, Ending, Writer

if TYPE_CHECKING:
    from . import types


#: Seconds within which the server responds to the deletion of a writer that was left behind.
ABORT_TIME = 10.0


class Session:
    """What StreamWriter and Encoder have in common once the writer is made.

    `keep_on_server` leaves the writer there when its output has been brought here.
    """

    def __init__(
        self,
        writer: Writer,
        destination: Destination,
        *,
        keep_on_server: bool,
        on_error: Ending,
        on_interrupt: Ending | None,
    ) -> None:
        self.writer = writer
        self.result: types.Result | None = None
        self.is_open = False
        self.is_closed = False
        self._destination = destination
        self._keep_on_server = keep_on_server
        self._on_error = on_error
        self._on_interrupt = on_interrupt or on_error
        self._delivery: Delivery | None = None
        self._in_pieces = False
        self._unclosed = weakref.finalize(self, _left_behind, writer, destination.shown, os.getpid())
        _notice_the_end()

    def open(self, option: Mapping[str, str] | None) -> None:
        """Opens the destination over there and here. What fails ends the writer."""
        try:
            listens = (option or {}).get("listen", "0") != "0" or self._destination.listens
            self.writer._open(option, LISTEN_TIME if listens else None)
            if self._destination.sink is not None:
                self._begin(self._destination.sink)
        except BaseException:
            self._forget()
            self.is_closed = True
            with contextlib.suppress(PenstockError, OSError):
                self.writer.abort()
            raise
        self.is_open = True

    def _begin(self, make: Callable[[bool], Sink]) -> None:
        """Begins to take what the writer writes."""
        is_live = self.writer.output_headers().get("Penstock-Output") == "live"
        sink = make(is_live)
        sink.open()
        in_calls = self._destination.needs_thread_of_caller
        self._delivery = Delivery(self.writer, sink, is_live=is_live, in_calls=in_calls)
        self._in_pieces = is_live and in_calls
        self._delivery.begin()

    def send(
        self,
        stream: int,
        array: Array,
        row_bytes: int,
        *,
        pts: float | None = None,
        duration: float | None = None,
        keyframe: bool = False,
    ) -> types.Receipt:
        """Sends an array of whole rows; what has been written until then is handed over before it returns."""
        receipt: types.Receipt | None = None
        left = array.nbytes
        for piece in pieces(array, row_bytes, PIECE_BYTES if self._in_pieces else array.nbytes):
            left -= piece.nbytes
            is_first = receipt is None
            part = self.writer.send(
                stream, piece, pts=pts if is_first else None, duration=duration if left == 0 else None,
                keyframe=keyframe and is_first, raw=True,
            )  # fmt: skip
            if receipt is not None:
                part["frames"] += receipt["frames"]
                part["pts"]["start"] = receipt["pts"]["start"]
            receipt = part
            self.hand_over(part["bytes_written"])
        assert receipt is not None
        return receipt

    def hand_over(self, bytes_written: int) -> None:
        """Hands over what has been written."""
        if self._delivery is not None:
            self._delivery.catch_up(bytes_written)

    def flush(self) -> None:
        """Has what the encoders have made so far written, and hands it over."""
        self.hand_over(self.writer.flush()["bytes_written"])

    def close(self) -> None:
        """Finishes the output and brings the rest of it here."""
        self._forget()
        self.is_open, self.is_closed = False, True
        try:
            self.result = self.writer.finalize()
            if self._delivery is not None:
                self._delivery.finish()
        except BaseException as error:
            if self._delivery is not None:
                self._delivery.abandon(keep=True)
                if self.result is not None and hasattr(error, "add_note"):
                    error.add_note(f"the whole output is on the server: Client.writer({self.writer.id!r}).output()")
            raise
        if self._delivery is not None and not self._keep_on_server:
            self.writer.abort()

    def end_after(self, error: BaseException) -> None:
        """Ends the output as is to be done after an exception, whose place a failure of that does not take."""
        ending = self._on_interrupt if isinstance(error, KeyboardInterrupt) else self._on_error
        try:
            if ending == "finalize" and self.is_open:
                self.close()
            elif not self.is_closed:
                self.leave(abort=ending != "leave")
        except (PenstockError, OSError) as failure:
            if hasattr(error, "add_note"):
                error.add_note(f"and the output {self._destination.shown} could not be finished: {failure}")

    def leave(self, *, abort: bool) -> None:
        """Ends this side alone, or with `abort` the writer and what was written for it as well."""
        self._forget()
        self.is_open, self.is_closed = False, True
        try:
            if abort:
                self.writer.abort()
        finally:
            if self._delivery is not None:
                self._delivery.abandon(keep=not abort)

    def _forget(self) -> None:
        self._unclosed.detach()


def check_endings(on_error: Ending, on_interrupt: Ending | None) -> None:
    """Whether these are ways to end."""
    for name, value in (("on_error", on_error), ("on_interrupt", on_interrupt)):
        if value not in ENDINGS and not (value is None and name == "on_interrupt"):
            raise InvalidParameter(f'{name} is "finalize", "abort" or "leave". Found: {value!r}')


_is_ending = False
_is_watched = False


def _notice_the_end() -> None:
    """Has the interpreter's end noted before what was left behind is looked at, which is registered by now."""
    global _is_watched
    if not _is_watched:
        _is_watched = True
        atexit.register(_note_the_end)


def _note_the_end() -> None:
    global _is_ending
    _is_ending = True


def _left_behind(writer: Writer, shown: str, owner: int) -> None:
    """Ends a writer that its program has lost. Of a forked process it is not."""
    if owner != os.getpid():
        return
    warnings.warn(
        f"the output {shown} was never closed, and is lost: call close(), or use a with block", ResourceWarning, 2
    )
    if _is_ending:
        _abort(writer)
    else:
        # The collector may have come in the midst of what the request needs itself.
        threading.Thread(target=_abort, args=(writer,), daemon=True).start()


def _abort(writer: Writer) -> None:
    """Deletes it in one attempt, as a program should end though its server is gone."""
    try:
        writer._delete_once(ABORT_TIME)
    except (*CONNECTION_ERRORS, PenstockError) as error:
        print(f"penstock: writer {writer.id} was left behind: {reason(error)}", file=sys.stderr)
