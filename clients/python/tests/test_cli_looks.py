"""`python -m penstock status`, `encoders` and `doctor` say what the server says."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import penstock

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_status_shows_writers_and_one_of_them(run: Run, client: penstock.Client) -> None:
    stream = {"type": "audio", "sample_rate": 8000, "num_channels": 1}
    writer = client.create_writer([stream], format="wav", id="shown-by-status", open=True)
    try:
        assert b"shown-by-status" in run("status").stdout
        assert b"shown-by-status" not in run("status", "--state", "failed").stdout
        assert b"8000" in run("status", "shown-by-status").stdout
        assert json.loads(run("status", "shown-by-status", "--json").stdout)["state"] == "open"
    finally:
        writer.abort()
    gone = run("status", "shown-by-status")
    assert gone.returncode == 1 and b"[404 " in gone.stderr


def test_encoders_shows_all_and_the_options_of_one(run: Run, client: penstock.Client) -> None:
    listed = run("encoders").stdout.decode()
    for encoder in [*client.list_video_encoders(), *client.list_audio_encoders()]:
        assert f"\n{encoder['name']} " in listed
    assert "crf" in run("encoders", "libx264").stdout.decode()
    assert json.loads(run("encoders", "libx264", "--json").stdout) == client.get_encoder("libx264")
    assert run("encoders", "libx263").returncode == 1


def test_doctor_says_what_the_server_is_and_what_its_sandbox_lacks(run: Run, client: penstock.Client) -> None:
    done = run("doctor")
    said, missing = done.stdout.decode(), client.readyz()["sandbox"]["missing"]
    assert client.get_version()["ffmpeg"] in said and "libx264" in said
    assert done.returncode == (1 if missing else 0) and all(name in said for name in missing)


def test_doctor_says_whether_the_token_passes(run: Run, new_server: Any, tmp_path: pathlib.Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-that-is-long-enough-0123456789\n")
    tokens.chmod(0o600)
    url = new_server("--token-file", str(tokens)).url
    none, wrong = run("doctor", url=url), run("doctor", url=url, PENSTOCK_TOKEN="another-one-0123456789-0123456789")
    right = run("doctor", url=url, PENSTOCK_TOKEN=tokens.read_text().strip())
    assert none.returncode == 1 and b"!!  token    none was given" in none.stdout
    assert wrong.returncode == 1 and b"!!  token" in wrong.stdout and b"none was given" not in wrong.stdout
    assert b"ok  token    is taken" in right.stdout
