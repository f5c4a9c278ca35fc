"""Encode arrays and tensors to what FFmpeg writes, by a Penstock server."""

from . import types
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
from .encode import encode
from .writer import Writer

__version__ = "0.1.0"

__all__ = [
    "Client",
    "Conflict",
    "Forbidden",
    "InvalidArray",
    "InvalidRequest",
    "NoServer",
    "NotFound",
    "Overloaded",
    "PenstockError",
    "Problem",
    "Progress",
    "Timeouts",
    "Unauthorized",
    "Unreachable",
    "Writer",
    "WriterFailed",
    "encode",
    "types",
]
