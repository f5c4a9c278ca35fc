"""The scripts of README.md do what they say."""

from __future__ import annotations

import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import numpy
import pytest

import originals
import penstock
from conftest import Server

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
SCRIPTS = dict(re.findall(r"```python file=(\S+)\n(.*?)```", README, re.DOTALL))


def run(name: str, folder: pathlib.Path, *arguments: str) -> str:
    (folder / name).write_text(SCRIPTS[name])
    command = [sys.executable, "-W", "error", name, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_script_is_run() -> None:
    assert sorted(SCRIPTS) == ["frames_to_rtmp.py", "model_to_mp4.py", "speech_to_opus.py"]
    assert README.count("```python") == len(SCRIPTS)


def test_a_models_frames_become_an_mp4(tmp_path: pathlib.Path) -> None:
    printed = run("model_to_mp4.py", tmp_path)
    (video,) = originals.streams(tmp_path / "model.mp4")
    assert (video["codec_name"], video["frames"]) == ("h264", 90)
    assert printed == f"3.0 s, {(tmp_path / 'model.mp4').stat().st_size} bytes\n"


def test_speech_becomes_opus_while_it_is_spoken_and_at_once(tmp_path: pathlib.Path) -> None:
    run("speech_to_opus.py", tmp_path)
    for name in ("live.opus", "whole.opus"):
        (sound,) = originals.streams(tmp_path / name)
        assert sound["codec_name"] == "opus"
        # A sine of 0.1 for a second.
        assert [round(loudness / 2317, 1) for loudness in sound["loudness"][2:18]] == [1.0] * 16


def test_frames_and_sound_reach_an_rtmp_server(
    new_server: object, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = new_server("--allow-output", "rtmp://127.0.0.1:*/*")  # type: ignore[operator]
    monkeypatch.setenv("PENSTOCK_URL", server.url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, received = f"rtmp://127.0.0.1:{port}/app/key", tmp_path / "received.flv"
    command = ["ffmpeg", "-v", "error", "-listen", "1", "-i", url, "-map", "0", "-c", "copy", str(received)]
    listener = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        run("frames_to_rtmp.py", tmp_path, url)
        assert listener.wait(30) == 0
    finally:
        listener.kill()
    assert sorted((stream["codec_name"], stream["frames"]) for stream in originals.streams(received)) == [
        ("aac", 142), ("h264", 75),
    ]  # fmt: skip


def test_commands_make_what_they_name(
    new_server: object, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = new_server("--allow-output", "rtmp://127.0.0.1:*/*")  # type: ignore[operator]
    monkeypatch.setenv("PENSTOCK_URL", server.url)
    monkeypatch.setenv("PYTHON", sys.executable)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, (commands,) = f"rtmp://127.0.0.1:{port}/app/KEY", COMMANDS
    assert "rtmp://live.example.com/app/KEY" in commands
    sine = "ffmpeg -v error -f lavfi -i sine=d=2:r=48000 -ac 2"
    script = f"""
        python() {{ "$PYTHON" "$@"; }}
        arecord() {{ {sine} -ar 44100 -f wav -; }}
        model() {{ {sine} -f s16le -; }}
        ffmpeg -v error -f lavfi -i testsrc2=s=64x48:d=2:r=25 -pix_fmt yuv420p clip.y4m
        {commands.replace("rtmp://live.example.com/app/KEY", url)}"""
    command = ["ffmpeg", "-v", "error", "-listen", "1", "-i", url, "-c", "copy", str(tmp_path / "received.flv")]
    listener = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True, timeout=120)
        assert listener.wait(30) == 0
    finally:
        listener.kill()
    made = {
        name: originals.streams(tmp_path / name)[0] for name in ("out.mp4", "received.flv", "talk.opus", "out.flac")
    }
    assert [stream["codec_name"] for stream in made.values()] == ["h264", "h264", "opus", "flac"]
    assert made["out.mp4"]["frames"] == made["received.flv"]["frames"] == 50


def wait_until_listening(port: int) -> None:
    """By the kernel's table: a connection would be the one that the listener waits for."""
    deadline = time.monotonic() + 20
    while f"0100007F:{port:04X} 00000000:0000 0A" not in pathlib.Path("/proc/net/tcp").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_player_may_come_later_than_responses_are_waited_for(new_server: object, tmp_path: pathlib.Path) -> None:
    server: Server = new_server("--allow-output", "rtmp://127.0.0.1:*/*")  # type: ignore[operator]
    client = penstock.Client(server.url, timeouts=penstock.Timeouts(idle=0.4))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, received = f"rtmp://127.0.0.1:{port}/app/key", tmp_path / "received.flv"

    def play() -> None:
        wait_until_listening(port)
        time.sleep(1)
        originals._output("ffmpeg", "-v", "error", "-i", url, "-c", "copy", str(received))

    player = threading.Thread(target=play)
    player.start()
    writer = penstock.StreamWriter(url, "flv", server=client)
    writer.add_video_stream(25, 64, 48)
    with writer.open({"listen": "1"}):
        writer.write_video_chunk(0, numpy.zeros((25, 3, 48, 64), "uint8"))
    player.join(30)
    assert originals.streams(received)[0]["frames"] == 25
