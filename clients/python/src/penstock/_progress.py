"""How far an upload is: for a callback, a bar of tqdm's, or one line on standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

#: Seconds between two reports.
INTERVAL = 0.5


@dataclass(frozen=True)
class Progress:
    """What a callback gets, from a thread of its own: of all streams together, since the writer was made.

    `frames` are frames and samples that the server has taken, `fps` those of the first stream a second, `bytes_sent`
    what has gone to the server, `bytes_per_second` how fast, `frames_encoded` and `bytes_written` what the server has
    given to its encoders and to the destination; `seconds` is how long that took, and `done` set in the last report.
    """

    frames: int
    fps: float
    bytes_sent: int
    bytes_per_second: float
    frames_encoded: int
    bytes_written: int
    seconds: float
    done: bool = False

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, {self.fps:.1f} fps, {self.bytes_per_second / 1e6:.1f} MB/s, "
            f"{self.frames_encoded} encoded, {self.bytes_written / 1e6:.2f} MB written"
        )


class _Display(Protocol):
    def show(self, progress: Progress) -> None: ...
    def close(self) -> None: ...


class _Callback:
    def __init__(self, callback: Callable[[Progress], object]) -> None:
        self._callback = callback

    def show(self, progress: Progress) -> None:
        self._callback(progress)

    def close(self) -> None:
        pass


class _Line:
    """One line of a terminal, written over; elsewhere nothing but the last, so that logs stay readable."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._last = ""

    def show(self, progress: Progress) -> None:
        self._last = str(progress)
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{self._last}")
            sys.stderr.flush()

    def close(self) -> None:
        if self._last and sys.stderr is not None:
            sys.stderr.write("\n" if self._is_terminal else self._last + "\n")
            sys.stderr.flush()
        self._last = ""


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self._bar = tqdm(unit="frame", unit_scale=True)

    def show(self, progress: Progress) -> None:
        self._bar.set_postfix_str(
            f"{progress.bytes_per_second / 1e6:.1f} MB/s, {progress.frames_encoded} encoded, "
            f"{progress.bytes_written / 1e6:.2f} MB written",
            refresh=False,
        )
        self._bar.update(progress.frames - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class Meter:
    """Counts what a writer sends, and hands it on every half second while it does, from a thread of its own.

    `record` gives the writer's record, for what the server has done meanwhile; None of an encoding in one request.
    """

    def __init__(self, display: _Display) -> None:
        self._display = display
        self.record: Callable[[], Any] | None = None
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._sent: dict[int, int] = {}
        self._base: dict[int, int] = {}
        self._frames: dict[int, int] = {}
        self._encoded: dict[int, int] = {}
        self._written = 0
        self._over = threading.Event()
        self._reporter: threading.Thread | None = None

    @classmethod
    def of(cls, progress: bool | Callable[[Progress], object]) -> Meter | None:
        """The meter that `progress` asks for: None of False, tqdm's bar or a line of True, else a callback's."""
        if progress is False or progress is None:
            return None
        if callable(progress):
            return cls(_Callback(progress))
        if progress is not True:
            raise TypeError(f"progress is True, False or a function that takes a Progress, and not {progress!r}")
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return cls(_Line())
        return cls(_Bar(tqdm))

    def begin(self, stream: int = 0) -> Callable[[int], None]:
        """What an upload to a stream is to call with the bytes of its chunk that have been sent."""
        with self._lock:
            base = self._base.setdefault(stream, 0)
            if self._reporter is None and not self._over.is_set():
                self._reporter = threading.Thread(target=self._report, name="penstock-progress", daemon=True)
                self._reporter.start()

        def sent(count: int) -> None:
            self._sent[stream] = base + count

        return sent

    def received(self, stream: int, receipt: Any) -> None:
        """A chunk is in."""
        with self._lock:
            self._base[stream] = self._sent.get(stream, 0)
            self._frames[stream] = self._frames.get(stream, 0) + receipt["frames"]
            self._encoded[stream] = receipt["frames_encoded"]
            self._written = receipt["bytes_written"]

    def ended(self, record: Any = None) -> None:
        """The work is done: the last report."""
        if self._over.is_set():
            return
        self._over.set()
        with self._lock:
            if record is not None:
                self._take_in(record)
            self._show(True)
        self._display.close()

    def close(self) -> None:
        """No further reports."""
        if not self._over.is_set():
            self._over.set()
            with self._lock:
                self._display.close()

    def after_fork(self) -> None:
        """A forked process reports nothing: its parent does."""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._over.set()

    def _report(self) -> None:
        while not self._over.wait(INTERVAL):
            record = None if self.record is None else self.record()
            with self._lock:
                if self._over.is_set():
                    return
                if record is not None:
                    self._take_in(record)
                self._show(False)

    def _take_in(self, record: Any) -> None:
        for stream in record["streams"]:
            self._frames[stream["index"]] = stream["frames"]
            self._encoded[stream["index"]] = stream["frames_encoded"]
        self._written = record["bytes_written"]

    def _show(self, done: bool) -> None:
        seconds = max(time.monotonic() - self._began, 1e-9)
        first = self._frames.get(min(self._frames), 0) if self._frames else 0
        sent = sum(self._sent.values())
        self._display.show(
            Progress(
                frames=sum(self._frames.values()),
                fps=first / seconds,
                bytes_sent=sent,
                bytes_per_second=sent / seconds,
                frames_encoded=sum(self._encoded.values()),
                bytes_written=self._written,
                seconds=seconds,
                done=done,
            )
        )
