"""The options that are members of the API's streams, by the same names."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from .. import _parameters
from .._parameters import InvalidParameter


class UsageError(Exception):
    """The command line can't be meant; exit code 2."""


@dataclass(frozen=True)
class _Option:
    name: str
    media: str
    help: str
    kind: str = "text"
    in_codec_config: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


_OPTIONS = (
    _Option("sample_rate", "audio", "of raw samples, in Hz", "integer"),
    _Option("num_channels", "audio", "of raw samples", "integer"),
    _Option("channel_layout", "audio", "which channels they are (5.1, quad)"),
    _Option("frame_rate", "video", "of raw pictures, or of a y4m that does not say (25, 30000/1001)", "rate"),
    _Option("width", "video", "of raw pictures", "integer"),
    _Option("height", "video", "of raw pictures", "integer"),
    _Option("format", "both", "of raw samples (flt, s16, s32, u8, dbl; default flt) or pixels (rgb24, yuv420p, …)"),
    _Option("layout", "video", "of raw pictures: packed (default) or nchw"),
    _Option("encoder", "both", "its name (libx264, flac) or its codec's; default the format's own"),
    _Option("encoder_option", "both", "an option of it, again for further ones (crf=23)", "pairs"),
    _Option("encoder_format", "both", "what it encodes; default the one that loses least"),
    _Option("encoder_sample_rate", "audio", "resampled to that", "integer"),
    _Option("encoder_num_channels", "audio", "mixed to that", "integer"),
    _Option("encoder_frame_rate", "video", "frames are doubled or dropped for it", "rate"),
    _Option("encoder_width", "video", "scaled to that", "integer"),
    _Option("encoder_height", "video", "scaled to that", "integer"),
    _Option("bit_rate", "both", "bits a second (128k, 2.5M)", "text", True),
    _Option("compression_level", "both", "the encoder's own scale of effort", "integer", True),
    _Option("qscale", "both", "constant quality, of encoders that have it", "number", True),
    _Option("gop_size", "video", "frames from one key frame to the next", "integer", True),
    _Option("max_b_frames", "video", "B-frames in a row at most", "integer", True),
    _Option("filter_desc", "both", "filters of FFmpeg's (volume=0.5, scale=640:-2)"),
    _Option("hw_accel", "video", "a device of the server's to encode on"),
    _Option("sample_aspect_ratio", "video", "of a pixel (4:3)"),
    _Option("rotation", "video", "degrees, counter-clockwise", "integer"),
    _Option("field_order", "video", "progressive, tt, bb, tb or bt"),
    _Option("color_range", "video", "tv or pc"),
    _Option("color_primaries", "video", "by FFmpeg's names (bt709)"),
    _Option("color_trc", "video", "the same"),
    _Option("colorspace", "video", "the same"),
    _Option("mastering_display", "video", "of HDR, as x265 has it"),
    _Option("content_light_level", "video", "MaxCLL,MaxFALL"),
    _Option("language", "both", "ISO 639 (eng)"),
    _Option("disposition", "both", "by FFmpeg's names, with + between them"),
    _Option("codec_tag", "both", "of the container (hvc1)"),
)
_BY_NAME = {option.name: option for option in _OPTIONS}
_NEEDED = {"audio": ("sample_rate", "num_channels"), "video": ("frame_rate", "width", "height")}
_WORDS = {"audio": "sound", "video": "pictures"}


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options to a parser."""
    group = parser.add_argument_group("the stream", "with the names that the API, StreamWriter and Encoder have")
    for option in _OPTIONS:
        if option.kind == "pairs":
            group.add_argument(option.flag, action="append", metavar="NAME=VALUE", help=option.help)
        else:
            metavar = {"text": "X", "integer": "N", "number": "N", "rate": "RATE"}[option.kind]
            group.add_argument(option.flag, metavar=metavar, help=option.help)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The members that were given, as the API takes them. Raises InvalidParameter."""
    members: dict[str, Any] = {}
    for option in _OPTIONS:
        value = getattr(arguments, option.name)
        if value is not None:
            members[option.name] = _value(option, value)
    return members


def pairs(flag: str, texts: list[str] | None) -> dict[str, str]:
    """Options by name, of texts `NAME=VALUE`; of one that is given again, the last."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidParameter(f"{flag} is NAME=VALUE. Found: {text!r}")
        found[name] = value
    return found


def raw_stream(members: dict[str, Any]) -> dict[str, Any]:
    """The head of a raw stream, which the options say. Raises UsageError where they don't."""
    found = [media for media, names in _NEEDED.items() if any(name in members for name in names)]
    if len(found) != 1:
        what = "is either sound or pictures, and options of both were given" if found else "has no head that says what"
        raise UsageError(
            f"raw input {what}: --sample-rate and --num-channels (and --format) are those of sound, --frame-rate, "
            "--width and --height (and --format) of pictures. y4m and wav say it themselves"
        )
    media = found[0]
    missing = [_BY_NAME[name].flag for name in _NEEDED[media] if name not in members]
    if missing:
        raise UsageError(f"raw {_WORDS[media]} need {' and '.join(missing)}")
    names = (*_NEEDED[media], "format", *(("layout",) if media == "video" else ()))
    return {"type": media} | {name: members[name] for name in names if name in members}


def whole_stream(head: dict[str, Any], members: dict[str, Any], name: str, is_raw: bool) -> dict[str, Any]:
    """A stream's request of what the input says and what the options add. Raises UsageError where they don't fit."""
    media = head["type"]
    stream, config = dict(head), {}
    for member, value in members.items():
        option = _BY_NAME[member]
        if option.media not in ("both", media):
            raise UsageError(f"{option.flag} is of {_WORDS[option.media]}, and {name} has {_WORDS[media]}")
        if not is_raw and (member in head or member in ("format", "layout")):
            advice = f"; --encoder-{member.replace('_', '-')} is what it is encoded as"
            raise UsageError(
                f"{option.flag} is of raw input, and {name} says itself what it has"
                f"{advice if 'encoder_' + member in _BY_NAME else ''}; --input-format raw takes it for raw all the same"
            )
        if option.in_codec_config:
            config[member] = value
        else:
            stream[member] = value
    return stream | ({"codec_config": config} if config else {})


def _value(option: _Option, value: Any) -> Any:
    if option.kind == "pairs":
        return pairs(option.flag, value)
    if option.kind == "rate":
        return _parameters.rate(option.flag, value)
    if option.kind == "text":
        return value
    try:
        return int(value) if option.kind == "integer" else float(value)
    except ValueError:
        what = "an integer" if option.kind == "integer" else "a number"
        raise InvalidParameter(f"{option.flag} must be {what}. Found: {value!r}") from None
