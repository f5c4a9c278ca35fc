"""`python -m penstock`: what it sends is decoded again, and held against its input as FFmpeg's own programs read it."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

import penstock
from conftest import CuttingProxy, Server

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def ffmpeg(*arguments: str | pathlib.Path, stdin: bytes = b"") -> bytes:
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=60).stdout


def pictures(file: pathlib.Path) -> bytes:
    """A digest of each picture, without its time."""
    lines = ffmpeg("-i", file, "-map", "0:v", "-f", "framemd5", "-strict", "-1", "-").splitlines()
    return b"\n".join(line.split(b",")[-1] for line in lines if not line.startswith(b"#"))


def samples(file: pathlib.Path, encoder: str) -> bytes:
    return ffmpeg("-i", file, "-map", "0:a", "-f", encoder.removeprefix("pcm_"), "-c:a", encoder, "-")


def probed(file: pathlib.Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", "-count_frames", str(file)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {**found["streams"][0], "tags": found["format"].get("tags", {})}


def clip(file: pathlib.Path, pixel_format: str = "yuv420p", *arguments: str) -> bytes:
    source = "testsrc2=s=66x50:d=0.4:r=30000/1001"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", pixel_format, *arguments, "-strict", "-1", file)
    return file.read_bytes()


def tone(channels: int = 2) -> list[str]:
    return ["-f", "lavfi", "-i", "sine=d=1:r=48000", "-ac", str(channels)]


# ---- send: y4m ----


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuv411p", "yuv422p", "yuv444p", "yuva444p", "gray", "gray10le", "gray16le",
     "yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv420p16le"],
)  # fmt: skip
def test_pictures_of_a_y4m_are_what_the_output_decodes_to(run: Run, tmp_path: pathlib.Path, pixel_format: str) -> None:
    # Lossless coders of FFmpeg's: FFV1 of these formats, rawvideo of those that FFV1 has not.
    clip(tmp_path / "clip.y4m", pixel_format)
    encoder = "rawvideo" if pixel_format in ("yuva444p", "gray10le") else "ffv1"
    done = run("send", "clip.y4m", "out.nut", "--encoder", encoder, "--encoder-format", pixel_format)
    assert done.returncode == 0, done.stderr
    made = probed(tmp_path / "out.nut")
    assert (made["pix_fmt"], made["r_frame_rate"], made["nb_read_frames"]) == (pixel_format, "30000/1001", "12")
    assert pictures(tmp_path / "out.nut") == pictures(tmp_path / "clip.y4m")


def test_interlace_aspect_and_range_of_a_y4m_are_passed_on(run: Run, tmp_path: pathlib.Path) -> None:
    body = b"FRAME\n" + bytes(64 * 48 * 3 // 2)
    head = b"YUV4MPEG2 W64 H48 F25:1 It A4:3 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=FULL\n"
    done = run("send", "-", "out.mkv", "--encoder", "ffv1", stdin=head + body * 3)
    assert done.returncode == 0, done.stderr
    made = probed(tmp_path / "out.mkv")
    assert (made["field_order"], made["sample_aspect_ratio"], made["color_range"]) == ("tt", "4:3", "pc")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"W64 H48 F25:1 C420xyz", b"C420xyz"),
        (b"W64 H48 F25:1 Im", b"--field-order"),
        (b"W64 H48 F0:0", b"--frame-rate"),
        (b"W64 F25:1", b"no H"),
        (b"W64 H48 F25", b"no ratio"),
        (b"W64 H48 F25:1 XCOLORRANGE=ODD", b"XCOLORRANGE=ODD"),
    ],
)
def test_a_head_that_is_not_understood_is_refused(run: Run, tmp_path: pathlib.Path, head: bytes, said: bytes) -> None:
    done = run("send", "-", "out.mkv", stdin=b"YUV4MPEG2 " + head + b"\nFRAME\n" + bytes(4608))
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert os.listdir(tmp_path) == []


def test_what_a_head_leaves_open_can_be_said(run: Run, tmp_path: pathlib.Path) -> None:
    head = b"YUV4MPEG2 W64 H48 F0:0 Im\n"
    further = ["--frame-rate", "24", "--field-order", "bb", "--encoder", "ffv1"]
    done = run("send", "-", "out.mkv", *further, stdin=head + (b"FRAME Ixyz\n" + bytes(4608)) * 2)
    assert done.returncode == 0, done.stderr
    made = probed(tmp_path / "out.mkv")
    assert (made["r_frame_rate"], made["field_order"], made["nb_read_frames"]) == ("24/1", "bb", "2")


# ---- send: wav ----


@pytest.mark.parametrize(
    "stored", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s64le"]
)
def test_samples_of_a_wav_are_what_the_output_decodes_to(run: Run, tmp_path: pathlib.Path, stored: str) -> None:
    ffmpeg(*tone(), "-c:a", stored, tmp_path / "tone.wav")
    done = run("send", "tone.wav", "out.nut", "--encoder", stored)
    assert done.returncode == 0, done.stderr
    digests = [ffmpeg("-i", tmp_path / name, "-f", "md5", "-c:a", stored, "-") for name in ("tone.wav", "out.nut")]
    assert digests[0] == digests[1]


def test_a_wav_of_unknown_length_is_read_to_its_end(run: Run, tmp_path: pathlib.Path) -> None:
    wav = ffmpeg(*tone(), "-f", "wav", "-")
    assert wav[wav.index(b"data") + 4 :][:4] == b"\xff\xff\xff\xff"
    assert run("send", "-", "out.flac", stdin=wav).returncode == 0
    assert samples(tmp_path / "out.flac", "pcm_s16le") == ffmpeg(*tone(), "-f", "s16le", "-")


def test_a_wav_of_more_than_its_head_can_count_is_read_by_its_other_head(run: Run, tmp_path: pathlib.Path) -> None:
    ffmpeg(*tone(), "-rf64", "always", tmp_path / "long.wav")
    # What follows the samples would be noise.
    with open(tmp_path / "long.wav", "ab") as file:
        assert (tmp_path / "long.wav").read_bytes()[:4] == b"RF64"
        file.write(b"LIST\x04\0\0\0wxyz")
    assert run("send", "long.wav", "out.flac").returncode == 0
    assert samples(tmp_path / "out.flac", "pcm_s16le") == ffmpeg(*tone(), "-f", "s16le", "-")


@pytest.mark.parametrize("length", [0, 0x7FFF_F000, 0x8000_0000])
def test_a_length_that_a_recorder_could_not_know_is_no_cut(run: Run, tmp_path: pathlib.Path, length: int) -> None:
    sound = struct.pack("<4h", 1, -2, 300, -400) * 1000
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16)
    done = run("send", "-", "out.flac", stdin=head + b"data" + struct.pack("<I", length) + sound)
    assert done.returncode == 0, done.stderr
    assert samples(tmp_path / "out.flac", "pcm_s16le") == sound


def test_channels_are_those_of_the_mask_and_what_follows_the_samples_is_no_sound(
    run: Run, tmp_path: pathlib.Path
) -> None:
    sound = struct.pack("<4h", 1, 2, 3, 4) * 800
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 4, 8000, 64000, 8, 16, 22, 16, 0x107) + guid
    chunks = b"LIST\x05\0\0\0abcde\0fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(sound)) + sound + b"LIST\x04\0\0\0wxyz"
    (tmp_path / "four.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    assert run("send", "four.wav", "out.wav").returncode == 0
    # FL, FR, FC and BC.
    assert probed(tmp_path / "out.wav")["channel_layout"] == "4.0"
    assert samples(tmp_path / "out.wav", "pcm_s16le") == sound


def test_a_wav_of_compressed_sound_is_refused(run: Run, tmp_path: pathlib.Path) -> None:
    ffmpeg(*tone(), "-c:a", "pcm_mulaw", tmp_path / "law.wav")
    done = run("send", "law.wav", "out.flac")
    assert done.returncode == 1 and b"mu-law" in done.stderr


# ---- send: raw, options, destinations ----


def test_raw_samples_from_standard_input_become_a_flac(run: Run, tmp_path: pathlib.Path) -> None:
    sound = ffmpeg(*tone(), "-f", "s16le", "-")
    arguments = ["--sample-rate", "48000", "--num-channels", "2", "--format", "s16", "--metadata", "title=A tone"]
    done = run("send", "-", "out.flac", *arguments, "--compression-level", "8", stdin=sound)
    assert done.returncode == 0, done.stderr
    assert b"48000 frames" in done.stderr and b"out.flac: 1 s" in done.stderr
    assert samples(tmp_path / "out.flac", "pcm_s16le") == sound
    assert probed(tmp_path / "out.flac")["tags"]["title"] == "A tone"


def test_raw_pictures_go_through_filter_encoder_and_muxer_as_asked(run: Run, tmp_path: pathlib.Path) -> None:
    raw = ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:d=1:r=25", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    done = run(
        "send", "-", "out.mp4", "--frame-rate", "25", "--width", "64", "--height", "48", "--filter-desc",
        "scale=32:24", "--encoder", "libx264", "--encoder-option", "crf=30", "--encoder-option", "preset=ultrafast",
        "--gop-size", "5", "--option", "movflags=+faststart", "--json", "--quiet", stdin=raw,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made, data = probed(tmp_path / "out.mp4"), (tmp_path / "out.mp4").read_bytes()
    assert (made["codec_name"], made["width"], made["height"], made["nb_read_frames"]) == ("h264", 32, 24, "25")
    assert b"crf=30.0" in data and b"keyint=5 " in data and data.index(b"moov") < data.index(b"mdat")
    assert json.loads(done.stdout)["bytes"] == len(data)
    # Quiet is without progress; warnings come once, though the result has them again.
    assert done.stderr.count(b"[chroma-subsampled]") == 1 and b"frames," not in done.stderr


def test_standard_output_gets_the_file_and_nothing_else(run: Run, tmp_path: pathlib.Path) -> None:
    clip(tmp_path / "clip.y4m")
    done = run("send", "clip.y4m", "-", "--muxer", "matroska", "--encoder", "ffv1")
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.mkv").write_bytes(done.stdout)
    assert pictures(tmp_path / "out.mkv") == pictures(tmp_path / "clip.y4m")


def test_a_file_on_the_server_is_there_once_unless_it_is_to_be_replaced(
    run: Run, server: Server, tmp_path: pathlib.Path
) -> None:
    clip(tmp_path / "clip.y4m")
    arguments = ["send", "clip.y4m", "cli/out.mkv", "--on-server", "--encoder", "ffv1"]
    assert run(*arguments).returncode == 0
    assert pictures(server.output / "cli/out.mkv") == pictures(tmp_path / "clip.y4m")
    again = run(*arguments)
    assert again.returncode == 1 and b"[409 " in again.stderr and b"request " in again.stderr
    assert run(*arguments, "--overwrite").returncode == 0


def test_an_upload_goes_on_behind_connections_that_break(
    run: Run, tmp_path: pathlib.Path, new_proxy: Callable[..., CuttingProxy]
) -> None:
    clip(tmp_path / "clip.y4m", "yuv444p", "-s", "320x240")
    cuts = random.Random(7)
    proxy = new_proxy(lambda: cuts.randint(50_000, 900_000))
    done = run("send", "clip.y4m", "out.mkv", "--encoder", "ffv1", url=proxy.url)
    assert done.returncode == 0, done.stderr
    assert proxy.cuts > 2
    assert pictures(tmp_path / "out.mkv") == pictures(tmp_path / "clip.y4m")


# ---- send: what goes wrong ----


@pytest.mark.parametrize("missing", [1000, 66 * 50 * 3 // 2 + 3], ids=["in a picture", "in its head"])
def test_an_input_that_is_cut_fails_and_is_kept_only_as_asked(
    run: Run, tmp_path: pathlib.Path, client: penstock.Client, missing: int
) -> None:
    cut, id = clip(tmp_path / "clip.y4m")[:-missing], f"cut-{missing}"
    done = run("send", "-", "out.mkv", "--encoder", "ffv1", "--id", id, stdin=cut)
    assert done.returncode == 1 and b"picture 11" in done.stderr and b"deleted" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["clip.y4m"]
    with pytest.raises(penstock.NotFound):
        client.get_writer(id)
    done = run("send", "-", "out.mkv", "--encoder", "ffv1", "--on-error", "finalize", stdin=cut)
    assert done.returncode == 1, done.stderr
    assert pictures(tmp_path / "out.mkv") == b"\n".join(pictures(tmp_path / "clip.y4m").splitlines()[:11])


@pytest.mark.parametrize(
    ("sound", "said"), [(b"", b"is empty"), (bytes(403), b"frame 100"), (b"RIFF\0\0\0\0WAVEfmt ", b"ends within")]
)
def test_sound_that_is_none_or_cut_leaves_nothing(run: Run, tmp_path: pathlib.Path, sound: bytes, said: bytes) -> None:
    raw = [] if sound[:4] == b"RIFF" else ["--sample-rate", "8000", "--num-channels", "2", "--format", "s16"]
    done = run("send", "-", "out.wav", *raw, stdin=sound)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert os.listdir(tmp_path) == []


def test_standard_input_that_is_closed_is_said_to_be(server: Server, tmp_path: pathlib.Path) -> None:
    command = f"'{sys.executable}' -m penstock send - out.flac --server {server.url} <&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1) and b"is closed" in done.stderr


@pytest.mark.parametrize(("how", "number"), [("finalize", signal.SIGINT), ("abort", signal.SIGTERM)])
def test_an_interrupted_output_is_finalized_or_deleted(
    server: Server, client: penstock.Client, tmp_path: pathlib.Path, how: str, number: signal.Signals
) -> None:
    id, sound = f"interrupted-{how}", struct.pack("<2h", 5, -5) * 8000
    command = [sys.executable, "-m", "penstock", "send", "-", str(tmp_path / "out.flac"), "--sample-rate", "8000"]
    command += ["--num-channels", "2", "--format", "s16", "--on-interrupt", how, "--id", id, "--server", server.url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(sound)
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while not _has_taken(client, id, 8000):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    said = process.stderr.read()
    assert process.wait(30) == 128 + number, said
    process.stdin.close()
    process.stderr.close()
    if how == "finalize":
        assert samples(tmp_path / "out.flac", "pcm_s16le") == sound
    else:
        assert b"deleted" in said and os.listdir(tmp_path) == []
    with pytest.raises(penstock.NotFound):
        client.get_writer(id)


def _has_taken(client: penstock.Client, id: str, frames: int) -> bool:
    try:
        streams = client.get_writer(id)["streams"]
    except penstock.NotFound:
        return False
    return [stream["frames"] for stream in streams] == [frames]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required"),
        (["send", "clip.y4m"], "DST"),
        (["send", "clip.y4m", "out.mkv", "--encoder-options", "crf=3"], "--encoder-options"),
        (["send", "clip.y4m", "out.mkv", "--encoder-option", "crf"], "NAME=VALUE"),
        (["send", "clip.y4m", "out.mkv", "--width", "30"], "--encoder-width"),
        (["send", "clip.y4m", "out.mkv", "--num-channels", "2"], "--num-channels is of sound"),
        (["send", "clip.y4m", "out.mkv", "--gop-size", "many"], "--gop-size must be an integer"),
        (["send", "clip.y4m", "out.unheard"], "no format for the extension .unheard; give one with --muxer"),
        (["send", "clip.y4m", "out.mkv", "--muxer", "unheard"], "`penstock muxers`"),
        (["send", "clip.y4m", "live.m3u8"], "--on-server"),
        (["send", "clip.y4m", "-"], "--muxer"),
        (["send", "clip.y4m", "out.mkv", "--input-format", "raw"], "raw input"),
        (["send", "clip.y4m", "out.mkv", "--input-format", "raw", "--width", "9"], "--frame-rate and --height"),
        (["status", "--retry-for", "-1"], "--retry-for"),
        (["status", "--server", "ftp://nowhere"], "no address"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_exit_code_2(
    run: Run, tmp_path: pathlib.Path, arguments: list[str], said: str
) -> None:
    clip(tmp_path / "clip.y4m")
    done = run(*arguments)
    assert done.returncode == 2 and said in done.stderr.decode(), done.stderr
    assert sorted(os.listdir(tmp_path)) == ["clip.y4m"]


def test_what_the_server_refuses_is_exit_code_1_with_its_detail_and_code(run: Run, tmp_path: pathlib.Path) -> None:
    clip(tmp_path / "clip.y4m")
    done = run("send", "clip.y4m", "out.mkv", "--encoder", "libx263")
    assert done.returncode == 1 and b"no encoder libx263" in done.stderr and b"[422 unknown-encoder]" in done.stderr


def test_without_a_server_every_command_says_how_to_have_one(run: Run, tmp_path: pathlib.Path) -> None:
    clip(tmp_path / "clip.y4m")
    for arguments in (["send", "clip.y4m", "out.mkv"], ["encoders"], ["doctor"]):
        done = run(*arguments, url=None, PENSTOCK_PROGRAM="no-such-program")
        assert done.returncode == 1 and b"PENSTOCK_URL" in done.stdout + done.stderr, done
    done = run("status", url=None)
    assert done.returncode == 1 and b"no server is named" in done.stderr
    done = run("send", "clip.y4m", "out.mkv", "--retry-for", "0", url="http://127.0.0.1:1")
    assert done.returncode == 1 and b"refused" in done.stderr


def test_a_private_server_serves_one_command(run: Run, tmp_path: pathlib.Path) -> None:
    clip(tmp_path / "clip.y4m")
    done = run("send", "clip.y4m", "out.mkv", "--encoder", "ffv1", url=None)
    assert done.returncode == 0, done.stderr
    assert pictures(tmp_path / "out.mkv") == pictures(tmp_path / "clip.y4m")
