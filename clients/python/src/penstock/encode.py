"""One array to one encoded file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._server import connect

if TYPE_CHECKING:
    from .client import Client, Report


def encode(
    data: Any,
    *,
    format: str,
    server: str | Client | None = None,
    token: str | None = None,
    progress: Report = False,
    **parameters: Any,
) -> bytes:
    """The encoded file of one array of sound or pictures, as bytes.

        mp3 = penstock.encode(samples, format="mp3", sample_rate=16000)
        mp4 = penstock.encode(frames, format="mp4", frame_rate=30, encoder="libx264", encoder_option={"crf": 20})

    Sound has the shape `(frame, channel)` or `(frame,)`; its type is uint8, int16, int32, int64, float32 or float64.
    Pictures have the shape `(frame, channel, height, width)`, `(frame, height, width, channel)` or
    `(frame, height, width)`, of uint8 or uint16, or of float32 from 0 to 1 with 3 or 4 planes; channels are gray, RGB
    or RGBA, or what `pixel_format` says. `layout` ("nchw", "packed") decides where a shape could be both. Bytes are
    taken as they are, with `num_channels` and `sample_format`, or `width`, `height` and `pixel_format`.

    `format` is the muxer, and `parameters` are those of a stream (`encoder`, `encoder_option`, `codec_config`,
    `filter_desc`, …), with `option` and `metadata` of the file. `server` and `token` are those of Client. `progress` is
    True, or a function that takes a Progress.

    Raises InvalidArray, the server's Problem, or Unreachable.
    """
    return connect(server, token).encode(data, format=format, progress=progress, **parameters)
