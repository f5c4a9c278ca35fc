"""The same for asyncio: `penstock.aio.Client`, `Writer` and `encode`, with the names and parameters of `penstock`'s.

Every call runs in a thread of the client's own, as urllib3 has no other way; arrays are not copied for it. A task that
is cancelled ends what it had under way: an upload stops within a megabyte, and the writer can be sent to again, from
where it then is.
"""

from __future__ import annotations

import asyncio
import contextvars
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from . import _cancellation, _server
from ._calls import RETRY_FOR
from ._transport import Timeouts
from .client import Client as _Client
from .client import Report
from .writer import Ending
from .writer import Writer as _Writer

if TYPE_CHECKING:
    from . import types

__all__ = ["Client", "Writer", "encode"]

#: Calls of one client that are under way at the same time; readers of live outputs hold one only while they wait.
THREADS = 64

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")


class _Threads:
    """Where a client's calls run."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="penstock")

    async def run(
        self, call: Callable[Parameters, Value], *positional: Parameters.args, **named: Parameters.kwargs
    ) -> Value:
        """What a call gives; one whose task is cancelled is told to end, and waited for."""
        cancellation = _cancellation.Cancellation()
        context = contextvars.copy_context()

        def work() -> Value:
            _cancellation.current.set(cancellation)
            return call(*positional, **named)

        future: Future[Value] = self._pool.submit(context.run, work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancellation.cancel()
            future.cancel()
            await _ended(future)
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False)


async def _ended(future: Future[Any]) -> None:
    """Waits for a call that has been told to end; what it gives or raises no one asks for any more."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def tell(_: Future[Any]) -> None:
        loop.call_soon_threadsafe(over.set)

    future.add_done_callback(tell)
    await over.wait()
    if not future.cancelled():
        future.exception()


class Client:
    """A Penstock server, with `penstock.Client`'s parameters, methods and errors, as coroutines."""

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        retry_for: float = RETRY_FOR,
        timeouts: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._client = _Client(
            server, token=token, retry_for=retry_for, timeouts=timeouts, headers=headers, ssl_context=ssl_context
        )
        self._threads = _Threads()

    @property
    def address(self) -> str:
        """The server's address."""
        return self._client.address

    def __repr__(self) -> str:
        return f"<penstock.aio.Client of {self.address}>"

    async def close(self) -> None:
        """Closes the connections that are kept, and ends the client's threads."""
        self._client.close()
        self._threads.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ---- writers ----

    async def create_writer(
        self,
        streams: Iterable[Mapping[str, Any]] = (),
        dst: str | None = None,
        format: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        open: bool | Mapping[str, Any] = False,
        buffer_size: int | str | None = None,
        id: str | None = None,
        overwrite: bool = False,
        *,
        callback_url: str | None = None,
        progress: Report = False,
        on_error: Ending = "abort",
        on_interrupt: Ending | None = None,
        **further: Any,
    ) -> Writer:
        """Creates a writer. A cancelled task counts as an interrupt for `on_interrupt`."""
        writer = await self._threads.run(
            self._client.create_writer,
            streams,
            dst,
            format,
            metadata,
            open,
            buffer_size,
            id,
            overwrite,
            callback_url=callback_url,
            progress=progress,
            on_error=on_error,
            on_interrupt=on_interrupt,
            **further,
        )
        return Writer(writer, self._threads)

    async def put_writer(self, id: str, request: Mapping[str, Any]) -> types.Writer:
        """Creates a writer of this id from an object of the API, and gives its record."""
        return await self._threads.run(self._client.put_writer, id, request)

    async def plan_writer(self, request: Mapping[str, Any]) -> types.WriterPlan:
        """What creating a writer would give, without one being made."""
        return await self._threads.run(self._client.plan_writer, request)

    async def writer(
        self,
        id: str,
        *,
        name: str | None = None,
        progress: Report = False,
        on_error: Ending = "abort",
        on_interrupt: Ending | None = None,
    ) -> Writer:
        """A writer that is there, to go on with."""
        writer = await self._threads.run(
            self._client.writer, id, name=name, progress=progress, on_error=on_error, on_interrupt=on_interrupt
        )
        return Writer(writer, self._threads)

    async def get_writer(self, id: str, *, name: str | None = None) -> types.Writer:
        """A writer's record."""
        return await self._threads.run(self._client.get_writer, id, name=name)

    async def list_writers(
        self,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        scope: str | None = None,
        name: str | None = None,
    ) -> types.WriterList:
        """One page of writers, newest first."""
        return await self._threads.run(
            self._client.list_writers, state=state, limit=limit, cursor=cursor, scope=scope, name=name
        )

    async def writers(self, *, state: str | None = None, name: str | None = None) -> AsyncIterator[types.Writer]:
        """All writers, newest first, page by page."""
        async for record in _stepped(self._client.writers(state=state, name=name), self._threads):
            yield record

    async def delete_writer(
        self, id: str, *, keep_output: bool = False, name: str | None = None
    ) -> types.Deletion | None:
        """Deletes a writer and its files."""
        return await self._threads.run(self._client.delete_writer, id, keep_output=keep_output, name=name)

    # ---- in one request ----

    async def encode(self, data: Any, *, format: str, progress: Report = False, **parameters: Any) -> bytes:
        """The encoded file of one array, as bytes; see `penstock.encode`."""
        return await self._threads.run(self._client.encode, data, format=format, progress=progress, **parameters)

    # ---- what the server can do ----

    async def list_muxers(self) -> list[types.Muxer]:
        """The muxers, by name."""
        return await self._threads.run(self._client.list_muxers)

    async def get_muxer(self, name: str) -> types.Muxer:
        """A muxer or output device with its options."""
        return await self._threads.run(self._client.get_muxer, name)

    async def list_output_devices(self) -> list[types.Muxer]:
        """The output devices, by name."""
        return await self._threads.run(self._client.list_output_devices)

    async def list_audio_encoders(self) -> list[types.Encoder]:
        """The audio encoders, by name."""
        return await self._threads.run(self._client.list_audio_encoders)

    async def list_video_encoders(self) -> list[types.Encoder]:
        """The video encoders, by name."""
        return await self._threads.run(self._client.list_video_encoders)

    async def get_encoder(self, name: str) -> types.Encoder:
        """An encoder with its formats, rates and options."""
        return await self._threads.run(self._client.get_encoder, name)

    async def list_filters(self) -> list[types.Filter]:
        """The filters with their options."""
        return await self._threads.run(self._client.list_filters)

    async def get_filter(self, name: str) -> types.Filter:
        """A filter with its inputs, outputs and options."""
        return await self._threads.run(self._client.get_filter, name)

    async def list_output_protocols(self) -> list[str]:
        """The protocols that FFmpeg's libraries write to."""
        return await self._threads.run(self._client.list_output_protocols)

    # ---- the server itself ----

    async def get_version(self) -> types.Version:
        """The versions of Penstock and of FFmpeg's libraries."""
        return await self._threads.run(self._client.get_version)

    async def livez(self) -> types.Status:
        """That the process is alive."""
        return await self._threads.run(self._client.livez)

    async def readyz(self) -> types.Readiness:
        """That the server takes new work, and what its sandbox is."""
        return await self._threads.run(self._client.readyz)

    async def get_metrics(self) -> str:
        """The server's metrics, in Prometheus' text format."""
        return await self._threads.run(self._client.get_metrics)

    async def get_contract(self) -> str:
        """The server's openapi.yaml."""
        return await self._threads.run(self._client.get_contract)


class Writer:
    """A writer on a server, with `penstock.Writer`'s methods as coroutines."""

    def __init__(self, writer: _Writer, threads: _Threads) -> None:
        self._writer = writer
        self._threads = threads
        self.id: str = writer.id

    def __repr__(self) -> str:
        return repr(self._writer).replace("penstock.", "penstock.aio.", 1)

    async def add_stream(self, **stream: Any) -> types.Stream:
        """Adds a stream. Only before `open`."""
        return await self._threads.run(self._writer.add_stream, **stream)

    async def set_metadata(self, metadata: Mapping[str, Any]) -> types.Writer:
        """Replaces the file's metadata. Only before `open`."""
        return await self._threads.run(self._writer.set_metadata, metadata)

    async def open(self, option: Mapping[str, Any] | None = None) -> types.Writer:
        """Opens the destination and writes the header."""
        return await self._threads.run(self._writer.open, option)

    async def send(
        self,
        stream: int,
        data: Any,
        *,
        pts: float | None = None,
        duration: float | None = None,
        keyframe: bool = False,
        raw: bool = False,
    ) -> types.Receipt:
        """Sends frames or samples; `data` must not change until this returns."""
        return await self._threads.run(
            self._writer.send, stream, data, pts=pts, duration=duration, keyframe=keyframe, raw=raw
        )

    async def flush(self) -> types.Writer:
        """Has the server write what its encoders have made so far."""
        return await self._threads.run(self._writer.flush)

    async def finalize(self) -> types.Result:
        """Drains the encoders, writes the trailer and closes the destination; gives the result."""
        return await self._threads.run(self._writer.finalize)

    async def abort(self) -> None:
        """Ends the writer and removes what was written for it."""
        await self._threads.run(self._writer.abort)

    async def delete(self, *, keep_output: bool = False) -> types.Deletion | None:
        """Deletes the writer and its files."""
        return await self._threads.run(self._writer.delete, keep_output=keep_output)

    async def request_key_frame(self, stream: int | None = None, *, rendition: str | None = None) -> list[int]:
        """Has the next picture of a video stream, or of each, be a key frame; gives the streams' indexes."""
        return await self._threads.run(self._writer.request_key_frame, stream, rendition=rendition)

    async def add_output(self, name: str, dst: str, **output: Any) -> types.Output:
        """Opens one more output, a URL or a device, which has the streams from their next key frames on."""
        return await self._threads.run(self._writer.add_output, name, dst, **output)

    async def remove_output(self, name: str) -> types.Output:
        """Ends an output as finalizing does, and lets the writer go on; gives what became of it."""
        return await self._threads.run(self._writer.remove_output, name)

    async def retry_output(
        self, name: str = "main", *, dst: str | None = None, option: Mapping[str, Any] | None = None
    ) -> types.Writer:
        """Sends again what an ended writer could not send of an output; gives the writer once it is there."""
        return await self._threads.run(self._writer.retry_output, name, dst=dst, option=option)

    async def change_stream(
        self,
        stream: int,
        *,
        bit_rate: int | str,
        encoder_option: Mapping[str, Any] | None = None,
        rendition: str | None = None,
    ) -> types.Stream:
        """Gives a stream's encoder another bit rate, in bits a second, from its next frame on."""
        return await self._threads.run(
            self._writer.change_stream, stream, bit_rate=bit_rate, encoder_option=encoder_option, rendition=rendition
        )

    async def status(self) -> types.Writer:
        """The writer's record."""
        return await self._threads.run(self._writer.status)

    async def offset(self, stream: int) -> int:
        """How many bytes of a stream the server has taken."""
        return await self._threads.run(self._writer.offset, stream)

    def output(self, name: str | None = None, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The encoded bytes, as they are written while the writer is open."""
        return _stepped(self._writer.output(name, offset=offset, length=length), self._threads)

    async def output_headers(self, name: str | None = None) -> dict[str, str]:
        """The head of the output's response."""
        return await self._threads.run(self._writer.output_headers, name)

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.finalize()
            return
        # A cancelled task is what Ctrl-C is without one.
        cause = KeyboardInterrupt() if isinstance(error, asyncio.CancelledError) else error
        await self._threads.run(self._writer.end_after, cause)


async def encode(
    data: Any,
    *,
    format: str,
    server: str | _Client | None = None,
    token: str | None = None,
    progress: Report = False,
    **parameters: Any,
) -> bytes:
    """The encoded file of one array of sound or pictures, as bytes; see `penstock.encode`."""
    threads = _Threads()
    try:
        client = await threads.run(_server.connect, server, token)
        return await threads.run(client.encode, data, format=format, progress=progress, **parameters)
    finally:
        threads.close()


async def _stepped(values: Iterator[Value], threads: _Threads) -> AsyncIterator[Value]:
    """What an iterator gives, each step in a thread."""
    end = object()

    def step() -> Any:
        return next(values, end)

    try:
        while True:
            value = await threads.run(step)
            if value is end:
                return
            yield value
    finally:
        close = getattr(values, "close", None)
        if close is not None:
            await threads.run(close)
