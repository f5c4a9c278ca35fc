"""Encode arrays and tensors to what FFmpeg writes, by a Penstock server."""

from . import types, utils
from ._destination import DestinationError, OnServer, on_server
from ._parameters import InvalidParameter
from ._problems import (
    Conflict,
    Forbidden,
    InvalidArray,
    InvalidRequest,
    NoServer,
    NotFound,
    Overloaded,
    PenstockError,
    Problem,
    Unauthorized,
    Unreachable,
    WriterFailed,
)
from ._progress import Progress
from ._transport import Timeouts
from .client import Client
from .codec_config import CodecConfig
from .encode import encode
from .encoder import AudioStream, Encoder, VideoStream
from .one_shot import AudioEncoder, VideoEncoder
from .stream_writer import StreamWriter
from .webhooks import InvalidWebhook, verify_webhook
from .writer import Writer

__version__ = "0.1.0"

__all__ = [
    "AudioEncoder",
    "AudioStream",
    "Client",
    "CodecConfig",
    "Conflict",
    "DestinationError",
    "Encoder",
    "Forbidden",
    "InvalidArray",
    "InvalidParameter",
    "InvalidRequest",
    "InvalidWebhook",
    "NoServer",
    "NotFound",
    "OnServer",
    "Overloaded",
    "PenstockError",
    "Problem",
    "Progress",
    "StreamWriter",
    "Timeouts",
    "Unauthorized",
    "Unreachable",
    "VideoEncoder",
    "VideoStream",
    "Writer",
    "WriterFailed",
    "encode",
    "on_server",
    "types",
    "utils",
    "verify_webhook",
]
