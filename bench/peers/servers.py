"""Peers that are servers: nginx, a FastAPI program, Hummingbird. Each yields its pid and port."""
import contextlib
import functools
import shutil
import socket
import subprocess
import tempfile
import time

from bench.peers import install
from bench.peers.inprocess import PROGRAMS
from bench.places import BENCH, ROOT, RUN, WORK

HUMMINGBIRD = WORK / "hummingbird" / "release" / "hummingbird-drain"
NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes auto;
events {{ worker_connections 4096; }}
http {{
    access_log {access_log};
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
"""


def nginx_missing():
    return "" if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") else "no nginx on PATH"


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_until_accepting(port, process):
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError(f"{process.args[0]} does not listen")


@contextlib.contextmanager
def _running(command, **options):
    process = subprocess.Popen(list(map(str, command)), **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def nginx(access_log=True):
    """`return 204` to everything, a worker a core."""
    RUN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RUN) as folder:
        port = _free_port()
        log = f"{folder}/access.log" if access_log else "off"
        with open(f"{folder}/nginx.conf", "w") as file:
            file.write(NGINX.format(folder=folder, port=port, access_log=log))
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        with _running([program, "-p", folder, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL) as process:
            _wait_until_accepting(port, process)
            yield process.pid, port


@contextlib.contextmanager
def fastapi(access_log=True):
    RUN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RUN) as folder, open(f"{folder}/log", "w") as log:
        flags = ["--access-log"] if access_log else []
        command = [install.PYTHON, PROGRAMS / "fastapi_server.py", folder, *flags]
        with _running(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            yield process.pid, int(process.stdout.readline())


@functools.cache
def hummingbird_missing():
    """Builds hummingbird-drain unless it is built. Empty if that went well, otherwise why not."""
    sources = [path.stat().st_mtime for path in (BENCH / "hummingbird-drain").rglob("*.swift")]
    if HUMMINGBIRD.exists() and HUMMINGBIRD.stat().st_mtime > max(sources):
        return ""
    if shutil.which("swift") is None:
        return "no swift on PATH to build it"
    command = ["swift", "build", "-c", "release", "--package-path", BENCH / "hummingbird-drain",
               "--scratch-path", WORK / "hummingbird"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT)
    WORK.mkdir(exist_ok=True)
    (WORK / "hummingbird.log").write_text(done.stdout + done.stderr)
    if done.returncode == 0:
        return ""
    errors = [line for line in (done.stdout + done.stderr).splitlines() if "error:" in line]
    return f"swift build: {(errors or ['failed'])[0][:300]}"


@contextlib.contextmanager
def hummingbird():
    with _running([HUMMINGBIRD], stdout=subprocess.PIPE, text=True) as process:
        yield process.pid, int(process.stdout.readline())
