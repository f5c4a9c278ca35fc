"""torchaudio's StreamWriter, with a Penstock server behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _chunks, _parameters
from ._arrays import Array
from ._destination import resolve
from ._formats import formats_of
from ._parameters import InvalidParameter, without_none
from ._problems import InvalidArray, PenstockError
from ._server import connect
from ._session import Session, check_endings
from .codec_config import CodecConfig, as_request
from .writer import Ending, Writer

if TYPE_CHECKING:
    from . import types
    from .client import Client, Report

#: FFmpeg's own encoders of these codecs are experimental: the server takes others unless it is told how strict to be.
_EXPERIMENTAL = ("opus", "vorbis")
#: What is encoded as the source has it, whatever a filter has made of it. (The server would take the filter's.)
_KEPT_BEHIND_FILTERS = {"audio": ("sample_rate", "num_channels"), "video": ("width", "height", "frame_rate")}


class StreamWriter:
    """Encode and write audio/video streams chunk by chunk: `torchaudio.io.StreamWriter`, by a Penstock server.

    `dst` is

    - a path: the file is written here, while it is encoded where the format allows it (mpegts, adts, ogg, fragmented
      mp4), else at `close`;
    - an object with `write(data: bytes) -> int`, which gets at most `buffer_size` bytes at a time, in the thread that
      calls the writer; `format` must be given. It need not have `seek`, whatever the format;
    - a URL (`rtmp://…`, `srt://…`, `udp://…`), or a device with `format` naming its kind: the server writes to it;
    - `penstock.on_server("show/a.mp4")`: a file under the server's output directory.

    `format` overrides the muxer that follows from `dst`.

    Beyond torchaudio's parameters: `server` and `token` are those of Client; without them it is the server of
    PENSTOCK_URL, or a private one. `id` is the writer's id there. `overwrite` replaces a file on the server.
    `verify`, `durability` and `outputs` are members of the server's request. `keep_on_server` leaves the writer and its
    output there after `close` has brought it here. `on_error` is what becomes of the output when a `with` block ends by
    an exception ("finalize", as torchaudio does it; "abort", which removes it; "leave", which leaves the writer open on
    the server), `on_interrupt` the same of Ctrl-C. `progress` is True, or a function that takes a Progress.

    Chunks may be tensors, on a GPU too, NumPy arrays, or anything with the buffer protocol or DLPack. A contiguous one
    is not copied.

    Raises InvalidParameter and InvalidArray for what is wrong here, and Problem for what the server refuses; all are
    RuntimeErrors, as the original's are.
    """

    def __init__(
        self,
        dst: Any,
        format: str | None = None,
        buffer_size: int = 4096,
        *,
        server: str | Client | None = None,
        token: str | None = None,
        id: str | None = None,
        overwrite: bool = False,
        verify: bool | None = None,
        durability: str | None = None,
        outputs: list[Mapping[str, Any]] | None = None,
        keep_on_server: bool = False,
        on_error: Ending = "finalize",
        on_interrupt: Ending | None = None,
        progress: Report = False,
    ) -> None:
        check_endings(on_error, on_interrupt)
        client = connect(server, token)
        self._formats = formats_of(client)
        size = _parameters.integer("buffer_size", buffer_size)
        self._destination = resolve(dst, format, self._formats, buffer_size=size)
        further = without_none(
            verify=verify, durability=durability, outputs=None if outputs is None else [dict(one) for one in outputs]
        )
        writer = client.create_writer(
            dst=self._destination.dst, format=self._destination.format, id=id,
            overwrite=overwrite or self._destination.overwrites, progress=progress, **further,
        )  # fmt: skip
        self._session = Session(
            writer, self._destination, keep_on_server=keep_on_server, on_error=on_error, on_interrupt=on_interrupt
        )
        self._streams: list[types.Stream] = []
        self._is_nchw: list[bool] = []
        self._pictures = 0

    def __repr__(self) -> str:
        session = self._session
        state = "closed" if session.is_closed else "open" if session.is_open else "configuring"
        return f"<penstock.StreamWriter {self.id}, {state}, to {self._destination.shown}>"

    @property
    def id(self) -> str:
        """The writer's id on the server."""
        return self.writer.id

    @property
    def writer(self) -> Writer:
        """The writer on the server, for what the original has not."""
        return self._session.writer

    @property
    def result(self) -> types.Result | None:
        """What the server says of the finished output: bytes, duration, warnings, SHA-256; None before `close`."""
        return self._session.result

    @property
    def streams(self) -> list[types.Stream]:
        """What the server has chosen for each stream, with what the encoding changes as `warnings`."""
        return self._streams[:]

    # ---- before it is open ----

    def add_audio_stream(
        self,
        sample_rate: int,
        num_channels: int,
        format: str = "flt",
        *,
        encoder: str | None = None,
        encoder_option: Mapping[str, str] | None = None,
        encoder_sample_rate: int | None = None,
        encoder_num_channels: int | None = None,
        encoder_format: str | None = None,
        codec_config: CodecConfig | None = None,
        filter_desc: str | None = None,
        **further: Any,
    ) -> None:
        """Add an output audio stream, before `open`.

        `sample_rate` is in Hz. `format` is that of the chunks: "u8" (uint8), "s16" (int16), "s32" (int32), "s64"
        (int64), "flt" (float32) or "dbl" (float64). `encoder` is one of `penstock.utils.get_audio_encoders()`, the
        muxer's own by default. `encoder_option` are its options, "threads" and "thread_type" among them.
        `encoder_sample_rate`, `encoder_num_channels` and `encoder_format` are what it encodes; by default what the
        source has, or what the encoder takes; of formats the encoder's first, as in torchaudio, or with "auto" the one
        that loses least. `filter_desc` is applied before. `further` are members of the server's streams (`language`,
        `channel_layout`, `latency`, …).
        """
        if format not in _chunks.SAMPLE_TYPES:
            valid = ", ".join(_chunks.SAMPLE_TYPES)
            raise InvalidParameter(f"Unsupported sample format ({format}) was provided. Valid values are {valid}.")
        self._add(
            type="audio",
            sample_rate=_parameters.integer("sample_rate", sample_rate, 1),
            num_channels=_parameters.integer("num_channels", num_channels, 1),
            format=format,
            encoder=encoder,
            encoder_option=_parameters.options("encoder_option", encoder_option),
            encoder_sample_rate=_parameters.optional_integer("encoder_sample_rate", encoder_sample_rate),
            encoder_num_channels=_parameters.optional_integer("encoder_num_channels", encoder_num_channels),
            encoder_format=encoder_format,
            codec_config=as_request(codec_config),
            filter_desc=filter_desc,
            **further,
        )

    def add_video_stream(
        self,
        frame_rate: float,
        width: int,
        height: int,
        format: str = "rgb24",
        *,
        encoder: str | None = None,
        encoder_option: Mapping[str, str] | None = None,
        encoder_frame_rate: float | None = None,
        encoder_width: int | None = None,
        encoder_height: int | None = None,
        encoder_format: str | None = None,
        codec_config: CodecConfig | None = None,
        filter_desc: str | None = None,
        hw_accel: str | None = None,
        layout: str | None = None,
        **further: Any,
    ) -> None:
        """Add an output video stream, before `open`.

        `frame_rate` is a number, a Fraction or a text such as "30000/1001". `format` is that of the chunks: "gray8",
        "rgb24", "bgr24", "yuv444p", "rgb0" or "bgr0", uint8 of the shape `(frame, channel, height, width)`. `encoder`
        is one of `penstock.utils.get_video_encoders()`. `encoder_frame_rate`, `encoder_width`, `encoder_height` and
        `encoder_format` are what it encodes; by default what the source has, or what the encoder takes; of formats the
        encoder's first, as in torchaudio, or with "auto" the one that loses least. `hw_accel` is a device of the
        server's; chunks may be in this machine's memory or on its GPU, whatever it is.

        Beyond torchaudio: `format` may be any pixel format of the server's, and `layout="packed"` takes chunks of it as
        FFmpeg lays it out, `(frame, height, width, channel)`. `further` are members of the server's streams
        (`rotation`, `color_range`, `time_base`, …).
        """
        if layout not in (None, "nchw", "packed"):
            raise InvalidParameter(f'layout is "nchw" or "packed". Found: {layout!r}')
        is_seeds = format in _chunks.PIXEL_CHANNELS
        if not is_seeds and layout is None:
            valid = ", ".join(name for name in _chunks.PIXEL_CHANNELS if name != "gray")
            raise InvalidParameter(
                f"Unsupported pixel format ({format}) was provided. Valid values are {valid}; with layout= also every "
                "other that the server takes."
            )
        # As torchaudio has them in memory: of BGR, swscale has another conversion for planes than for pixels, and some
        # filters have, too.
        is_packed = format == "bgr24" or (filter_desc is not None and format in _chunks.PIXEL_CHANNELS)
        stored = layout or ("packed" if is_packed and format != "yuv444p" else "nchw")
        self._add(
            is_nchw=is_seeds and layout != "packed",
            type="video",
            frame_rate=_parameters.rate("frame_rate", frame_rate),
            width=_parameters.integer("width", width, 1),
            height=_parameters.integer("height", height, 1),
            format=format,
            layout=stored,
            encoder=encoder,
            encoder_option=_parameters.options("encoder_option", encoder_option),
            encoder_frame_rate=_parameters.optional_rate("encoder_frame_rate", encoder_frame_rate),
            encoder_width=_parameters.optional_integer("encoder_width", encoder_width),
            encoder_height=_parameters.optional_integer("encoder_height", encoder_height),
            encoder_format=encoder_format,
            codec_config=as_request(codec_config),
            filter_desc=filter_desc,
            hw_accel=hw_accel,
            **further,
        )

    def set_metadata(self, metadata: Mapping[str, str] | None) -> None:
        """Set file-level metadata, before `open`; the last call holds."""
        self.writer.set_metadata(_parameters.options("metadata", metadata) or {})

    def open(self, option: Mapping[str, str] | None = None) -> StreamWriter:
        """Open the output file / device and write the header; gives the writer itself, for `with`.

        `option` are options of the protocol, the device and the muxer. One that nothing takes is refused. What fails
        here ends the writer. With `{"listen": "1"}` it returns when a player has connected.
        """
        if self._session.is_closed:
            raise PenstockError("Output is already closed. Make another StreamWriter for another output.")
        if not self._session.is_open:
            self._session.open(_parameters.options("option", option))
        return self

    # ---- while it is open ----

    def write_audio_chunk(self, i: int, chunk: Any, pts: float | None = None) -> types.Receipt | None:
        """Write audio data of the shape `(frame, channel)` to stream `i`; `pts` is the time of its first frame.

        Its type must be what `format` of the stream says. Gives the server's receipt; None of an empty chunk.
        """
        stream = self._stream(i, "audio")
        array = _chunks.waveform(chunk, stream["format"], stream["num_channels"])
        return self._send(stream, array, pts, None, False)

    def write_video_chunk(
        self, i: int, chunk: Any, pts: float | None = None, *, duration: float | None = None, keyframe: bool = False
    ) -> types.Receipt | None:
        """Write frames of the shape `(frame, channel, height, width)`, uint8, to stream `i`; `pts` is the time of the
        first, in seconds.

        Beyond torchaudio: `duration` is how long the last frame is shown, and `keyframe` has the first encoded as a key
        frame. Gives the server's receipt; None of an empty chunk.
        """
        stream = self._stream(i, "video")
        if self._is_nchw[stream["index"]]:
            array = _chunks.pictures(chunk, stream["format"], stream["width"], stream["height"], stream["layout"])
            return self._send(stream, array, pts, duration, keyframe)
        # The server knows the shapes of its formats, and says what is wrong with one.
        starts_at, lasts = _parameters.seconds("pts", pts), _parameters.seconds("duration", duration)
        receipt = self.writer.send(stream["index"], chunk, pts=starts_at, duration=lasts, keyframe=keyframe)
        self._session.hand_over(receipt["bytes_written"])
        return receipt

    def flush(self) -> None:
        """Flush the frames from encoders and write the frames to the destination.

        Other than in torchaudio writing goes on after it, and the finished file is the same as without.
        """
        self._require_open()
        self._session.flush()

    def close(self) -> None:
        """Close the output: drain the encoders, write the trailer, and bring here what is to come here.

        Raises WriterFailed where the output is not whole.
        """
        if self._session.is_open:
            self._session.close()

    def __enter__(self) -> StreamWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._session.end_after(error)
        elif not self._session.is_closed:
            self._require_open()
            self.close()

    # ---- parts ----

    def _add(self, *, is_nchw: bool = True, **stream: Any) -> None:
        if self._session.is_open or self._session.is_closed:
            raise PenstockError("Output is already opened. Cannot add a new stream.")
        media, destination = stream["type"], self._destination
        if stream["encoder"] is None and destination.picture is not None:
            stream["encoder"] = self._formats.default_encoder("image2", media, destination.picture)
        encoder = stream["encoder"]
        if encoder is None and destination.muxer is not None:
            encoder = self._formats.default_encoder(destination.muxer, media)
        if stream["encoder_format"] is None and stream.get("renditions") is None:
            stream["encoder_format"] = self._formats.first_format(encoder)
        elif stream["encoder_format"] == "auto":
            stream["encoder_format"] = None
        if stream["filter_desc"] is not None and stream.get("renditions") is None and stream.get("hw_accel") is None:
            stream |= {
                f"encoder_{name}": stream[name]
                for name in _KEPT_BEHIND_FILTERS[media]
                if stream[f"encoder_{name}"] is None and self._formats.takes(encoder, name, stream[name])
            }
            if media == "audio" and stream["encoder_format"] is not None and not stream["filter_desc"].endswith("]"):
                # torchaudio has filters compute in the encoder's format where they can; the server in the source's.
                stream["filter_desc"] += f",aformat=sample_fmts={stream['encoder_format']}"
        if encoder in _EXPERIMENTAL:
            stream["encoder_option"] = {"strict": "experimental", **(stream["encoder_option"] or {})}
        self._streams.append(self.writer.add_stream(**without_none(**stream)))
        self._is_nchw.append(is_nchw)

    def _stream(self, i: int, media: str) -> types.Stream:
        self._require_open()
        index = _parameters.integer("i", i)
        count = len(self._streams)
        if not 0 <= index < count:
            raise InvalidParameter(f"Invalid stream index. Index must be in range of [0, {count}). Found: {index}")
        if self._streams[index]["type"] != media:
            other = "write_audio_chunk" if media == "video" else "write_video_chunk"
            raise InvalidParameter(f"Stream {index} is not {media} type; {other} writes to it.")
        return self._streams[index]

    def _send(
        self, stream: types.Stream, array: Array, pts: Any, duration: Any, keyframe: bool
    ) -> types.Receipt | None:
        starts_at, lasts = _parameters.seconds("pts", pts), _parameters.seconds("duration", duration)
        if array.nbytes == 0:
            return None
        row_bytes = stream["bytes_per_frame"]
        if self._destination.holds_one_picture:
            self._pictures += array.nbytes // row_bytes
            if self._pictures > 1:
                raise InvalidArray(
                    f"{self._destination.shown} holds one picture. Found {self._pictures} frames; several are files of "
                    'their own, on the server: dst=penstock.on_server("img%03d.png")'
                )
        return self._session.send(stream["index"], array, row_bytes, pts=starts_at, duration=lasts, keyframe=keyframe)

    def _require_open(self) -> None:
        if self._session.is_closed:
            raise PenstockError("Output is closed. Make another StreamWriter for another output.")
        if not self._session.is_open:
            raise PenstockError("Output is not opened. Did you call `open` method?")

    def _print_output_stream(self, i: int) -> None:
        print(json.dumps(self._streams[i], indent=2))
