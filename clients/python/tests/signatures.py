"""The signatures of what Penstock has of torchaudio's and torchcodec's, as text."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pathlib
import sys
from typing import Any

EXPECTED = pathlib.Path(__file__).parent / "expected"
_METHODS_OF_WRITER = (
    "__init__", "add_audio_stream", "add_video_stream", "set_metadata", "open", "write_audio_chunk",
    "write_video_chunk", "flush", "close",
)  # fmt: skip
#: The public callables of each library that Penstock has, by class; "" for functions.
CALLABLES = {
    "torchaudio": {
        "StreamWriter": _METHODS_OF_WRITER,
        "CodecConfig": ("__init__",),
        "": ("get_versions", "get_muxers", "get_audio_encoders", "get_video_encoders", "get_output_devices",
             "get_output_protocols"),
    },
    "torchcodec": {
        "Encoder": ("__init__", "add_video", "add_audio", "open_file", "open_file_like", "close"),
        "VideoStream": ("add_frames",),
        "AudioStream": ("add_samples",),
        "VideoEncoder": ("__init__", "to_file", "to_tensor", "to_file_like"),
        "AudioEncoder": ("__init__", "to_file", "to_tensor", "to_file_like"),
    },
}  # fmt: skip


def signatures(library: str, classes: Any, functions: Any) -> dict[str, list[list[str]]]:
    """Of each callable its parameters: name, kind and default."""
    found = {}
    for owner, names in CALLABLES[library].items():
        place = getattr(classes, owner) if owner else functions
        for name in names:
            parameters = inspect.signature(getattr(place, name)).parameters.values()
            found[f"{owner}.{name}".lstrip(".")] = [
                [parameter.name, parameter.kind.name, _default(parameter)] for parameter in parameters
            ]
    return found


def fields(config: Any) -> list[list[str]]:
    """The fields of a dataclass, with their defaults."""
    return [[field.name, repr(field.default)] for field in dataclasses.fields(config)]


def _default(parameter: inspect.Parameter) -> str:
    return "required" if parameter.default is parameter.empty else repr(parameter.default)


def of_original(library: str) -> dict[str, Any]:
    """What the library itself has."""
    if library == "torchaudio":
        import torchaudio.io
        from torchaudio.utils import ffmpeg_utils

        found: dict[str, Any] = signatures(library, torchaudio.io, ffmpeg_utils)
        found["fields of CodecConfig"] = fields(torchaudio.io.CodecConfig)
        return found
    import torchcodec.encoders

    return signatures(library, torchcodec.encoders, None)


def of_penstock(library: str) -> dict[str, Any]:
    """What Penstock has under the same names."""
    import penstock
    from penstock.utils import ffmpeg_utils

    found: dict[str, Any] = signatures(library, penstock, ffmpeg_utils)
    if library == "torchaudio":
        found["fields of CodecConfig"] = fields(penstock.CodecConfig)
    return found


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """What a call of theirs could stumble over: all of it, in order, must be there, and what follows be optional."""
    found = []
    for name, parameters in theirs.items():
        mine = ours[name]
        if mine[: len(parameters)] != parameters:
            found.append(f"{name}: {mine[: len(parameters)]} is not {parameters}")
        for parameter in mine[len(parameters) :]:
            is_further = parameter[1] == "VAR_KEYWORD" or (
                parameter[1] == "KEYWORD_ONLY" and parameter[2] != "required"
            )
            if not is_further:
                found.append(f"{name}: {parameter} is not optional")
    return found


if __name__ == "__main__":
    # python signatures.py LIBRARY, with that library installed: writes what is expected of Penstock.
    (chosen,) = sys.argv[1:]
    text = json.dumps(of_original(chosen), indent=None).replace(']], "', ']],\n "')
    (EXPECTED / f"signatures_{chosen}.json").write_text(text + "\n")
