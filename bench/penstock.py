"""The server under test, and requests to it."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from bench.places import ROOT, RUN
from bench.processes import tree

DEFAULT_PROGRAMS = ROOT / ".build" / "release"


class Penstock:
    """`penstock serve` on a free port of loopback, in folders of its own. A context manager.

    Its log goes to a file, as it would to a journal; `access_log=False` leaves out the line a request.
    """

    programs = DEFAULT_PROGRAMS

    def __init__(self, *options, folder=RUN, access_log=True):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-bench-", dir=folder))
        self.log = self._folder / "log"
        command = [str(self.programs / "penstock"), "serve", "--port", "0", *options]
        command += ["--output-dir", str(self._folder / "output"), "--state-dir", str(self._folder / "state")]
        if not access_log:
            command.append("--no-access-log")
        with open(self.log, "w") as log:
            self._process = subprocess.Popen(command, stderr=log)
        self.pid = self._process.pid
        self.port = self._wait_for_port()
        self._connections = threading.local()

    def _wait_for_port(self):
        for _ in range(500):
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.log.read_text())
            if found:
                return int(found[1])
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"penstock did not start: {self.log.read_text()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def output(self):
        return self._folder / "output"

    def request(self, method, path, body=None, expect=range(200, 300)):
        """The answer's JSON (None without a body). Raises with the server's problem if it refuses."""
        connection = self._connection()
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        response = connection.getresponse()
        answer = response.read()
        if response.status not in expect:
            raise RuntimeError(f"{method} {path}: {response.status} {answer.decode(errors='replace')}")
        return json.loads(answer) if answer else None

    def _connection(self):
        """This thread's own, made anew before the server finds that it was idle for long."""
        kept, now = self._connections, time.monotonic()
        if now > getattr(kept, "good_until", 0):
            kept.one = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        kept.good_until = now + 30
        return kept.one

    def create(self, id, **description):
        return self.request("PUT", f"/v1/writers/{id}", description)

    def finalize(self, id):
        return self.request("POST", f"/v1/writers/{id}/finalize", {})

    def delete(self, id):
        self.request("DELETE", f"/v1/writers/{id}")

    def encoders(self):
        """The pids of the writers' processes: the children of the fork server that have a writer."""
        fork_servers = [pid for pid in tree(self.pid)[1:] if _parent(pid) == self.pid]
        return [pid for pid in tree(self.pid) if _parent(pid) in fork_servers and _name(pid) != "spare encoder"]


def _parent(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def programs_folder(path):
    """A folder that has both programs, or the end of the run."""
    folder = pathlib.Path(path)
    for name in ("penstock", "penstock-encoder"):
        if not os.access(folder / name, os.X_OK):
            raise SystemExit(f"bench: {folder / name} is not there; `make build` makes it")
    return folder
