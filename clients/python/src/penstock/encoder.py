"""torchcodec's Encoder, with a Penstock server behind it: several streams, fed piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _chunks, _parameters
from ._arrays import as_array
from ._destination import Destination, resolve
from ._formats import formats_of
from ._parameters import InvalidParameter, without_none
from ._problems import PenstockError
from ._server import connect
from ._session import Session, check_endings
from .writer import Ending, Writer

if TYPE_CHECKING:
    from . import types
    from .client import Client, Report

#: FFmpeg's frames have planes for so many channels, and torchcodec takes no more.
MOST_CHANNELS = 8
#: Samples that are interleaved at once.
_INTERLEAVED = 1 << 20


class VideoStream:
    """A video stream within an Encoder; `Encoder.add_video` makes one."""

    def __init__(self, encoder: Encoder, stream_identifier: int) -> None:
        self._encoder = encoder
        self._stream_identifier = stream_identifier

    @property
    def chosen(self) -> types.Stream:
        """What the server has chosen for it, with what the encoding changes as `warnings`. Once it is open."""
        return self._encoder._chosen(self._stream_identifier)

    def add_frames(
        self, frames: Any, *, pts: float | None = None, duration: float | None = None, keyframe: bool = False
    ) -> types.Receipt | None:
        """Add frames of the shape `(N, 3, H, W)`, uint8.

        They may be a tensor on any device, a NumPy array, or anything with the buffer protocol or DLPack. Beyond
        torchcodec: `pts` is the time of the first frame in seconds, `duration` how long the last one is shown, and
        `keyframe` has the first encoded as a key frame. Gives the server's receipt; None of no frames.
        """
        return self._encoder._add_frames(self._stream_identifier, frames, pts, duration, keyframe)


class AudioStream:
    """An audio stream within an Encoder; `Encoder.add_audio` makes one."""

    def __init__(self, encoder: Encoder, stream_identifier: int) -> None:
        self._encoder = encoder
        self._stream_identifier = stream_identifier

    @property
    def chosen(self) -> types.Stream:
        """What the server has chosen for it, with what the encoding changes as `warnings`. Once it is open."""
        return self._encoder._chosen(self._stream_identifier)

    def add_samples(self, samples: Any, *, pts: float | None = None) -> types.Receipt | None:
        """Add samples of the shape `(num_channels, num_samples)`, float32 from -1 to 1.

        They may be what add_frames takes. Beyond torchcodec: `pts` is the time of the first sample in seconds. Gives
        the server's receipt; None of no samples.
        """
        return self._encoder._add_samples(self._stream_identifier, samples, pts)


class Encoder:
    """A multi-stream encoder: `torchcodec.encoders.Encoder`, by a Penstock server.

        encoder = Encoder()
        video = encoder.add_video(height=256, width=256, frame_rate=30)
        audio = encoder.add_audio(sample_rate=16000, num_channels=1)
        with encoder.open_file("output.mp4"):
            video.add_frames(frames)
            audio.add_samples(samples)

    Video streams come first in the file, then audio streams, each in the order of adding.

    Beyond torchcodec: `server`, `token`, `id`, `overwrite`, `verify`, `durability`, `outputs`, `keep_on_server`,
    `on_error`, `on_interrupt` and `progress` are those of StreamWriter, and `metadata` is the file's.

    Raises InvalidParameter and InvalidArray for what is wrong here, and Problem for what the server refuses; all are
    RuntimeErrors, as the original's are.
    """

    def __init__(
        self,
        *,
        server: str | Client | None = None,
        token: str | None = None,
        id: str | None = None,
        metadata: Mapping[str, str] | None = None,
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
        self._client = connect(server, token)
        self._formats = formats_of(self._client)
        self._request = without_none(
            id=id, metadata=_parameters.options("metadata", metadata), overwrite=overwrite, verify=verify,
            durability=durability, progress=progress,
            outputs=None if outputs is None else [dict(one) for one in outputs],
        )  # fmt: skip
        self._endings: dict[str, Any] = {
            "keep_on_server": keep_on_server, "on_error": on_error, "on_interrupt": on_interrupt,
        }  # fmt: skip
        self._videos: list[dict[str, Any]] = []
        self._audios: list[dict[str, Any]] = []
        self._chosen_streams: list[types.Stream] = []
        self._session: Session | None = None
        self._is_closed = False

    @property
    def writer(self) -> Writer:
        """The writer on the server, for what the original has not. Once it is open."""
        return self._opened("writer").writer

    @property
    def result(self) -> types.Result | None:
        """What the server says of the finished output: bytes, duration, warnings, SHA-256; None before `close`."""
        return None if self._session is None else self._session.result

    def add_video(
        self,
        *,
        height: int,
        width: int,
        frame_rate: float,
        device: Any = None,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, Any] | None = None,
        filter_desc: str | None = None,
        hw_accel: str | None = None,
        **further: Any,
    ) -> VideoStream:
        """Add a video stream, before `open_file` or `open_file_like`.

        `codec` is an encoder ("libx264") or a codec ("h264"), the container's own by default; `pixel_format` what it
        encodes, its first format by default. `crf`, `preset` and `extra_options` are options of the encoder; those of
        `extra_options` that are the container's go to that. `device` is where the frames will be: they are brought
        over, and encoded by the server's processors unless `codec` and `hw_accel` name hardware of it.

        Beyond torchcodec: `filter_desc` is applied before, and `further` are members of the server's streams
        (`encoder_width`, `language`, `color_range`, …).
        """
        self._require_unopened()
        self._videos.append(
            without_none(
                type="video", layout="nchw", format="rgb24",
                height=_parameters.integer("height", height, 1), width=_parameters.integer("width", width, 1),
                frame_rate=_parameters.rate("frame_rate", frame_rate), encoder=codec, encoder_format=pixel_format,
                encoder_option=_parameters.options(
                    "extra_options", {**(extra_options or {}), **without_none(crf=crf, preset=preset)}
                ) or None,
                filter_desc=filter_desc, hw_accel=hw_accel, **further,
            )
        )  # fmt: skip
        return VideoStream(self, len(self._videos) - 1)

    def add_audio(
        self,
        *,
        sample_rate: int,
        num_channels: int,
        bit_rate: int | None = None,
        out_num_channels: int | None = None,
        out_sample_rate: int | None = None,
        codec: str | None = None,
        filter_desc: str | None = None,
        **further: Any,
    ) -> AudioStream:
        """Add an audio stream, before `open_file` or `open_file_like`.

        `sample_rate` and `num_channels` are those of the samples, `out_sample_rate` and `out_num_channels` of what is
        encoded, by default the same; one that the encoder can't take is refused. `bit_rate` is in bits per second.

        Beyond torchcodec: `codec` is an encoder, `filter_desc` is applied before, and `further` are members of the
        server's streams (`encoder_option`, `language`, …).
        """
        self._require_unopened()
        sample_rate = _parameters.integer("sample_rate", sample_rate, 1)
        num_channels = _parameters.integer("num_channels", num_channels, 1)
        if num_channels > MOST_CHANNELS:
            raise InvalidParameter(
                f"Trying to encode {num_channels} channels, but FFmpeg only supports {MOST_CHANNELS}."
            )
        if bit_rate is not None and bit_rate < 0:
            raise InvalidParameter(f"bit_rate={bit_rate} must be >= 0.")
        self._audios.append(
            without_none(
                type="audio", sample_rate=sample_rate, num_channels=num_channels, format="flt", encoder=codec,
                encoder_sample_rate=sample_rate if out_sample_rate is None else out_sample_rate,
                encoder_num_channels=num_channels if out_num_channels is None else out_num_channels,
                codec_config={"bit_rate": bit_rate} if bit_rate else None, filter_desc=filter_desc, **further,
            )
        )  # fmt: skip
        return AudioStream(self, len(self._audios) - 1)

    def open_file(self, dest: Any) -> Encoder:
        """Open a file for writing the encoded output; its extension says the container. Gives the encoder itself.

        Beyond torchcodec `dest` may be a URL, or `penstock.on_server("show/a.mp4")`, which the server writes to.
        """
        if hasattr(dest, "write"):
            raise InvalidParameter(
                f"dest is a path. Found a {type(dest).__name__}, which open_file_like(dest, format=…) takes"
            )
        return self._open(dest, None)

    def open_file_like(self, dest: Any, *, format: str) -> Encoder:
        """Open a file-like object, with `write(data: bytes) -> int`, for writing the encoded output as `format` ("mp4",
        "mov", "mkv", …). Gives the encoder itself.

        Other than for torchcodec the object need not have `seek`.
        """
        if not hasattr(dest, "write"):
            raise InvalidParameter("File like object must implement a write method for writing.")
        return self._open(dest, "matroska" if format == "mkv" else format)

    def flush(self) -> None:
        """Has the server write what its encoders have made so far. It never changes what the finished file holds."""
        self._opened("flush()").flush()

    def close(self) -> None:
        """Flush all remaining data and close the encoder. Raises WriterFailed where the output is not whole."""
        self._is_closed = True
        if self._session is not None and self._session.is_open:
            self._session.close()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._session is not None:
            self._is_closed = True
            self._session.end_after(error)
        else:
            self.close()

    # ---- parts ----

    def _open(self, dest: Any, format: str | None) -> Encoder:
        if self._is_closed:
            raise PenstockError("Cannot open after close() was called.")
        self._require_unopened()
        if not self._videos and not self._audios:
            raise PenstockError("Call add_video() or add_audio() before open_file() or open_file_like().")
        destination = resolve(dest, format, self._formats, buffer_size=_chunks.PIECE_BYTES)
        option: dict[str, str] = {}
        streams = [self._with_defaults(stream, destination, option) for stream in self._videos + self._audios]
        request = {**self._request, "overwrite": self._request["overwrite"] or destination.overwrites}
        writer = self._client.create_writer(streams, dst=destination.dst, format=destination.format, **request)
        session = Session(writer, destination, **self._endings)
        session.open(option or None)
        self._session, self._chosen_streams = session, writer.status()["streams"]
        return self

    def _with_defaults(
        self, stream: dict[str, Any], destination: Destination, option: dict[str, str]
    ) -> dict[str, Any]:
        """A stream as the server gets it: what torchcodec chooses for what was left out, and options of the container
        taken out of those of the encoder."""
        stream = dict(stream)
        media, encoder = stream["type"], stream.get("encoder")
        if encoder is None and destination.muxer is not None:
            encoder = self._formats.default_encoder(destination.muxer, media, destination.picture)
        if encoder is not None and destination.picture is not None:
            stream["encoder"] = encoder
        if "encoder_format" not in stream:
            formats = self._formats
            chosen = formats.widest_sample_format(encoder) if media == "audio" else formats.first_format(encoder)
            stream |= without_none(encoder_format=chosen)
        options: dict[str, str] = stream.pop("encoder_option", {})
        containers = self._formats.options_of_container(destination.muxer, encoder, options)
        option.update({name: options[name] for name in containers})
        options = {name: options[name] for name in options if name not in containers}
        if self._formats.takes_threads_by_itself(encoder):
            # As torchcodec has it, whatever the default of the server is.
            options = {"threads": "auto", **options}
        return {**stream, "encoder_option": options} if options else stream

    def _require_unopened(self) -> None:
        if self._session is not None or self._is_closed:
            raise PenstockError(
                "open() was already called. Add streams before it, and make another Encoder for another file."
            )

    def _opened(self, what: str) -> Session:
        if self._session is None:
            raise PenstockError(f"Call open_file() or open_file_like() before {what}.")
        return self._session

    def _chosen(self, index: int) -> types.Stream:
        self._opened("chosen")
        return self._chosen_streams[index]

    def _require_open(self, what: str) -> Session:
        if self._is_closed:
            raise PenstockError(f"Cannot add {what} after close() was called.")
        return self._opened(f"add_{what}()")

    def _add_frames(self, index: int, frames: Any, pts: Any, duration: Any, keyframe: bool) -> types.Receipt | None:
        session = self._require_open("frames")
        stream = self._videos[index]
        array = _chunks.checked_frames(frames, stream["height"], stream["width"])
        starts_at, lasts = _parameters.seconds("pts", pts), _parameters.seconds("duration", duration)
        if array.nbytes == 0:
            return None
        row_bytes = 3 * stream["height"] * stream["width"]
        return session.send(index, array, row_bytes, pts=starts_at, duration=lasts, keyframe=keyframe)

    def _add_samples(self, index: int, samples: Any, pts: Any) -> types.Receipt | None:
        session = self._require_open("samples")
        num_channels = self._audios[index]["num_channels"]
        count = _chunks.check_samples(samples, num_channels)
        starts_at = _parameters.seconds("pts", pts)
        receipt: types.Receipt | None = None
        # A part at a time, as the server takes them interleaved and a copy of all would be as large again.
        step = count if num_channels == 1 else max(1, _INTERLEAVED // num_channels)
        values = _chunks.moved(samples, 1, 0) if num_channels > 1 else samples
        for start in range(0, count, max(step, 1)):
            part = as_array(values if num_channels == 1 else values[start : start + step])
            sent = session.send(
                len(self._videos) + index, part, 4 * num_channels, pts=starts_at if receipt is None else None
            )
            if receipt is not None:
                sent["frames"] += receipt["frames"]
                sent["pts"]["start"] = receipt["pts"]["start"]
            receipt = sent
        return receipt
