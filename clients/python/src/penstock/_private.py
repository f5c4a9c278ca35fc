"""A server of this process's own, on a socket that only its user reaches.

It is started when it is first needed and ended when the process is. A watching shell ends it where the process can't:
it reads from a pipe that this process, and those that it forks, hold open, and removes the folder when the last of them
is gone, killed or not.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

from ._problems import NoServer

#: Names the program, where it is not the `penstock` on PATH.
PROGRAM_VARIABLE = "PENSTOCK_PROGRAM"
#: Seconds within which a server listens, and within which it ends before it is killed.
START_TIME, END_TIME = 20.0, 15.0
#: The longest path that a socket's address holds (sockaddr_un), without its end.
LONGEST_SOCKET_PATH = 107

#: What the process's own user could write to anyway: every protocol that writers write by.
PROTOCOLS = (
    *("ftp", "http", "https", "icecast", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts"),
    *("rtp", "rtsp", "rtsps", "srt", "srtp", "tcp", "tls", "udp", "udplite"),
)

# Arguments: the server's process id, when that began (so that no later process of the id is meant), the folder, and
# the tenths of a second that the server may take to end.
_WATCH = r"""
read -r line
began() { cut -d ' ' -f 22 "/proc/$1/stat" 2>/dev/null; }
if [ "$(began "$1")" = "$2" ]; then
    kill -TERM "$1" 2>/dev/null
    left=$4
    while [ "$(began "$1")" = "$2" ] && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
    if [ "$(began "$1")" = "$2" ]; then kill -KILL "$1" 2>/dev/null; fi
fi
# Encoders of a server that was killed still write for a moment.
left=$4
until rm -rf -- "$3" 2>/dev/null || [ "$left" -le 0 ]; do sleep 0.1; left=$((left - 1)); done
"""

_INSTALL = (
    'Name one that runs with server="http://host:8080" or in PENSTOCK_URL, or install Penstock on this machine: '
    "apt install ./penstock_….deb, or `make build` in its source and .build/release on PATH "
    "(docs/operations/install.md); PENSTOCK_PROGRAM names the program where it is not on PATH."
)


@dataclass
class _Server:
    process: subprocess.Popen[bytes]
    watch: subprocess.Popen[bytes]
    program: str
    folder: str
    output: str
    owner: int

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/http.sock"

    def is_alive(self) -> bool:
        # A forked process can't wait for it.
        is_over = self.owner == os.getpid() and self.process.poll() is not None
        return not is_over and _listens(f"{self.folder}/http.sock")

    def end(self) -> None:
        """Ends the server, and with it the watch, which removes the folder."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_TIME)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.watch.stdin is not None:
            self.watch.stdin.close()
        self.watch.wait()


_lock = threading.Lock()
_server: _Server | None = None


def address() -> str:
    """The address of this process's own server, which is started if there is none. Raises NoServer."""
    global _server
    with _lock:
        if _server is None or not _server.is_alive():
            if _server is not None and _server.owner == os.getpid():
                _server.end()
            _server = _start()
        return _server.address


def output_folder(address: str) -> str | None:
    """Where the process's own server has its output directory; None where `address` is that of another server."""
    with _lock:
        return _server.output if _server is not None and _server.address == address else None


def end() -> None:
    """Ends this process's own server, if it has one; open writers are finalized. A later need starts another."""
    global _server
    with _lock:
        server, _server = _server, None
        if server is not None and server.owner == os.getpid():
            server.end()


def program() -> str:
    """The path of the server's program. Raises NoServer."""
    named = os.environ.get(PROGRAM_VARIABLE)
    found = shutil.which(named or "penstock")
    if found is None:
        missing = (
            f"{PROGRAM_VARIABLE} names {named}, which is no program" if named else "there is no `penstock` on PATH"
        )
        raise NoServer(f"There is no Penstock server to use: none was named, and {missing}. {_INSTALL}")
    return found


def _start() -> _Server:
    command = program()
    folder = _folder()
    try:
        return _start_in(folder, command)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="penstock-")
    if len(os.fsencode(f"{folder}/http.sock")) > LONGEST_SOCKET_PATH:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="penstock-", dir="/tmp")
    return folder


def _start_in(folder: str, command: str) -> _Server:
    output = _output_folder(folder)
    arguments = [command, "serve", "--port", "none", "--listen", f"unix:{folder}/http.sock,mode=0600"]
    arguments += ["--state-dir", f"{folder}/state", "--output-dir", output]
    arguments += [
        "--idle-timeout",
        "0",
        "--shutdown-grace",
        "1",
        "--no-access-log",
        "--log-level",
        "warning",
        "--allow-devices",
    ]
    arguments += [part for protocol in PROTOCOLS for part in ("--allow-output", f"{protocol}://*")]
    # What configures a server of the machine's must not configure this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    # A session of its own: Ctrl-C is for the program that uses it.
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        began = _began(process.pid)
        watch = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "penstock-watch", str(process.pid), began, folder, str(int(END_TIME * 10))],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except BaseException:
        process.kill()
        process.wait()
        raise
    server = _Server(process, watch, command, folder, output, os.getpid())
    try:
        _wait_until_it_listens(server)
    except BaseException:
        server.end()
        raise
    return server


def _output_folder(folder: str) -> str:
    """Where files "on the server" are: where those of the program itself would be."""
    try:
        here = os.getcwd()
    except OSError:
        return f"{folder}/output"
    return here if os.access(here, os.W_OK | os.X_OK) else f"{folder}/output"


def _began(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().split(" ")[21]


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(path)
        except OSError:
            return False
        return True


def _wait_until_it_listens(server: _Server) -> None:
    deadline = time.monotonic() + START_TIME
    pause = 0.005
    while not _listens(f"{server.folder}/http.sock"):
        status = server.process.poll()
        if status is not None or time.monotonic() > deadline:
            with open(f"{server.folder}/log", encoding="utf-8", errors="replace") as file:
                log = file.read().strip()[-2000:]
            how = f"did not listen within {START_TIME:g} s" if status is None else f"ended with {_ending(status)}"
            raise NoServer(f"The private server ({server.program} serve) {how}: {log or 'it said nothing'}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def _ending(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    if _server is not None:
        # Not this process's child: nothing waits for it here.
        _server.process.returncode = 0
        _server.watch.returncode = 0


os.register_at_fork(after_in_child=_after_fork)
atexit.register(end)
