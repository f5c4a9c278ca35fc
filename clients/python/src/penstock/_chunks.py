"""Chunks as the originals take them: their types and shapes checked, and laid out as the server's streams have them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ._arrays import Array, as_array
from ._problems import InvalidArray

#: The types of the sample formats, by NumPy's names.
SAMPLE_TYPES = {"u8": "uint8", "s16": "int16", "s32": "int32", "s64": "int64", "flt": "float32", "dbl": "float64"}
#: The channels of the pixel formats that torchaudio takes.
PIXEL_CHANNELS = {"gray": 1, "gray8": 1, "rgb24": 3, "bgr24": 3, "yuv444p": 3, "rgb0": 4, "bgr0": 4}
#: PyTorch's names of types, which its own messages have.
_TORCH_NAMES = {
    "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
    "float16": "Half", "float32": "Float", "float64": "Double", "bool": "Bool",
}  # fmt: skip
#: What is sent in one request where output is handed over between requests, in bytes.
PIECE_BYTES = 8 << 20


def is_tensor(chunk: Any) -> bool:
    """Whether it is one of PyTorch's, which is not imported for that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(chunk, torch.Tensor)


def strided(chunk: Any) -> Any:
    """A tensor or a NumPy array of what may be given as a chunk, without a copy, so that axes can be moved."""
    if is_tensor(chunk):
        return chunk
    try:
        import numpy
    except ImportError:
        raise InvalidArray(
            f"a {type(chunk).__name__} in this order is laid out anew by NumPy, which is not installed"
        ) from None
    if isinstance(chunk, numpy.ndarray):
        return chunk
    if hasattr(chunk, "__dlpack__"):
        if int(chunk.__dlpack_device__()[0]) in (1, 3):
            return numpy.from_dlpack(chunk)
        try:
            import torch
        except ImportError:
            raise InvalidArray(
                f"a {type(chunk).__name__} on a GPU is brought over by PyTorch, which is not installed; "
                "copy it to the host first"
            ) from None
        return torch.from_dlpack(chunk)
    return numpy.asarray(chunk)


def moved(chunk: Any, *axes: int) -> Any:
    """The same numbers with their axes in another order, as a view."""
    values = strided(chunk)
    return values.permute(*axes) if hasattr(values, "permute") else values.transpose(*axes)


def shape_of(chunk: Any) -> tuple[int, ...]:
    """The shape of an array, without bringing it over; of bytes (), as they have none."""
    shape = getattr(chunk, "shape", None)
    if shape is None:
        shape = as_array(chunk).shape
    return () if shape is None else tuple(int(length) for length in shape)


def dtype_of(chunk: Any) -> str:
    """NumPy's name of an array's type ("float32"); of bytes "bytes"."""
    dtype = getattr(chunk, "dtype", None)
    if dtype is not None:
        return str(getattr(dtype, "name", None) or dtype).removeprefix("torch.")
    return as_array(chunk).dtype or "bytes"


def torch_name(dtype: str) -> str:
    """PyTorch's name of a type, as torchaudio's and torchcodec's messages have it: "Float"."""
    return _TORCH_NAMES.get(dtype, dtype)


def shown(shape: tuple[int, ...]) -> str:
    """A shape as PyTorch prints it."""
    return "[" + ", ".join(str(length) for length in shape) + "]"


def waveform(chunk: Any, sample_format: str, num_channels: int) -> Array:
    """A chunk of sound, `(frame, channel)`, checked as torchaudio checks it."""
    expected, found = SAMPLE_TYPES[sample_format], dtype_of(chunk)
    if found != expected:
        fitting = next((name for name, dtype in SAMPLE_TYPES.items() if dtype == found), None)
        way = f"; add_audio_stream(..., format={fitting!r}) takes {found}" if fitting else ""
        raise InvalidArray(
            f"Expected {torch_name(expected)} type. Found: {torch_name(found)} "
            f"(the stream's format is {sample_format!r}, which is {expected}{way})"
        )
    shape = shape_of(chunk)
    if len(shape) != 2:
        way = f"; chunk[:, None] is one of 1 channel{'' if num_channels == 1 else 's'}" if len(shape) == 1 else ""
        raise InvalidArray(f"Input Tensor has to be 2D, (frame, channel). Found {shown(shape)}{way}")
    if shape[1] != num_channels:
        way = "; .T has it as (frame, channel)" if shape[0] == num_channels else ""
        raise InvalidArray(f"Expected waveform with {num_channels} channels. Found {shape[1]}: {shown(shape)}{way}")
    return as_array(chunk)


def pictures(chunk: Any, pixel_format: str, width: int, height: int, layout: str) -> Array:
    """A chunk of video, `(frame, channel, height, width)`, checked as torchaudio checks it and laid out for a stream
    of `layout`: "nchw", or "packed" with the channels of a pixel beside each other."""
    if (found := dtype_of(chunk)) != "uint8":
        way = "; (frames * 255).round().to(torch.uint8) makes it of floats from 0 to 1" if "float" in found else ""
        raise InvalidArray(f"Expected Tensor of uint8 type. Found: {torch_name(found)}{way}")
    shape = shape_of(chunk)
    if len(shape) != 4:
        way = "; frame[None] is a chunk of one frame" if len(shape) == 3 else ""
        raise InvalidArray(f"Input Tensor has to be 4D, (frame, channel, height, width). Found {shown(shape)}{way}")
    channels = PIXEL_CHANNELS[pixel_format]
    taken = (3, 4) if channels == 4 else (channels,)
    if shape[1] not in taken or shape[2:] != (height, width):
        as_packed = shape[1:3] == (height, width) and shape[3] in taken
        way = "; .permute(0, 3, 1, 2) makes NCHW of it" if as_packed else ""
        raise InvalidArray(
            f"Expected tensor with shape (N, {' or '.join(map(str, taken))}, {height}, {width}) (NCHW format). "
            f"Found {shown(shape)}{way}"
        )
    if shape[1] != channels:
        chunk = _with_fourth(strided(chunk))
    if layout == "packed" and channels > 1:
        chunk = moved(chunk, 0, 2, 3, 1)
    return as_array(chunk)


def _with_fourth(values: Any) -> Any:
    """RGB as RGB0: with a fourth channel, of which nothing is seen."""
    count, _, height, width = values.shape
    if hasattr(values, "permute"):
        return sys.modules["torch"].cat([values, values.new_zeros(count, 1, height, width)], 1)
    import numpy

    return numpy.concatenate([values, numpy.zeros((count, 1, height, width), values.dtype)], 1)


def pieces(array: Array, row_bytes: int, at_most: int) -> Iterator[memoryview]:
    """The array's bytes in pieces of whole rows, none larger than `at_most` unless one row is."""
    step = max(1, at_most // row_bytes) * row_bytes
    for start in range(0, array.nbytes, step):
        yield array.data[start : start + step]


def checked_frames(frames: Any, height: int, width: int) -> Array:
    """Frames as torchcodec takes them. Raises InvalidArray."""
    dtype, shape = dtype_of(frames), shape_of(frames)
    if dtype != "uint8":
        raise InvalidArray(f"frames must have uint8 dtype, got {dtype}")
    if len(shape) != 4:
        raise InvalidArray(f"frames must have 4 dimensions (N, C, H, W), got {len(shape)}: {shown(shape)}")
    if shape[1] != 3:
        way = "; .permute(0, 3, 1, 2) makes (N, C, H, W) of it" if shape[3] == 3 else ""
        raise InvalidArray(f"frame must have 3 channels (R, G, B), got {shape[1]}: {shown(shape)}{way}")
    if shape[2:] != (height, width):
        raise InvalidArray(
            f"All frames must have the same dimensions. Expected height={height} width={width}, "
            f"got height={shape[2]} width={shape[3]}"
        )
    return as_array(frames)


def check_samples(samples: Any, num_channels: int) -> int:
    """How many samples there are, where they are what torchcodec takes. Raises InvalidArray."""
    dtype, shape = dtype_of(samples), shape_of(samples)
    if dtype != "float32":
        raise InvalidArray(f"samples must have float32 dtype, got {dtype}")
    if len(shape) != 2:
        way = "; samples[None] is one channel" if len(shape) == 1 else ""
        raise InvalidArray(
            f"samples must have 2 dimensions (num_channels, num_samples), got {len(shape)}: {shown(shape)}{way}"
        )
    if shape[0] != num_channels:
        way = "; .T has it as (num_channels, num_samples)" if shape[1] == num_channels else ""
        raise InvalidArray(f"Expected {num_channels} channels, got {shape[0]}: {shown(shape)}{way}")
    return shape[1]
