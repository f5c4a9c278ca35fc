"""The functions of `torchaudio.utils.ffmpeg_utils` that a writer has use for, about the FFmpeg of a server.

`server` and `token` of each are those of `penstock.Client`: without them it is the server of PENSTOCK_URL, or a
private one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._server import connect

if TYPE_CHECKING:
    from ..client import Client

_READS = "Penstock writes media and reads none"
_ELSEWHERE = {
    **dict.fromkeys(
        ("get_demuxers", "get_audio_decoders", "get_video_decoders", "get_input_devices", "get_input_protocols"), _READS
    ),
    "clear_cuda_context_cache": _READS,
    "get_build_config": "get_versions() has the versions; the build is that of the server's distribution",
    "get_log_level": "what FFmpeg logged is in the exceptions (`log`); the rest is in the server's log",
    "set_log_level": "what FFmpeg logged is in the exceptions (`log`); the rest is in the server's log",
}


def get_versions(*, server: str | Client | None = None, token: str | None = None) -> dict[str, tuple[int, ...]]:
    """Get the versions of FFmpeg libraries: `{"libavutil": (57, 28, 100), …}`."""
    libraries = connect(server, token).get_version()["libraries"]
    return {name: tuple(int(part) for part in re.findall(r"\d+", text)[:3]) for name, text in libraries.items()}


def get_muxers(*, server: str | Client | None = None, token: str | None = None) -> dict[str, str]:
    """Get the available muxers: short name to long name, by name."""
    return _described(connect(server, token).list_muxers())


def get_audio_encoders(*, server: str | Client | None = None, token: str | None = None) -> dict[str, str]:
    """Get the available audio encoders: short name to long name, by name."""
    return _described(connect(server, token).list_audio_encoders())


def get_video_encoders(*, server: str | Client | None = None, token: str | None = None) -> dict[str, str]:
    """Get the available video encoders: short name to long name, by name."""
    return _described(connect(server, token).list_video_encoders())


def get_output_devices(*, server: str | Client | None = None, token: str | None = None) -> dict[str, str]:
    """Get the available output devices: short name to long name, by name."""
    return _described(connect(server, token).list_output_devices())


def get_output_protocols(*, server: str | Client | None = None, token: str | None = None) -> list[str]:
    """Get the supported output protocols."""
    return connect(server, token).list_output_protocols()


def _described(entries: Any) -> dict[str, str]:
    return {str(entry["name"]): str(entry["description"]) for entry in entries}


def __getattr__(name: str) -> Any:
    reason = _ELSEWHERE.get(name)
    detail = f": {reason}" if reason else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{detail}")
