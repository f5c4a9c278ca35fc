"""torchcodec's VideoEncoder and AudioEncoder, with a Penstock server behind them: one tensor to one file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import _chunks, _parameters
from ._parameters import InvalidParameter
from ._problems import InvalidArray
from .encoder import Encoder

if TYPE_CHECKING:
    from .client import Client


class VideoEncoder:
    """A single-stream video encoder: `torchcodec.encoders.VideoEncoder`, by a Penstock server.

    `frames` have the shape `(N, 3, H, W)`, uint8: a tensor on any device, a NumPy array, or anything with the buffer
    protocol or DLPack. `frame_rate` is theirs and the output's. `server` and `token` are those of Client.
    """

    def __init__(
        self, frames: Any, *, frame_rate: float, server: str | Client | None = None, token: str | None = None
    ) -> None:
        shape, dtype = _described(frames, "frames")
        if len(shape) != 4:
            raise InvalidArray(f"Expected 4D frames (N, C, H, W), got frames.shape = {_chunks.shown(shape)}.")
        if dtype != "uint8":
            raise InvalidArray(f"Expected uint8 frames, got frames.dtype = {dtype}.")
        self._frames = frames
        _parameters.rate("frame_rate", frame_rate)
        self._frame_rate = frame_rate
        self._height, self._width = shape[2], shape[3]
        self._server, self._token = server, token

    def to_file(
        self,
        dest: Any,
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> None:
        """Encode frames into a file, whose extension says the container.

        The parameters are those of `Encoder.add_video`, and `dest` is that of `Encoder.open_file`.
        """
        self._encode(dest, None, codec, pixel_format, crf, preset, extra_options, further)

    def to_tensor(
        self,
        format: str,
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> Any:
        """Encode frames into raw bytes, as a 1D uint8 tensor on the CPU; a NumPy array where PyTorch is not in use."""
        file = io.BytesIO()
        self._encode(file, format, codec, pixel_format, crf, preset, extra_options, further)
        return _as_tensor(file, self._frames)

    def to_file_like(
        self,
        file_like: Any,
        format: str,
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> None:
        """Encode frames into an object with `write(data: bytes) -> int`, as `format`."""
        self._encode(file_like, format, codec, pixel_format, crf, preset, extra_options, further)

    def _encode(
        self,
        dest: Any,
        format: str | None,
        codec: str | None,
        pixel_format: str | None,
        crf: float | None,
        preset: str | int | None,
        extra_options: Mapping[str, Any] | None,
        further: Mapping[str, Any],
    ) -> None:
        encoder = Encoder(server=self._server, token=self._token, on_error="abort")
        video = encoder.add_video(
            height=self._height, width=self._width, frame_rate=self._frame_rate, codec=codec, pixel_format=pixel_format,
            crf=crf, preset=preset, extra_options=extra_options, **further,
        )  # fmt: skip
        with _opened(encoder, dest, format):
            video.add_frames(self._frames)


class AudioEncoder:
    """A single-stream audio encoder: `torchcodec.encoders.AudioEncoder`, by a Penstock server.

    `samples` have the shape `(num_channels, num_samples)`, or `(num_samples,)` of one channel: float32 from -1 to 1,
    in what VideoEncoder takes. `sample_rate` is theirs, in Hz. `server` and `token` are those of Client.
    """

    def __init__(
        self, samples: Any, *, sample_rate: int, server: str | Client | None = None, token: str | None = None
    ) -> None:
        shape, dtype = _described(samples, "samples")
        if len(shape) not in (1, 2):
            raise InvalidArray(f"Expected 1D or 2D samples, got samples.shape = {_chunks.shown(shape)}.")
        if dtype != "float32":
            raise InvalidArray(f"Expected float32 samples, got samples.dtype = {dtype}.")
        self._samples = _chunks.strided(samples).reshape(1, -1) if len(shape) == 1 else samples
        self._num_channels = shape[0] if len(shape) == 2 else 1
        self._sample_rate = _parameters.integer("sample_rate", sample_rate, 1)
        self._server, self._token = server, token

    def to_file(
        self,
        dest: Any,
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
        **further: Any,
    ) -> None:
        """Encode samples into a file, whose extension says the container.

        `bit_rate`, `num_channels` and `sample_rate` are the output's; `further` are parameters of `Encoder.add_audio`,
        and `dest` is that of `Encoder.open_file`.
        """
        self._encode(dest, None, bit_rate, num_channels, sample_rate, further)

    def to_tensor(
        self,
        format: str,
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
        **further: Any,
    ) -> Any:
        """Encode samples into raw bytes, as a 1D uint8 tensor; a NumPy array where PyTorch is not in use."""
        file = io.BytesIO()
        self._encode(file, format, bit_rate, num_channels, sample_rate, further)
        return _as_tensor(file, self._samples)

    def to_file_like(
        self,
        file_like: Any,
        format: str,
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
        **further: Any,
    ) -> None:
        """Encode samples into an object with `write(data: bytes) -> int`, as `format`."""
        self._encode(file_like, format, bit_rate, num_channels, sample_rate, further)

    def _encode(
        self,
        dest: Any,
        format: str | None,
        bit_rate: int | None,
        num_channels: int | None,
        sample_rate: int | None,
        further: Mapping[str, Any],
    ) -> None:
        encoder = Encoder(server=self._server, token=self._token, on_error="abort")
        audio = encoder.add_audio(
            sample_rate=self._sample_rate, num_channels=self._num_channels, bit_rate=bit_rate,
            out_num_channels=num_channels, out_sample_rate=sample_rate, **further,
        )  # fmt: skip
        with _opened(encoder, dest, format):
            audio.add_samples(self._samples)


def _opened(encoder: Encoder, dest: Any, format: str | None) -> Encoder:
    return encoder.open_file(dest) if format is None else encoder.open_file_like(dest, format=format)


def _described(values: Any, name: str) -> tuple[tuple[int, ...], str]:
    """Shape and type of what was given, which must have both."""
    try:
        shape = _chunks.shape_of(values)
    except InvalidArray:
        shape = None
    if shape is None or isinstance(values, (bytes, bytearray)):
        raise InvalidArray(f"Expected {name} to be a tensor or an array, got type({name}) = {type(values)}.") from None
    return shape, _chunks.dtype_of(values)


def _as_tensor(file: io.BytesIO, like: Any) -> Any:
    if _chunks.is_tensor(like):
        import torch

        return torch.frombuffer(file.getbuffer(), dtype=torch.uint8)
    try:
        import numpy
    except ImportError:
        raise InvalidParameter(
            "to_tensor gives an array of NumPy's, which is not installed; use to_file_like"
        ) from None
    return numpy.frombuffer(file.getbuffer(), dtype=numpy.uint8)
