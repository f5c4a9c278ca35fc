"""What `dst` means: a file or file-like object here, or something that the server writes to."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from ._formats import Formats
from ._parameters import InvalidParameter
from ._problems import PenstockError

#: What FFmpeg takes for a protocol. Of files it is this side's.
_PROTOCOL = re.compile(r"^(?!file:)[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True)
class OnServer:
    """A file under the server's output directory; `on_server` makes one."""

    path: str


def on_server(path: str | os.PathLike[str]) -> OnServer:
    """A destination on the server: `StreamWriter(penstock.on_server("show/a.mp4"))`.

    `path` is relative to the server's output directory, and its folders are made. Formats of several files (HLS, DASH,
    segments, numbered pictures) are written so.
    """
    return OnServer(os.fspath(path))


class Sink(Protocol):
    """Where encoded bytes go on this side, in their order."""

    def open(self) -> None:
        """Gets ready; raises what is wrong with the place."""

    def write(self, data: bytes) -> None:
        """Takes all of the bytes."""

    def close(self) -> None:
        """Everything is written."""

    def discard(self) -> None:
        """What was written is not to be kept."""


@dataclass(frozen=True)
class Destination:
    """Where an output goes: `dst` and `format` as the server gets them, and the sink that takes the bytes here.

    `shown` is the place in words, without what may be a key. `muxer` is None where only the server knows it. `sink` is
    None where the server writes by itself; it is called with whether the output comes while it is written.
    `needs_thread_of_caller` says that the sink's `write` is the caller's own code, which should run where the caller
    does. `picture` is the name of a file of pictures, whose extension says which encoder it wants. `overwrites` says
    that files which are there are replaced, as those of this side are.
    """

    dst: str | None
    format: str | None
    shown: str
    muxer: str | None = None
    sink: Callable[[bool], Sink] | None = None
    needs_thread_of_caller: bool = False
    picture: str | None = None
    overwrites: bool = False

    @property
    def listens(self) -> bool:
        """Whether it is a URL that waits for the peer to come: `srt://…?mode=listener`, `tcp://…?listen=1`."""
        return self.dst is not None and "listen" in self.dst.partition("?")[2]

    @property
    def holds_one_picture(self) -> bool:
        """Whether it is a file here that has no room for a second picture."""
        return self.picture is not None and self.sink is not None


def resolve(dst: Any, format: str | None, formats: Formats, *, buffer_size: int = 4096) -> Destination:
    """What a caller's `dst` and `format` mean. Raises InvalidParameter, or what the server says of the format."""
    if isinstance(dst, OnServer):
        muxer = formats.of_file(os.path.basename(dst.path)) if format is None else format
        picture = os.path.basename(dst.path) if muxer == "image2" else None
        return Destination(dst.path, format, f"{dst.path} on the server", muxer, picture=picture)
    if hasattr(dst, "write"):
        return _file_like(dst, format, formats, buffer_size)
    if isinstance(dst, bytes):
        dst = os.fsdecode(dst)
    if not isinstance(dst, (str, os.PathLike)):
        raise InvalidParameter(
            f"dst is a path, a URL, an object with write(), or penstock.on_server(path). Found: {dst!r}"
        )
    path = os.fspath(dst)
    if not path:
        raise InvalidParameter("dst is empty: give a path or a URL")
    if format is not None and formats.is_device(format):
        return Destination(path, format, f"the device {format}", format)
    if isinstance(dst, str) and _PROTOCOL.match(path):
        # What follows the host may be a key.
        return Destination(path, format, "/".join(path.split("/")[:3]), format)
    return _local(path.removeprefix("file:") if isinstance(dst, str) else path, format, formats)


def _file_like(dst: Any, format: str | None, formats: Formats, buffer_size: int) -> Destination:
    if format is None:
        raise InvalidParameter("`format` must be provided when the input is file-like object.")
    if buffer_size < 1:
        raise InvalidParameter(f"buffer_size must be positive. Found: {buffer_size}")
    if formats.muxer(format)["opens_itself"]:
        raise _several_files(f"the format {format}")
    return Destination(
        None, format, f"a {type(dst).__name__}", format, lambda _grows: FileLikeSink(dst, buffer_size),
        needs_thread_of_caller=True,
    )  # fmt: skip


def _local(path: str, format: str | None, formats: Formats) -> Destination:
    name = os.path.basename(path)
    muxer = formats.of_file(name) if format is None else format
    picture = None
    if muxer == "image2" and "%" not in name:
        # What image2 writes into its one file, which it would open by itself, over there.
        muxer, picture = "image2pipe", name
    elif formats.muxer(muxer)["opens_itself"]:
        return _files(path, muxer, formats)
    return Destination(None, muxer, path, muxer, lambda grows: path_sink(path, grows), picture=picture)


def _files(path: str, muxer: str, formats: Formats) -> Destination:
    """Several files of this side, which a private server can write where it is at work."""
    folder = formats.folder
    if folder is None:
        raise _several_files(path)
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(folder))
    if inside.startswith(".."):
        raise InvalidParameter(
            f"{path} is several files, which a private server writes by itself, and only within {folder}, where the "
            "program was when it started that"
        )
    picture = os.path.basename(path) if muxer == "image2" else None
    return Destination(inside, muxer, path, muxer, picture=picture, overwrites=True)


def _several_files(what: str) -> InvalidParameter:
    return InvalidParameter(
        f"{what} is several files, which the server writes by itself: give dst=penstock.on_server(path), "
        "a path under its output directory"
    )


class FileLikeSink:
    """An object with `write`, which gets at most `buffer_size` bytes at a time, as torchaudio does it."""

    def __init__(self, file: Any, buffer_size: int) -> None:
        self._file = file
        self._buffer_size = buffer_size

    def open(self) -> None:
        """Nothing: it is the caller's."""

    def write(self, data: bytes) -> None:
        """Writes all of it, also where the object takes a part at a time (a raw file, a socket)."""
        for start in range(0, len(data), self._buffer_size):
            piece = data[start : start + self._buffer_size]
            while piece:
                taken = self._file.write(piece)
                if hasattr(taken, "__await__"):
                    raise PenstockError(
                        "dst.write gives an awaitable, and nothing awaits it here: give a synchronous one"
                    )
                # Many objects that keep everything give nothing back.
                if not isinstance(taken, int) or isinstance(taken, bool) or taken >= len(piece):
                    break
                if taken <= 0:
                    raise PenstockError(f"dst.write took {taken} of {len(piece)} bytes: it takes no more")
                piece = piece[taken:]

    def close(self) -> None:
        """Nothing: the caller closes it."""

    def discard(self) -> None:
        """Nothing: what it took it has."""


def path_sink(path: str, grows: bool) -> Sink:
    """The sink of a path: a file that grows, or one that is put in its place when it is whole."""
    if grows or not _is_replaceable(path):
        return GrowingFile(path)
    return ReplacedFile(path)


def _is_replaceable(path: str) -> bool:
    """Whether a regular file is there or none: a pipe or a device is written to as it is."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _open(path: str, mode: Literal["wb", "xb", "r+b"], shown: str) -> BinaryIO:
    try:
        return open(path, mode, buffering=0)
    except OSError as error:
        message = f"Failed to open dst: {shown} ({error.strerror or error})"
        raise DestinationError(error.errno, message) from None


def _write_all(file: BinaryIO | None, data: bytes) -> None:
    assert file is not None
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


class DestinationError(PenstockError, OSError):
    """A file on this side can't be opened; an OSError as well, with its errno."""

    def __init__(self, number: int | None, message: str) -> None:
        super().__init__(number, message)
        self.errno, self.strerror = number, message

    def __str__(self) -> str:
        return str(self.strerror)


class GrowingFile:
    """A file that is written from its start on, and can be read while it grows."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Makes the file, or empties the one that is there."""
        self._file = _open(self._path, "wb", self._path)

    def write(self, data: bytes) -> None:
        """Appends, so that readers see it at once."""
        _write_all(self._file, data)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def discard(self) -> None:
        """Closes the file and removes it, unless it is no ordinary one."""
        self.close()
        if self._file is not None and _is_replaceable(self._path):
            Path(self._path).unlink(missing_ok=True)


class ReplacedFile:
    """A file that appears under its name when it is whole; until then what was there stays."""

    def __init__(self, path: str) -> None:
        # A link goes on to lead to the file.
        self._path = os.path.realpath(path)
        folder, name = os.path.split(self._path)
        self._part = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(4)}.part")
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Makes the file beside its place, so that a folder which is missing or closed to us shows now."""
        if os.path.exists(self._path) and not os.access(self._path, os.W_OK):
            # As an attempt to write to it says.
            _open(self._path, "r+b", self._path).close()
        self._file = _open(self._part, "xb", self._path)
        if os.path.exists(self._path):
            os.chmod(self._part, stat.S_IMODE(os.stat(self._path).st_mode))

    def write(self, data: bytes) -> None:
        """Appends."""
        _write_all(self._file, data)

    def close(self) -> None:
        """Puts the file in its place."""
        if self._file is not None:
            self._file.close()
            os.replace(self._part, self._path)

    def discard(self) -> None:
        """Removes what there is of it."""
        if self._file is not None:
            self._file.close()
            Path(self._part).unlink(missing_ok=True)
