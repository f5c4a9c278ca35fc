"""A real server for all tests of a run, and what breaks between it and a client."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import penstock

REPOSITORY = pathlib.Path(__file__).parents[3]


class Server:
    """A `penstock serve` on a free port of loopback, with folders of its own; it can be ended and started again."""

    def __init__(self, program: str, folder: pathlib.Path, *arguments: str) -> None:
        self.program = program
        self.folder = folder
        self.output = folder / "output"
        self.arguments = arguments
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--port", str(self.port), "--output-dir", str(self.output),
                 "--state-dir", str(self.folder / "state"), *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not (found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.log())):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.01)
        self.port = int(found[1])

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(60)
        self.process = None
        return status


class CuttingProxy:
    """Passes connections on to a server; cuts each when as many bytes as `budget` says have passed, to and fro.

    None lets a connection live. Half of the cuts are resets. With `hangs` connections
    are not cut but stay open, and nothing passes any more. With `tls` it speaks that to clients.
    """

    def __init__(
        self,
        port: int,
        budget: Callable[[], int | None],
        seed: int = 0,
        tls: ssl.SSLContext | None = None,
        hangs: bool = False,
    ) -> None:
        self.to_port = port
        self.budget = budget
        self.cuts = 0
        self.connections = 0
        self.tls = tls
        self.hangs = hangs
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        # A thread that waits in accept is not woken by close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.tls is not None:
                    client = self.tls.wrap_socket(client, server_side=True)
                server = socket.create_connection(("127.0.0.1", self.to_port), 10)
            except OSError:
                client.close()
                continue
            with self._lock:
                self.connections += 1
                connection = _Connection(self, client, server, self.budget(), self._random.random() < 0.5)
            connection.start()


class _Connection:
    def __init__(
        self, proxy: CuttingProxy, client: socket.socket, server: socket.socket, left: int | None, resets: bool
    ) -> None:
        self.proxy, self.client, self.server, self.left, self.resets = proxy, client, server, left, resets
        self.lock = threading.Lock()
        self.is_over = False

    def start(self) -> None:
        self.server.settimeout(None)
        for source, sink in ((self.client, self.server), (self.server, self.client)):
            threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                with self.lock:
                    if self.is_over:
                        return
                    taken = len(piece) if self.left is None else min(self.left, len(piece))
                    if self.left is not None:
                        self.left -= taken
                    is_cut = self.left == 0
                sink.sendall(piece[:taken])
                if is_cut:
                    self._end(is_cut=True)
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._end(is_cut=False)

    def _end(self, is_cut: bool) -> None:
        with self.lock:
            if self.is_over:
                return
            self.is_over = True
        self.proxy.cuts += is_cut
        if is_cut and self.proxy.hangs:
            return
        for end in (self.client, self.server):
            if is_cut and self.resets:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture(scope="session")
def program() -> str:
    """The server's program: that of PENSTOCK_PROGRAM, or the release that was built here."""
    found = os.environ.get("PENSTOCK_PROGRAM") or str(REPOSITORY / ".build/release/penstock")
    if not os.access(found, os.X_OK):
        pytest.exit(f"{found} is no program: build the server, or name it in PENSTOCK_PROGRAM", 2)
    return found


@pytest.fixture(scope="session", autouse=True)
def _own_environment(program: str) -> Iterator[None]:
    """No server of the developer's is used by accident; a private one is of the program under test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PENSTOCK_")]:
            patch.delenv(name)
        patch.setenv("PENSTOCK_PROGRAM", program)
        yield


@pytest.fixture(scope="session")
def new_server(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers with further arguments; all are ended with the run."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(program, tmp_path_factory.mktemp("server"), *arguments))
        return servers[-1]

    yield start
    for server in servers:
        if server.process is not None:
            assert server.end() == 0, server.log()


@pytest.fixture(scope="session")
def server(new_server: Callable[..., Server]) -> Server:
    """A server without further arguments, shared by the tests."""
    return new_server()


@pytest.fixture
def client(server: Server) -> Iterator[penstock.Client]:
    with penstock.Client(server.url) as client:
        yield client


@pytest.fixture
def new_proxy(server: Server) -> Iterator[Callable[..., CuttingProxy]]:
    """Makes proxies before the shared server."""
    proxies: list[CuttingProxy] = []

    def make(budget: Callable[[], int | None], **further: Any) -> CuttingProxy:
        proxies.append(CuttingProxy(server.port, budget, **further))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.fixture
def run(server: Server, tmp_path: pathlib.Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs `python -m penstock` in a folder of its own, against the shared server unless `url` is another one's."""

    def run(*arguments: str, url: str | None = server.url, stdin: bytes = b"", **further: str) -> Any:
        environment = {**os.environ, **further}
        if url is not None:
            environment["PENSTOCK_URL"] = url
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "penstock", *arguments],
            cwd=tmp_path, env=environment, input=stdin, capture_output=True, timeout=120,
        )  # fmt: skip

    return run
