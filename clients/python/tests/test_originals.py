"""Scripts of torchaudio's and torchcodec's users, with one import changed, write what those libraries wrote.

What that was is in expected/, recorded by originals.py; tests-torch holds both against each other where they are
installed.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

import originals
import penstock
from conftest import Server
from penstock import utils

RECORDED = {library: json.loads((originals.EXPECTED / f"{library}.json").read_text()) for library in originals.OF}
#: Encoders and filters that compute with floats, and changes of rate and channels: the last digit is the processor's.
OF_FLOATS = ("aac", "mp3", "opus", "vorbis")
RESAMPLED = ("configured.mkv", "mono.wav", "other_rate.wav")
FLOAT_FILTERS = (
    "slower", "faster", "highpass", "lowpass", "allpass", "bandpass", "bandreject", "echo", "chorus", "fft",
    "tremolo", "crystalizer", "flanger", "phaser", "pulsator", "haas", "several",
)  # fmt: skip


@pytest.fixture(scope="module")
def listening_server(new_server: Callable[..., Server]) -> Server:
    return new_server("--allow-output", "rtmp://127.0.0.1:*/*")


@pytest.mark.parametrize(
    ("library", "script"), [(library, script) for library, scripts in originals.OF.items() for script in scripts]
)
def test_what_is_decoded_is_what_the_original_wrote(
    library: str, script: str, listening_server: Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_URL", listening_server.url)
    originals.run(script, tmp_path, library, by_penstock=True)
    found, expected = originals.decoded(tmp_path), RECORDED[library]["scripts"][script]
    assert found.keys() == expected.keys()
    is_same_ffmpeg = utils.get_versions()["libavcodec"][0] == int(RECORDED[library]["libavcodec"])
    for name, streams in expected.items():
        assert len(found[name]) == len(streams), name
        for ours, theirs in zip(found[name], streams, strict=True):
            is_resampled = name in RESAMPLED and theirs["codec_type"] == "audio"
            is_filtered = name.removesuffix(".wav") in FLOAT_FILTERS
            is_exact = theirs["codec_name"] not in OF_FLOATS and not is_filtered and not is_resampled
            compare(name, ours, theirs, is_exact=is_exact, is_same_ffmpeg=is_same_ffmpeg)


def compare(name: str, ours: dict[str, Any], theirs: dict[str, Any], *, is_exact: bool, is_same_ffmpeg: bool) -> None:
    assert ours["codec_name"] == theirs["codec_name"], name
    if is_same_ffmpeg or theirs["codec_type"] == "video":
        assert ours["frames"] == theirs["frames"], name
    # Another FFmpeg's encoder of the same name is another encoder, unless it loses nothing.
    if is_exact and (is_same_ffmpeg or theirs["codec_name"] in ("pcm_s16le", "flac", "ffv1")):
        assert ours["digest"] == theirs["digest"], name
        return
    pieces = list(zip(ours.get("loudness", []), theirs.get("loudness", []), strict=False))
    assert len(pieces) >= len(theirs.get("loudness", [])) - (0 if is_same_ffmpeg else 2), name
    for number, (one, other) in enumerate(pieces):
        tolerance = (0.02 if is_same_ffmpeg else 0.15) * other + 60
        assert abs(one - other) <= tolerance, f"{name}: piece {number} is as loud as {one}, and was {other}"


def test_a_picture_is_what_its_name_says_and_loses_nothing(listening_server: Server, tmp_path: pathlib.Path) -> None:
    """torchaudio writes a JPEG into image.png."""
    import numpy

    picture = numpy.random.default_rng(1).integers(0, 256, (1, 3, 48, 64), "uint8")
    writer = penstock.StreamWriter(tmp_path / "image.png", server=listening_server.url)
    writer.add_video_stream(1, 64, 48)
    with writer.open():
        writer.write_video_chunk(0, picture)
    assert (tmp_path / "image.png").read_bytes().startswith(b"\x89PNG")
    raw = originals._output("ffmpeg", "-v", "error", "-i", str(tmp_path / "image.png"), "-f", "rawvideo", "-")
    assert raw == picture[0].transpose(1, 2, 0).tobytes()


def test_a_filter_loses_no_frame(listening_server: Server, tmp_path: pathlib.Path) -> None:
    """torchaudio loses the last one."""
    import numpy

    frames = numpy.random.default_rng(1).integers(0, 256, (5, 3, 48, 64), "uint8")
    writer = penstock.StreamWriter(tmp_path / "a.mkv", server=listening_server.url)
    writer.add_video_stream(25, 64, 48, encoder="ffv1", encoder_format="bgr0", filter_desc="hflip")
    with writer.open():
        writer.write_video_chunk(0, frames)
    raw = originals._output(
        "ffmpeg", "-v", "error", "-i", str(tmp_path / "a.mkv"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"
    )
    assert raw == frames[:, :, :, ::-1].transpose(0, 2, 3, 1).tobytes()
