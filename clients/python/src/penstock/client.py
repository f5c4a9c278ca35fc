"""The API of one server, with every route as a method."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from . import _encode, _server
from ._calls import RETRY_FOR, Calls, segment
from ._progress import Meter, Progress
from ._transport import Timeouts
from .writer import Ending, Writer

if TYPE_CHECKING:
    from . import types

Report = bool | Callable[[Progress], object]


class Client:
    """A Penstock server: `Client("http://127.0.0.1:8080")`, `Client("https://media.example.com", token="…")`,
    `Client("unix:/run/penstock/http.sock")`.

    Without an address it is the server of PENSTOCK_URL (with the token of PENSTOCK_TOKEN), or else one of the process's
    own, which is started from the `penstock` on PATH and ends with the process.

    `retry_for` is how many seconds failures that pass are borne, counted from the last progress: connections that
    break, 503 and 429 (as `Retry-After` says), a server that is restarted. 0 bears none. `timeouts` are those of
    connections; `headers` go with every request; `ssl_context` replaces the system's certificates.

    Threads share a client. A process that is forked may go on with it, on connections of its own. Every method raises
    Problem, with what the server says, or Unreachable.
    """

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
        address, token = _server.resolve(server, token)
        self._settings = {"token": token, "retry_for": retry_for, "timeouts": timeouts, "headers": headers}
        self._calls = Calls(
            address, token=token, headers=headers, retry_for=retry_for, timeouts=timeouts, ssl_context=ssl_context
        )
        self._has_context = ssl_context is not None

    @property
    def address(self) -> str:
        """The server's address."""
        return str(self._calls.transport.address)

    def __repr__(self) -> str:
        return f"<penstock.Client of {self.address}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._has_context:
            raise TypeError("a Client with an ssl_context can't be pickled: make one in the other process")
        return (_restored, (self.address, self._settings))

    def close(self) -> None:
        """Closes the connections that are kept. The client can be used further, on others."""
        self._calls.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- writers ----

    def create_writer(
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
        """Creates a writer; with `streams` and `open` it takes chunks at once. All or nothing.

        `streams` are objects of the API (`{"type": "video", "frame_rate": 30, …}`), `open` is True or
        `{"option": {…}}`, and `further` what else the server's create takes (`verify=False`). Without `id` it gets one
        that is unique. `callback_url` is told what becomes of it (`verify_webhook`). `progress` is True for a bar or a
        line, or a function that takes a Progress. `on_error` and `on_interrupt` are Writer's.
        """
        meter = Meter.of(progress)
        body = _without_none(
            dst=dst,
            format=format,
            metadata=None if metadata is None else dict(metadata),
            buffer_size=buffer_size,
            streams=[dict(stream) for stream in streams] or None,
            open=open if isinstance(open, bool) else dict(open),
            overwrite=overwrite or None,
            callback_url=callback_url,
            **further,
        )
        if body["open"] is False:
            del body["open"]
        record = self.put_writer(id or uuid.uuid4().hex, body)
        return Writer(self._calls, record, progress=meter, on_error=on_error, on_interrupt=on_interrupt)

    def put_writer(self, id: str, request: Mapping[str, Any]) -> types.Writer:
        """Creates a writer of this id from an object of the API, and gives its record; the same again, the same one."""
        return cast("types.Writer", self._calls.call("PUT", f"/v1/writers/{segment(id)}", value=dict(request)).json())

    def plan_writer(self, request: Mapping[str, Any]) -> types.WriterPlan:
        """What creating a writer would give, or the problem that it would raise, without one being made."""
        response = self._calls.call("POST", "/v1/writers", query={"dry_run": True}, value=dict(request))
        return cast("types.WriterPlan", response.json())

    def writer(
        self,
        id: str,
        *,
        name: str | None = None,
        progress: Report = False,
        on_error: Ending = "abort",
        on_interrupt: Ending | None = None,
    ) -> Writer:
        """A writer that is there, to go on with: what is sent continues where its streams are.

        `name` is the name of the token that made it, for tokens that see every writer.
        """
        record = self.get_writer(id, name=name)
        meter = Meter.of(progress)
        return Writer(self._calls, record, name=name, progress=meter, on_error=on_error, on_interrupt=on_interrupt)

    def get_writer(self, id: str, *, name: str | None = None) -> types.Writer:
        """A writer's record, also after its end."""
        return cast("types.Writer", self._get(f"/v1/writers/{segment(id)}", name=name))

    def list_writers(
        self,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        scope: str | None = None,
        name: str | None = None,
    ) -> types.WriterList:
        """One page of writers, newest first; `next_cursor` in it is the next page's `cursor`."""
        page = self._get("/v1/writers", state=state, limit=limit, cursor=cursor, scope=scope, name=name)
        return cast("types.WriterList", page)

    def writers(self, *, state: str | None = None, name: str | None = None) -> Iterator[types.Writer]:
        """All writers, newest first, page by page."""
        cursor: str | None = None
        while True:
            page = self.list_writers(state=state, name=name, cursor=cursor)
            yield from page["writers"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def delete_writer(self, id: str, *, keep_output: bool = False, name: str | None = None) -> types.Deletion | None:
        """Deletes a writer and its files; gives what went and what stays, of one that had ended."""
        query = {"keep_output": True if keep_output else None, "name": name}
        return cast("types.Deletion | None", self._calls.delete(f"/v1/writers/{segment(id)}", query))

    # ---- in one request ----

    def encode(self, data: Any, *, format: str, progress: Report = False, **parameters: Any) -> bytes:
        """The encoded file of one array, as bytes; see `penstock.encode`."""
        return _encode.encode(self._calls, self.create_writer, data, format, parameters, Meter.of(progress))

    # ---- what the server can do ----

    def list_muxers(self) -> list[types.Muxer]:
        """The muxers, by name."""
        return cast("list[types.Muxer]", self._get("/v1/muxers")["muxers"])

    def get_muxer(self, name: str) -> types.Muxer:
        """A muxer or output device with its options."""
        return cast("types.Muxer", self._get(f"/v1/muxers/{segment(name)}"))

    def list_output_devices(self) -> list[types.Muxer]:
        """The output devices, by name."""
        return cast("list[types.Muxer]", self._get("/v1/output-devices")["output_devices"])

    def list_audio_encoders(self) -> list[types.Encoder]:
        """The audio encoders, by name."""
        return cast("list[types.Encoder]", self._get("/v1/audio-encoders")["encoders"])

    def list_video_encoders(self) -> list[types.Encoder]:
        """The video encoders, by name."""
        return cast("list[types.Encoder]", self._get("/v1/video-encoders")["encoders"])

    def get_encoder(self, name: str) -> types.Encoder:
        """An encoder with its formats, rates and options."""
        return cast("types.Encoder", self._get(f"/v1/encoders/{segment(name)}"))

    def list_filters(self) -> list[types.Filter]:
        """The filters with their options: about a megabyte."""
        return cast("list[types.Filter]", self._get("/v1/filters")["filters"])

    def get_filter(self, name: str) -> types.Filter:
        """A filter with its inputs, outputs and options."""
        return cast("types.Filter", self._get(f"/v1/filters/{segment(name)}"))

    def list_output_protocols(self) -> list[str]:
        """The protocols that FFmpeg's libraries write to; where the server may write to, its operator says."""
        return cast("list[str]", self._get("/v1/output-protocols")["protocols"])

    # ---- the server itself ----

    def get_version(self) -> types.Version:
        """The versions of Penstock and of FFmpeg's libraries."""
        return cast("types.Version", self._get("/v1/version"))

    def livez(self) -> types.Status:
        """That the process is alive."""
        return cast("types.Status", self._get("/livez"))

    def readyz(self) -> types.Readiness:
        """That the server takes new work, and what its sandbox is; a problem where it does not (503)."""
        return cast("types.Readiness", self._calls.call("GET", "/readyz", retry=False).json())

    def get_metrics(self) -> str:
        """The server's metrics, in Prometheus' text format."""
        return self._calls.call("GET", "/metrics", headers={"Accept": "text/plain"}).body.decode()

    def get_contract(self) -> str:
        """The server's openapi.yaml."""
        return self._calls.call("GET", "/openapi.yaml", headers={"Accept": "*/*"}).body.decode()

    def _get(self, path: str, **query: Any) -> Any:
        return self._calls.call("GET", path, query=query).json()


def _restored(address: str, settings: dict[str, Any]) -> Client:
    return Client(address, **settings)


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
