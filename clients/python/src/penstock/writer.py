"""One writer on a server: streams, chunks, and its end."""

from __future__ import annotations

import contextlib
import os
import threading
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

import urllib3.exceptions

from ._arrays import as_array
from ._calls import Calls, segment
from ._output import Output
from ._problems import Conflict, NotFound, PenstockError, Problem
from ._progress import Meter
from ._resume import Patience, pause, until_done
from ._transport import CONNECTION_ERRORS
from ._upload import Chunk, StreamState, Upload, ask_offset

if TYPE_CHECKING:
    from . import types

#: What becomes of a writer whose `with` block ends by an exception.
Ending = Literal["abort", "finalize", "leave"]
#: Seconds between two looks at a writer that something else finalizes.
FINALIZING_PAUSE = 0.2
#: Seconds for which a destination that listens waits for its player at most.
LISTEN_TIME = 86_400.0

ENDINGS: tuple[Ending, ...] = ("abort", "finalize", "leave")


class Writer:
    """A writer on a server. `Client.create_writer` makes one, `Client.writer` finds one that is there.

    As a context manager it is finalized at the block's end. A block that ends by an exception aborts it, or does what
    `on_error` says ("finalize": keep what was sent; "leave": leave it open); `on_interrupt` is the same of Ctrl-C.

    Threads may use it at the same time: chunks of one stream go one after the other, those of several side by side.
    """

    def __init__(
        self,
        calls: Calls,
        record: types.Writer,
        *,
        name: str | None = None,
        progress: Meter | None = None,
        on_error: Ending = "abort",
        on_interrupt: Ending | None = None,
    ) -> None:
        for parameter, value in (("on_error", on_error), ("on_interrupt", on_interrupt)):
            if value not in (*ENDINGS, None) or (value is None and parameter == "on_error"):
                raise ValueError(f'{parameter} is "abort", "finalize" or "leave", and not {value!r}')
        self.id: str = record["id"]
        self._calls = calls
        self._query: dict[str, Any] = {"name": name} if name is not None else {}
        self._path = f"/v1/writers/{self.id}"
        self._progress = progress
        if progress is not None:
            progress.record = self._glance
        self._on_error = on_error
        self._on_interrupt: Ending = on_error if on_interrupt is None else on_interrupt
        self._lock = threading.Lock()
        self._streams: list[StreamState] = []
        self._take_in(record)
        _writers.add(self)

    def __repr__(self) -> str:
        return f"<penstock.Writer {self.id} at {self._calls.transport.address}>"

    # ---- before it is open ----

    def add_stream(self, **stream: Any) -> types.Stream:
        """Adds a stream, with the API's own members: `type="video", frame_rate=30, width=…, height=…, …`.

        Gives what the server has chosen for it. Only before `open`.
        """
        with self._lock:
            count = len(self._streams)

            def found(record: types.Writer) -> types.Stream | None:
                return record["streams"][count] if len(record["streams"]) > count else None

            added = cast("types.Stream", self._once_only(f"{self._path}/streams", stream, found))
            self._streams.append(self._state(added))
            return added

    def set_metadata(self, metadata: Mapping[str, Any]) -> types.Writer:
        """Replaces the file's metadata. Only before `open`."""
        response = self._calls.call("PUT", f"{self._path}/metadata", query=self._query, value=dict(metadata))
        return cast("types.Writer", response.json())

    def open(self, option: Mapping[str, Any] | None = None) -> types.Writer:
        """Opens the destination and writes the header, with options of the protocol, the device and the muxer.

        With `{"listen": "1"}` it returns when a player has connected.
        """
        listens = option is not None and str(option.get("listen", "0")) != "0"
        return self._open(option, LISTEN_TIME if listens else None)

    def _open(self, option: Mapping[str, Any] | None, idle: float | None) -> types.Writer:
        """The same, with `idle` seconds for the response, or the time-outs' own."""
        body = {} if option is None else {"option": dict(option)}

        def found(record: types.Writer) -> types.Writer | None:
            return None if record["state"] == "configuring" else record

        return cast("types.Writer", self._once_only(f"{self._path}/open", body, found, idle=idle))

    # ---- while it is open ----

    def send(
        self,
        stream: int,
        data: Any,
        *,
        pts: float | None = None,
        duration: float | None = None,
        keyframe: bool = False,
        raw: bool = False,
    ) -> types.Receipt:
        """Sends frames or samples, and gives the receipt once the server has given them to the encoder.

        `data` is an array of the stream's type: `(frame, channel)` of audio, `(frame, channel, height, width)` of
        video whose layout is "nchw", else `(frame, height, width, channel)`; a contiguous one is not copied. Bytes are
        whole frames as they are. It must not change until this returns.

        `pts` is the time of the first frame in seconds, `duration` how long the last picture is shown, `keyframe` has
        the first frame encoded as a key frame. `raw` takes bytes for raw data though they begin as a file does.

        A connection that breaks is made again and the rest sent, for `retry_for` seconds without any progress.
        """
        array = as_array(data)
        state = self._stream(stream)
        with state.lock:
            receipt: types.Receipt | None = None
            for chunk in self._parts(state, Chunk(array, pts, duration, keyframe, raw)):
                part = self._send(state, chunk)
                if receipt is not None:
                    part["frames"] += receipt["frames"]
                    part["pts"]["start"] = receipt["pts"]["start"]
                receipt = part
            assert receipt is not None
            return receipt

    def flush(self) -> types.Writer:
        """Has the server write what its encoders have made so far. It never changes what the finished file holds."""
        return cast("types.Writer", self._after_uploads("flush"))

    def finalize(self) -> types.Result:
        """Drains the encoders, writes the trailer and closes the destination; gives the result.

        May be repeated, and gives the same result then.
        """
        record = cast("types.Writer", self._after_uploads("finalize"))
        if self._progress is not None:
            self._progress.ended(record)
        return record["result"]

    def abort(self) -> None:
        """Ends the writer and removes what was written for it; after its end, too. Nothing if there is none."""
        if self._progress is not None:
            self._progress.close()
        with contextlib.suppress(NotFound):
            self.delete()

    def delete(self, *, keep_output: bool = False) -> types.Deletion | None:
        """Deletes the writer and its files; `keep_output` leaves those that an ended one wrote to its `dst`.

        Gives what went and what stays, of a writer that had ended.
        """
        query = {**self._query, "keep_output": True if keep_output else None}
        return cast("types.Deletion | None", self._calls.delete(self._path, query))

    def _delete_once(self, idle: float) -> None:
        """Deletes the writer in one attempt, with `idle` seconds for the response; for a program that is at its end."""
        self._calls.call("DELETE", self._path, query=self._query, idle=idle, retry=False)

    # ---- while it runs, also during an upload ----

    def request_key_frame(self, stream: int | None = None, *, rendition: str | None = None) -> list[int]:
        """Has the next picture of a video stream, or of each, be a key frame; gives the streams' indexes.

        With `rendition` that of one of the stream's renditions alone. Raises Problem where an encoder makes key frames
        by itself only; none is asked then.
        """
        query = {**self._query, "stream": stream, "rendition": rendition}
        return cast("list[int]", self._calls.call("POST", f"{self._path}/keyframe", query=query).json()["streams"])

    def add_output(self, name: str, dst: str, **output: Any) -> types.Output:
        """Opens one more output, a URL or a device, which has the streams from their next key frames on.

        `output` has what the outputs of a new writer may have: `format`, `option`, `streams`, `on_failure`,
        `when_slow`, `pace`, `reconnect`, … Gives the output once it is open; at once with `on_failure="continue"`.
        The request is made once, whatever comes of it.
        """
        body = {"name": name, "dst": dst, **output}
        response = self._calls.call("POST", f"{self._path}/outputs", query=self._query, value=body, retry=False)
        return cast("types.Output", response.json())

    def remove_output(self, name: str) -> types.Output:
        """Ends an output as finalizing does, and lets the writer go on; gives what became of it."""
        path = f"{self._path}/outputs/{urllib.parse.quote(name, safe='')}"
        return cast("types.Output", self._calls.call("DELETE", path, query=self._query).json())

    def retry_output(
        self, name: str = "main", *, dst: str | None = None, option: Mapping[str, Any] | None = None
    ) -> types.Writer:
        """Sends again what an ended writer could not send of an output; gives the writer once it is there.

        `option` has the `headers` again, which the server does not keep; `dst` is needed where it had a user or a
        query. Raises Problem with the destination's reason where it could not be sent, which can be tried again.
        """
        body = {key: value for key, value in (("dst", dst), ("option", option)) if value is not None}
        path = f"{self._path}/outputs/{urllib.parse.quote(name, safe='')}/retry"
        return cast("types.Writer", self._calls.call("POST", path, query=self._query, value=body, retry=False).json())

    def change_stream(
        self,
        stream: int,
        *,
        bit_rate: int | str,
        encoder_option: Mapping[str, Any] | None = None,
        rendition: str | None = None,
    ) -> types.Stream:
        """Gives a stream's encoder another bit rate, in bits a second, from its next frame on.

        `rendition` says which of a stream's renditions, where it has several. `encoder_option` may have `maxrate` and
        `bufsize`. Raises Problem with the encoders that can where this one can't.
        """
        value: dict[str, Any] = {"codec_config": {"bit_rate": bit_rate}}
        if encoder_option is not None:
            value["encoder_option"] = dict(encoder_option)
        path, query = f"{self._path}/streams/{stream}", {**self._query, "rendition": rendition}
        return cast("types.Stream", self._calls.call("PATCH", path, query=query, value=value).json())

    # ---- at any time ----

    def status(self) -> types.Writer:
        """The writer's record: state, streams, counters, result or failure."""
        return cast("types.Writer", self._calls.call("GET", self._path, query=self._query).json())

    def offset(self, stream: int) -> int:
        """How many bytes of a stream the server has taken."""
        state = self._stream(stream)
        return ask_offset(self._calls, state.path, self._query, self.status, stream)

    def output(self, name: str | None = None, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The encoded bytes, of an output that is one file, from `offset` on and at most `length`.

        `name`: which of several outputs; without it the first.

        While the writer is open they come as they are written, up to the end; of formats that rewrite their start
        (mp4 unless it is fragmented, wav, flac) once it has ended. A connection that breaks is made again where it
        was. Raises WriterFailed where the writer fails.
        """
        return iter(
            Output(
                self._calls,
                self._output_path(name),
                query=self._query,
                record=self.status,
                offset=offset,
                length=length,
            )
        )

    def output_headers(self, name: str | None = None) -> dict[str, str]:
        """The head of the output's response: `Penstock-Output` is "live" or "after-finalize" while the writer lives."""
        return dict(self._calls.call("HEAD", self._output_path(name), query=self._query).headers)

    def _output_path(self, name: str | None) -> str:
        return f"{self._path}/output" if name is None else f"{self._path}/outputs/{segment(name)}"

    # ---- the end of a block ----

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.end_after(error)
            return
        try:
            self.finalize()
        except KeyboardInterrupt as interrupt:
            # It goes on at the server, unless that is not wanted.
            if self._on_interrupt == "abort":
                self.end_after(interrupt)
            raise

    def end_after(self, error: BaseException | None) -> None:
        """Does what is to be done after an exception: what `on_interrupt` says of KeyboardInterrupt, else `on_error`.

        A failure of it stays beside the exception that is under way, and does not take its place.
        """
        ending = self._on_interrupt if isinstance(error, KeyboardInterrupt) else self._on_error
        try:
            if ending == "finalize":
                self.finalize()
            elif ending == "abort":
                self.abort()
            elif self._progress is not None:
                self._progress.close()
        except (Problem, ConnectionError) as failure:
            done = "finalized" if ending == "finalize" else "aborted"
            if error is not None and hasattr(error, "add_note"):
                error.add_note(f"and the writer {self.id} could not be {done}: {failure}")

    # ---- parts ----

    def _take_in(self, record: types.Writer) -> None:
        for stream in record["streams"][len(self._streams) :]:
            self._streams.append(self._state(stream))

    def _state(self, stream: types.Stream) -> StreamState:
        return StreamState(
            index=stream["index"],
            path=f"{self._path}/streams/{stream['index']}",
            bytes_per_frame=stream["bytes_per_frame"],
            offset=stream["offset"],
            next_pts=stream["next_pts"],
        )

    def _stream(self, index: int) -> StreamState:
        if not isinstance(index, int) or isinstance(index, bool):
            raise TypeError(f"stream is the index of a stream, and not {index!r}")
        if not 0 <= index < len(self._streams):
            with self._lock:
                # Another client may have added it.
                self._take_in(self.status())
        if not 0 <= index < len(self._streams):
            count = len(self._streams)
            raise IndexError(f"there is no stream {index}; the writer has {count}, counted from 0")
        return self._streams[index]

    def _parts(self, state: StreamState, chunk: Chunk) -> Iterator[Chunk]:
        """The chunk, or two: a duration is the last picture's, which goes alone so that no cut gives it to another."""
        array = chunk.array
        rows = array.nbytes // state.bytes_per_frame
        if chunk.duration is None or rows < 2 or (array.shape is not None and array.shape[0] != rows):
            yield chunk
            return
        first, last = array.split(rows - 1, state.bytes_per_frame)
        yield Chunk(first, chunk.pts, None, chunk.keyframe, chunk.raw)
        yield Chunk(last, None, chunk.duration, False, chunk.raw)

    def _send(self, state: StreamState, chunk: Chunk) -> types.Receipt:
        meter = self._progress
        on_sent = None if meter is None else meter.begin(state.index)
        upload = Upload(self._calls, state, chunk, query=self._query, record=self.status, on_sent=on_sent)
        receipt = upload.run()
        if meter is not None:
            meter.received(state.index, receipt)
        return receipt

    def _glance(self) -> Any:
        """The record, if it is to be had at once."""
        try:
            idle = self._calls.transport.timeouts.answer
            return self._calls.once("GET", self._path, query=self._query, idle=idle).json()
        except (PenstockError, *CONNECTION_ERRORS):
            return None

    def _once_only(
        self, path: str, value: Any, found: Callable[[types.Writer], Any], *, idle: float | None = None
    ) -> Any:
        """What a request gives that must not be made twice.

        Whether one whose response was lost was carried out shows in the writer's record.
        """
        was_tried = False

        def attempt() -> Any:
            nonlocal was_tried
            if was_tried:
                result = found(self.status())
                if result is not None:
                    return result
            was_tried = True
            return self._calls.call("POST", path, query=self._query, value=value, idle=idle, retry=False).json()

        return until_done(attempt, lambda: self._calls.patience(f"POST {path}"))

    def _after_uploads(self, call: str) -> Any:
        """Flush and finalize. A chunk of ours that broke off may still be on its way: that is waited for."""
        patience: Patience | None = None

        def attempt() -> Any:
            while True:
                try:
                    return self._calls.once("POST", f"{self._path}/{call}", query=self._query).json()
                except urllib3.exceptions.ReadTimeoutError:
                    # A slow encoder drains, or a large file is read back: as long as the server responds, it goes on.
                    pass
                except Conflict as error:
                    # An encoder that has outlived its server finalizes by itself.
                    if error.state != "finalizing":
                        raise
                    pause(FINALIZING_PAUSE)
                self.status()

        while True:
            try:
                return until_done(attempt, lambda: self._calls.patience(f"{call} of writer {self.id}"))
            except Problem as error:
                is_ours = any(state.offset is None for state in self._streams) and not self._is_sending()
                if error.code != "chunk-in-progress" or not is_ours:
                    raise
                patience = patience or self._calls.patience(f"{call} of writer {self.id}")
                patience.wait(error)

    def _is_sending(self) -> bool:
        return any(state.lock.locked() for state in self._streams)

    def after_fork(self) -> None:
        """Locks that other threads held do not exist here; what those threads were sending is theirs to end."""
        self._lock = threading.Lock()
        if self._progress is not None:
            self._progress.after_fork()
        for state in self._streams:
            if state.lock.locked():
                state.offset = None
            state.lock = threading.Lock()


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_writers):
        writer.after_fork()


os.register_at_fork(after_in_child=_after_fork)
