"""One array to one encoded file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._arrays import Array, as_array
from ._calls import Calls
from ._cancellation import raise_if_cancelled
from ._problems import InvalidArray
from ._progress import Meter
from ._resume import is_final, until_done
from ._transport import CONNECTION_ERRORS
from ._upload import PIECE_BYTES
from .writer import Writer

_SAMPLE_FORMATS = {"uint8": "u8", "int16": "s16", "int32": "s32", "int64": "s64", "float32": "flt", "float64": "dbl"}
#: Pixel formats by type and number of channels.
_PIXEL_FORMATS = {
    ("uint8", 1): "gray8", ("uint8", 3): "rgb24", ("uint8", 4): "rgba", ("uint16", 1): "gray16le",
    ("uint16", 3): "rgb48le", ("uint16", 4): "rgba64le", ("float32", 3): "rgbf32", ("float32", 4): "rgbaf32",
}  # fmt: skip
_CHANNELS = (1, 3, 4)
_OF_THE_FILE: tuple[str, ...] = ("option", "metadata", "raw")


def encode(
    calls: Calls,
    create_writer: Callable[..., Writer],
    data: Any,
    format: str,
    parameters: Mapping[str, Any],
    meter: Meter | None,
) -> bytes:
    """The encoded file, by one request; where that is cut, by a writer, whose upload is resumed."""
    array = as_array(data)
    stream, further = described(array, dict(parameters))
    query = _query(format, stream, further)
    path = "/v1/encode"
    type_ = "application/octet-stream" if array.typestr is None else "application/x-npy"
    head = b"" if array.typestr is None else array.head()
    headers = {"Content-Type": type_, "Content-Length": str(len(head) + array.nbytes), "Accept": "*/*"}

    def attempt() -> bytes | None:
        try:
            body = _pieces(head, array.data, meter)
            return calls.once("POST", path, query=query, headers=headers, body=body).body
        except CONNECTION_ERRORS as error:
            if is_final(error) or calls.retry_for == 0:
                calls.patience(f"POST {path}").give_up(error)
            return None

    try:
        encoded = until_done(attempt, lambda: calls.patience(f"POST {path}"))
        if encoded is None:
            encoded = _by_writer(create_writer, array, format, stream, further)
    except BaseException:
        if meter is not None:
            meter.close()
        raise
    if meter is not None:
        meter.ended()
    return encoded


def _pieces(head: bytes, data: memoryview, meter: Meter | None) -> Iterator[bytes | memoryview]:
    on_sent = None if meter is None else meter.begin()
    if head:
        yield head
    for start in range(0, len(data), PIECE_BYTES):
        raise_if_cancelled()
        piece = data[start : start + PIECE_BYTES]
        yield piece
        if on_sent is not None:
            on_sent(start + len(piece))


def _by_writer(
    create_writer: Callable[..., Writer], array: Array, format: str, stream: Mapping[str, Any], further: dict[str, Any]
) -> bytes:
    option = further.pop("option", None)
    raw = bool(further.pop("raw", False))
    with create_writer([stream], format=format, open={"option": option} if option else True, **further) as writer:
        writer.send(0, array, raw=raw)
        writer.finalize()
        encoded = b"".join(writer.output())
    writer.abort()
    return encoded


def _query(format: str, stream: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """The stream's members and what is about the whole file, as parameters of a query."""
    input_format = "sample_format" if stream["type"] == "audio" else "pixel_format"
    members = {input_format if name == "format" else name: value for name, value in stream.items()}
    query: dict[str, Any] = {"format": format}
    for name, value in {**members, **further}.items():
        if isinstance(value, Mapping):
            query.update({f"{name}.{key}": part for key, part in value.items()})
        elif isinstance(value, (list, tuple)):
            query[name] = "+".join(str(part) for part in value)
        else:
            query[name] = value
    return query


def described(array: Array, parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stream that an array is, as far as its type and shape tell; what parameters say goes before.

    The second are the parameters of the whole file: `option`, `metadata`, `raw`.
    """
    parameters = {name: value for name, value in parameters.items() if value is not None}
    further: dict[str, Any] = {name: parameters.pop(name) for name in _OF_THE_FILE if name in parameters}
    kind = parameters.pop("type", "video" if {"frame_rate", "width"} & parameters.keys() else "audio")
    if kind == "audio":
        if "sample_rate" not in parameters:
            raise TypeError("encode needs sample_rate for sound, frame_rate for pictures")
        given = _pop_format(parameters, "sample_format")
        stream = {"type": "audio", **_sound(array, given, parameters), **parameters}
    elif kind == "video":
        if "frame_rate" not in parameters:
            raise TypeError("encode needs frame_rate for pictures")
        given = _pop_format(parameters, "pixel_format")
        stream = {"type": "video", **_pictures(array, given, parameters), **parameters}
    else:
        raise ValueError(f'type is "audio" or "video", and not {kind!r}')
    return stream, further


def _pop_format(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {"format": parameters.pop(name)} if name in parameters else {}


def _sound(array: Array, given: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    if array.dtype is None or array.shape is None:
        return given
    if not given:
        if array.dtype not in _SAMPLE_FORMATS:
            raise InvalidArray(f"samples are of {', '.join(_SAMPLE_FORMATS)}, and not of {array.dtype}")
        given = {"format": _SAMPLE_FORMATS[array.dtype]}
    if "num_channels" in parameters:
        return given
    if len(array.shape) not in (1, 2):
        raise InvalidArray(f"sound has the shape (frame, channel), or (frame) of one channel, and not {array.shape}")
    channels = array.shape[1] if len(array.shape) == 2 else 1
    if channels > 64 and array.shape[0] <= 64:
        raise InvalidArray(f"sound has the shape (frame, channel), and not {array.shape}: transpose it")
    return {**given, "num_channels": channels}


def _pictures(array: Array, given: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    if array.dtype is None or array.shape is None or (given and {"width", "height"} <= parameters.keys()):
        return given
    shape = array.shape
    if len(shape) == 3:
        layout, channels, height, width = "packed", 1, shape[1], shape[2]
    elif len(shape) == 4:
        layout = parameters.get("layout") or _layout(shape)
        channels, height, width = (shape[1], shape[2], shape[3]) if layout == "nchw" else (shape[3], shape[1], shape[2])
    else:
        raise InvalidArray(
            "pictures have the shape (frame, channel, height, width), (frame, height, width, channel), or "
            f"(frame, height, width) of gray, and not {shape}"
        )
    if not given:
        pixel_format = _PIXEL_FORMATS.get((array.dtype, channels))
        if pixel_format is None:
            known = ", ".join(f"{count} of {dtype}" for dtype, count in _PIXEL_FORMATS)
            raise InvalidArray(
                f"{channels} channels of {array.dtype} are no pixel format that follows: there are {known}"
            )
        given = {"format": pixel_format}
    return {**given, "width": width, "height": height, "layout": layout}


def _layout(shape: tuple[int, ...]) -> str:
    is_nchw, is_packed = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if is_nchw == is_packed:
        raise InvalidArray(
            f"whether {shape} is (frame, channel, height, width) or (frame, height, width, channel) does not show: "
            'layout="nchw" or layout="packed" says it'
        )
    return "nchw" if is_nchw else "packed"
