"""The C load generator: compiled on demand, run, its answer read."""
import contextlib
import dataclasses
import json
import shutil
import struct
import subprocess
import tempfile

from bench.places import BENCH, MEMORY, WORK

# The floor of any server that gives each writer a process of its own.
BARE = "a bare process a writer"


def program():
    """The generator's path; compiled when a source is newer."""
    sources = sorted((BENCH / "generator").glob("*.[ch]"))
    target = WORK / "generator"
    if not target.exists() or any(source.stat().st_mtime > target.stat().st_mtime for source in sources):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit("bench: no C compiler (cc, gcc, clang) for the load generator")
        WORK.mkdir(exist_ok=True)
        units = [str(source) for source in sources if source.suffix == ".c"]
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", str(target), *units], check=True)
    return str(target)


@dataclasses.dataclass(frozen=True)
class Request:
    """One request; requests with the same body share its bytes in the plan."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/octet-stream"

    def head(self):
        fields = f"Host: 127.0.0.1\r\nContent-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
        return f"{self.method} {self.path} HTTP/1.1\r\n{fields}\r\n".encode()


@contextlib.contextmanager
def plan(playlists):
    """A file of what each connection sends: a list of requests for each."""
    bodies = {}
    for requests in playlists:
        for request in requests:
            bodies.setdefault(request.body, len(bodies))
    with tempfile.NamedTemporaryFile(dir=WORK, suffix=".plan") as file:
        file.write(struct.pack("=I", len(bodies)))
        for body in bodies:
            file.write(struct.pack("=I", len(body)) + body)
        for connection, requests in enumerate(playlists):
            for request in requests:
                head = request.head()
                file.write(struct.pack("=III", connection, bodies[request.body], len(head)) + head)
        file.flush()
        yield file.name


def _run(*arguments):
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"generator {arguments[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def play(port, playlists, rounds=1):
    """Each connection plays its list `rounds` times, a request when the one before is answered."""
    with plan(playlists) as file:
        return _run("play", port, file, rounds)


def paced(port, playlists, period_ms, seconds):
    """Each connection sends one request a period, in real time, over and over through its list."""
    with plan(playlists) as file:
        return _run("paced", port, file, round(period_ms * 1000), seconds)


def live(port, count, heard, period_ms, piece_bytes, block_bytes, seconds):
    """One chunked body for each of the writers w0, w1, …, a piece a period; `heard` of them are read at …/output."""
    return _run("live", port, count, heard, round(period_ms * 1000), piece_bytes, block_bytes, seconds)


@contextlib.contextmanager
def holding(port, count, period_ms, piece_bytes, seconds):
    """The same bodies, sent for so long and then left open, while the body of the `with` runs."""
    arguments = ["hold", port, count, round(period_ms * 1000), piece_bytes, seconds]
    process = subprocess.Popen([program(), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def listening(*arguments):
    """A sink of the generator's, running: its pid and port."""
    process = subprocess.Popen([program(), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def bare_processes():
    """`BARE` itself: each connection's bodies go to a file in memory."""
    return listening("forked", MEMORY)
