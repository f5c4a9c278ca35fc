"""`send`: raw media, y4m or wav from a file or standard input to an output."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

from .. import types
from .._arrays import as_array
from .._destination import Destination, on_server, resolve
from .._formats import Formats, formats_of
from .._parameters import InvalidParameter
from .._problems import PenstockError
from .._progress import Progress, _Line
from .._session import Session
from ..client import Client
from . import stream_options
from .connection import client_of
from .interrupts import Ended, exit_code
from .reading import Input, InvalidInput, Raw, Source
from .stream_options import UsageError
from .wav import MAGICS, Wav
from .y4m import MAGIC, Y4M

#: Bytes of a chunk at most, unless one frame is larger.
PICTURE_BYTES, SOUND_BYTES = 8 << 20, 1 << 20

#: What the package advises, as it is said here.
_ADVICE = {
    "give one with format= (penstock.utils.get_muxers() lists them)": "give one with --muxer",
    "give dst=penstock.on_server(path), a path under its": "give --on-server, and as DST a path under its",
    "penstock.utils.get_muxers() and get_output_devices() list what there is": "`penstock muxers` lists what there is",
}

DESCRIPTION = """\
Encodes raw media, y4m (YUV4MPEG2) or wav, from a file or standard input (-).

  python -m penstock send clip.y4m out.mp4 --encoder libx264 --encoder-option crf=20
  arecord -f cd | python -m penstock send - talk.opus --bit-rate 64k
  model | python -m penstock send - out.flac --sample-rate 48000 --num-channels 2 --format s16
  python -m penstock send clip.y4m rtmp://live.example.com/app/KEY --muxer flv

DST is a file here, standard output (-, with --muxer), or a URL, to which the server writes. Connections that break are
made again, and the upload goes on where it was. Ctrl-C and SIGTERM end the output: it is finalized with what was sent.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `send` to a parser."""
    parser.add_argument("src", metavar="SRC", help="a file, or - for standard input")
    parser.add_argument("dst", metavar="DST", help="a file here, a URL, or - for standard output")
    parser.add_argument(
        "--input-format", choices=("raw", "y4m", "wav"), help="what SRC is; default what its first bytes say"
    )
    output = parser.add_argument_group("the output")
    output.add_argument("--muxer", metavar="NAME", help="its format (mp4, flv); default by DST's extension or protocol")
    output.add_argument("--on-server", action="store_true", help="DST is a path under the server's output directory")
    output.add_argument("--overwrite", action="store_true", help="replace a file on the server; one here is replaced")
    output.add_argument(
        "--option", action="append", metavar="NAME=VALUE", help="of the muxer or the protocol (movflags=+faststart)"
    )
    output.add_argument("--metadata", action="append", metavar="NAME=VALUE", help="of the file (title=…)")
    output.add_argument("--id", help="the writer's id on the server; default a unique one")
    output.add_argument(
        "--on-interrupt", choices=("finalize", "abort"), default="finalize",
        help="what becomes of the output at Ctrl-C or SIGTERM: abort deletes it (default finalize)",
    )  # fmt: skip
    output.add_argument(
        "--on-error", choices=("finalize", "abort"), default="abort",
        help="what becomes of it where SRC is cut short or damaged (default abort)",
    )  # fmt: skip
    output.add_argument("--quiet", action="store_true", help="no progress on standard error")
    output.add_argument("--json", action="store_true", help="print the result, as the API has it, on standard output")
    stream_options.add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Sends, and gives the exit code."""
    if arguments.dst == "-" and (arguments.json or arguments.on_server):
        raise UsageError("DST is standard output: --json and --on-server can't be with it")
    members = stream_options.given(arguments)
    option = stream_options.pairs("--option", arguments.option)
    metadata = stream_options.pairs("--metadata", arguments.metadata)
    signal.signal(signal.SIGTERM, _end)
    with _opened(arguments.src) as file:
        source, is_raw = _source(arguments, file, members)
        stream = stream_options.whole_stream(source.stream, members, _name(arguments.src), is_raw)
        for note in getattr(source, "notes", ()):
            print(f"penstock: note: {note}", file=sys.stderr)
        output = _Output(client_of(arguments), arguments, stream, metadata)
        return output.run(source, option)


class _Output:
    """The writer, where its output goes, and how far it is."""

    def __init__(
        self, client: Client, arguments: argparse.Namespace, stream: dict[str, Any], metadata: dict[str, str]
    ) -> None:
        self._arguments = arguments
        formats = formats_of(client)
        self._destination = _destination(arguments, formats)
        picture = self._destination.picture
        if picture is not None and "encoder" not in stream:
            stream["encoder"] = formats.default_encoder("image2", stream["type"], picture)
        self._line = _Line()
        writer = client.create_writer(
            [stream], self._destination.dst, self._destination.format, metadata or None, id=arguments.id,
            overwrite=arguments.overwrite or self._destination.overwrites,
            progress=False if arguments.quiet else self._show,
        )  # fmt: skip
        self._session = Session(
            writer, self._destination, keep_on_server=False, on_error=arguments.on_error,
            on_interrupt=arguments.on_interrupt,
        )  # fmt: skip
        self._frames = 0
        self._warned: set[str] = set()

    def run(self, source: Source, option: dict[str, str]) -> int:
        """Sends all of the source and ends the output. Raises what went wrong, once the output is ended."""
        try:
            self._send(source, option)
        except KeyboardInterrupt as interrupt:
            self._end(self._arguments.on_interrupt)
            return exit_code(interrupt)
        except InvalidInput:
            self._end(self._arguments.on_error if self._frames else "abort")
            raise
        except BaseException:
            self._end("abort")
            raise
        finally:
            self._line.close()
        self._report("")
        return 0

    def _send(self, source: Source, option: dict[str, str]) -> None:
        session = self._session
        stream: types.Stream = session.writer.status()["streams"][0]
        self._warn(stream["warnings"])
        session.open(option or None)
        row_bytes = stream["bytes_per_frame"]
        for chunk in source.chunks(row_bytes):
            self._frames += len(chunk) // row_bytes
            if self._destination.holds_one_picture and self._frames > 1:
                raise InvalidInput(
                    f"{self._destination.shown} holds one picture, and {_name(self._arguments.src)} has more: "
                    "--on-server with a name such as img%03d.png makes a file of each"
                )
            session.send(stream["index"], as_array(chunk), row_bytes)
        if self._frames == 0:
            raise InvalidInput(f"{_name(self._arguments.src)} has no {stream['type']} in it: nothing was written")
        session.close()

    def _end(self, how: str) -> None:
        """Ends the output before its time, and says what has become of it."""
        session = self._session
        self._line.close()
        try:
            if how == "finalize" and session.is_open:
                session.close()
                self._report(" of what was sent until then")
            elif not session.is_closed:
                session.leave(abort=True)
                print("penstock: the output was deleted", file=sys.stderr)
        except (PenstockError, OSError) as failure:
            print(f"penstock: and the output could not be ended: {failure}", file=sys.stderr)

    def _report(self, of: str) -> None:
        result = self._session.result
        assert result is not None
        self._warn(result["warnings"])
        if not self._arguments.quiet:
            shown = "standard output" if self._arguments.dst == "-" else self._destination.shown
            print(f"{shown}: {result['duration']:g} s, {result['bytes']} bytes{of}", file=sys.stderr)
        if self._arguments.json:
            print(json.dumps(result))

    def _warn(self, warnings: list[types.Warning]) -> None:
        """Prints each once: the result has those of its stream again."""
        for warning in warnings:
            text = f"penstock: warning: {warning['detail']} [{warning['code']}]"
            if text not in self._warned:
                self._warned.add(text)
                print(text, file=sys.stderr)

    def _show(self, progress: Progress) -> None:
        self._line.show(progress)
        if progress.done:
            self._line.close()


def _end(number: int, frame: object) -> None:
    raise Ended


def _name(src: str) -> str:
    return "standard input" if src == "-" else src


def _dst(arguments: argparse.Namespace) -> Any:
    if arguments.dst == "-":
        if arguments.muxer is None:
            raise UsageError("DST is standard output, whose format --muxer has to say (mp3, matroska)")
        if sys.stdout is None:
            raise UsageError("DST is standard output, which is closed")
        return sys.stdout.buffer
    return on_server(arguments.dst) if arguments.on_server else arguments.dst


def _destination(arguments: argparse.Namespace, formats: Formats) -> Destination:
    try:
        return resolve(_dst(arguments), arguments.muxer, formats, buffer_size=1 << 16)
    except InvalidParameter as error:
        text = str(error)
        for of_package, of_options in _ADVICE.items():
            text = text.replace(of_package, of_options)
        raise UsageError(text) from None


def _opened(src: str) -> IO[bytes]:
    if src == "-":
        if sys.stdin is None:
            raise InvalidInput("standard input is closed: give a file, or write into it")
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    try:
        return open(src, "rb", buffering=0)
    except OSError as error:
        raise InvalidInput(f"{src} can't be read: {error.strerror or error}") from None


def _source(arguments: argparse.Namespace, file: IO[bytes], members: dict[str, Any]) -> tuple[Source, bool]:
    """The media of the input, and whether they are raw."""
    data = Input(file.fileno(), _name(arguments.src))
    kind = arguments.input_format or _kind(data)
    makers: dict[str, Callable[[], Source]] = {
        "y4m": lambda: Y4M(data, members, PICTURE_BYTES),
        "wav": lambda: Wav(data, members, SOUND_BYTES),
    }
    if kind in makers:
        return makers[kind](), False
    head = stream_options.raw_stream(members)
    return Raw(data, head, PICTURE_BYTES if head["type"] == "video" else SOUND_BYTES), True


def _kind(data: Input) -> str:
    try:
        begin = data.peek(12)
    except OSError as error:
        raise InvalidInput(f"{data.name} can't be read: {os.strerror(error.errno or 0)}") from None
    if not begin:
        raise InvalidInput(f"{data.name} is empty")
    if begin.startswith(MAGIC):
        return "y4m"
    return "wav" if begin[:4] in MAGICS and begin[8:12] == b"WAVE" else "raw"
