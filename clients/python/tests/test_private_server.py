"""The server of a process's own: when it is started, who shares it, and that it ends whatever ends the process."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

import penstock
from penstock import _private, _server

PRELUDE = """
import json, os, signal, sys, time
import numpy as np
import penstock
from penstock import _private

def about():
    client = penstock.Client()
    client.livez()
    return {"address": client.address, "pid": _private._server.process.pid, "folder": _private._server.folder}
"""


def start(script, **environment):
    """A Python of its own, in whose output each line is JSON."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(server):
    deadline = time.monotonic() + 30
    while is_running(server["pid"]) or os.path.exists(server["folder"]):
        assert time.monotonic() < deadline, (is_running(server["pid"]), os.listdir(server["folder"]))
        time.sleep(0.02)


def test_one_is_started_for_the_process_and_ends_with_it():
    process = start("""
print(json.dumps([about(), about()]))
print(json.dumps(len(penstock.encode(np.zeros((1600, 1), "int16"), format="wav", sample_rate=16000))))
""")
    output, _ = process.communicate(timeout=60)
    (first, second), size = map(json.loads, output.splitlines())
    assert first == second and first["address"].startswith("unix:") and process.returncode == 0
    assert size > 3200
    wait_until_gone(first)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_the_process_is_killed(number):
    process = start("print(json.dumps(about()), flush=True); time.sleep(60)")
    server = json.loads(process.stdout.readline())
    assert is_running(server["pid"])
    process.send_signal(number)
    process.communicate(timeout=60)
    wait_until_gone(server)


def test_only_its_user_reaches_it():
    process = start("print(json.dumps(about()), flush=True); sys.stdin.read()")
    server = json.loads(process.stdout.readline())
    assert os.stat(server["folder"]).st_mode & 0o777 == 0o700
    assert os.stat(server["address"].removeprefix("unix:")).st_mode & 0o777 == 0o600
    command = pathlib.Path(f"/proc/{server['pid']}/cmdline").read_text().split("\0")
    assert command[command.index("--port") + 1] == "none"
    process.communicate("", timeout=30)
    wait_until_gone(server)


def test_a_forked_process_shares_it_and_does_not_end_it():
    process = start("""
mine = about()
child = os.fork()
if child == 0:
    print(json.dumps({"address": penstock.Client().address, "state": penstock.Client().livez()["status"]}), flush=True)
    sys.exit()
os.waitpid(child, 0)
print(json.dumps({"before": mine, "after": about()}), flush=True)
""")
    output, _ = process.communicate(timeout=60)
    child, parent = map(json.loads, output.splitlines())
    assert child == {"address": parent["before"]["address"], "state": "ok"}
    assert parent["before"] == parent["after"] and process.returncode == 0
    wait_until_gone(parent["before"])


def test_a_forked_process_keeps_it_when_its_parent_is_killed():
    process = start("""
mine = about()
if os.fork() == 0:
    sys.stdin.read()
    print(json.dumps(penstock.Client(mine["address"]).livez()), flush=True)
    os._exit(0)
print(json.dumps(mine), flush=True)
time.sleep(60)
""")
    server = json.loads(process.stdout.readline())
    process.kill()
    process.wait(60)
    process.stdin.close()
    assert json.loads(process.stdout.readline()) == {"status": "ok"}
    process.stdout.close()
    wait_until_gone(server)


def test_ctrl_c_is_for_the_process_and_not_for_it():
    process = start("""
stream = {"type": "audio", "sample_rate": 8000, "num_channels": 1}
writer = penstock.Client().create_writer([stream], format="wav", open=True)
try:
    print(json.dumps(about()), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    writer.send(0, np.zeros(8000, "float32"))
    print(json.dumps(writer.finalize()["duration"]), flush=True)
""")
    server = json.loads(process.stdout.readline())
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert json.loads(output) == 1
    wait_until_gone(server)


def test_another_is_started_when_it_has_died():
    process = start("""
first = about()
os.kill(first["pid"], signal.SIGKILL)
os.waitid(os.P_PID, first["pid"], os.WEXITED | os.WNOWAIT)
print(json.dumps([first, about()]), flush=True)
""")
    output, _ = process.communicate(timeout=60)
    first, second = json.loads(output)
    assert first["pid"] != second["pid"] and process.returncode == 0
    wait_until_gone(first)
    wait_until_gone(second)


def test_the_folder_goes_though_others_still_write_into_it():
    # As encoders of a server that was killed do for a moment.
    writes = """
import os, sys, time
until = time.monotonic() + 1.5
while time.monotonic() < until:
    for number in range(100):
        try: open(f"{sys.argv[1]}/state/{number}", "w").close()
        except OSError: pass
"""
    process = start(f"""
import subprocess
mine = about()
others = [subprocess.Popen([sys.executable, "-c", {writes!r}, mine["folder"]]) for _ in range(2)]
time.sleep(0.3)
os.kill(mine["pid"], signal.SIGKILL)
print(json.dumps(mine), flush=True)
""")
    output, _ = process.communicate(timeout=60)
    wait_until_gone(json.loads(output))


def test_settings_of_a_server_of_the_machines_do_not_reach_it():
    process = start("print(json.dumps(about()))", PENSTOCK_PORT="1", PENSTOCK_MAX_WRITERS="0", PENSTOCK_TOKEN="abc")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    wait_until_gone(json.loads(output))


def test_a_long_path_of_temporary_files_is_no_obstacle(tmp_path):
    folder = tmp_path / ("a" * 100)
    folder.mkdir()
    process = start("print(json.dumps(about()))", TMPDIR=str(folder))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    wait_until_gone(json.loads(output))
    assert list(folder.iterdir()) == []


def test_none_at_hand_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setattr(_private, "_server", None)
    monkeypatch.delenv("PENSTOCK_PROGRAM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(penstock.NoServer, match=r"no `penstock` on PATH.*server=.*PENSTOCK_URL.*apt install") as caught:
        _server.connect()
    assert isinstance(caught.value, RuntimeError)


def test_one_that_does_not_start_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(_private, "_server", None)
    program = tmp_path / "penstock"
    program.write_text("#!/bin/sh\necho Error: no room >&2; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PENSTOCK_PROGRAM", str(program))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(penstock.NoServer, match="ended with status 3: Error: no room"):
        penstock.Client()
    assert [path.name for path in tmp_path.iterdir()] == ["penstock"]


def test_the_environments_server_goes_before_one_of_its_own(server, monkeypatch):
    monkeypatch.setenv("PENSTOCK_URL", server.url)
    monkeypatch.setattr(_private, "address", lambda: pytest.fail("a private server was started"))
    assert penstock.Client().address == server.url
    assert _server.connect() is _server.connect(server.url)
    given = penstock.Client(server.url)
    assert _server.connect(given) is given
    with pytest.raises(ValueError, match="token"):
        _server.connect(given, token="a")
    with pytest.raises(TypeError, match=r"address or a penstock\.Client"):
        _server.connect(8080)
