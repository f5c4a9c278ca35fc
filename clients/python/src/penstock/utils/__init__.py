"""What a server can do, under the names that torchaudio's utilities have: `penstock.utils.get_muxers()`."""

from . import ffmpeg_utils
from .ffmpeg_utils import (
    get_audio_encoders,
    get_muxers,
    get_output_devices,
    get_output_protocols,
    get_versions,
    get_video_encoders,
)

__all__ = [
    "ffmpeg_utils",
    "get_audio_encoders",
    "get_muxers",
    "get_output_devices",
    "get_output_protocols",
    "get_versions",
    "get_video_encoders",
]
