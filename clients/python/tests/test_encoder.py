"""penstock.Encoder, VideoEncoder and AudioEncoder as torchcodec's: what they take and refuse, and in which words."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import numpy as np
import pytest

import originals
import penstock
from conftest import Server

FRAMES = np.random.default_rng(1).integers(0, 256, (4, 3, 48, 64), "uint8")
SAMPLES = (np.random.default_rng(1).standard_normal((2, 16000)) * 0.1).astype("float32")


@pytest.fixture
def encoder(server: Server) -> penstock.Encoder:
    return penstock.Encoder(server=server.url)


def test_calls_out_of_order_say_which_is_missing(encoder: penstock.Encoder) -> None:
    with pytest.raises(RuntimeError, match=r"Call add_video\(\) or add_audio\(\) before open_file\(\)"):
        encoder.open_file("a.mp4")
    video = encoder.add_video(height=48, width=64, frame_rate=25)
    audio = encoder.add_audio(sample_rate=16000, num_channels=2)
    for call in (lambda: video.add_frames(FRAMES), lambda: audio.add_samples(SAMPLES)):
        with pytest.raises(RuntimeError, match=r"Call open_file\(\) or open_file_like\(\) before add_"):
            call()
    with encoder.open_file_like(io.BytesIO(), format="mp4"):
        with pytest.raises(RuntimeError, match=r"open\(\) was already called"):
            encoder.open_file("b.mp4")
        with pytest.raises(RuntimeError, match=r"open\(\) was already called"):
            encoder.add_audio(sample_rate=16000, num_channels=1)
    encoder.close()
    with pytest.raises(RuntimeError, match=r"Cannot add frames after close\(\) was called"):
        video.add_frames(FRAMES)
    with pytest.raises(RuntimeError, match=r"Cannot open after close\(\) was called"):
        encoder.open_file("b.mp4")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FRAMES / np.float32(255), "frames must have uint8 dtype, got float32"),
        (FRAMES[0], r"frames must have 4 dimensions \(N, C, H, W\), got 3"),
        (FRAMES.transpose(0, 2, 3, 1), r"frame must have 3 channels .*got 48.*permute\(0, 3, 1, 2\)"),
        (FRAMES[:, :, 1:], "Expected height=48 width=64, got height=47 width=64"),
        (SAMPLES.astype("int16"), "samples must have float32 dtype, got int16"),
        (SAMPLES[0], r"samples must have 2 dimensions .*got 1.*samples\[None\]"),
        (SAMPLES[:1], r"Expected 2 channels, got 1"),
        (SAMPLES.T, r"Expected 2 channels, got 16000.*\.T has it"),
    ],
)
def test_data_that_is_not_the_streams_is_refused_with_what_would_be(
    encoder: penstock.Encoder, data: Any, message: str
) -> None:
    video = encoder.add_video(height=48, width=64, frame_rate=25)
    audio = encoder.add_audio(sample_rate=16000, num_channels=2)
    with encoder.open_file_like(io.BytesIO(), format="mkv"):
        add = video.add_frames if message.startswith(("frame", "Expected height")) else audio.add_samples
        with pytest.raises(penstock.InvalidArray, match=message):
            add(data)
        receipts = video.add_frames(FRAMES), audio.add_samples(SAMPLES)
    assert [receipt and receipt["offset"] for receipt in receipts] == [FRAMES.nbytes, SAMPLES.nbytes]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.add_video(height=0, width=1, frame_rate=1), "height must be positive. Found: 0"),
        (lambda e: e.add_video(height=1, width=1, frame_rate=0), "frame_rate must be positive and finite"),
        (lambda e: e.add_audio(sample_rate=0, num_channels=1), "sample_rate must be positive. Found: 0"),
        (
            lambda e: e.add_audio(sample_rate=1, num_channels=9),
            "Trying to encode 9 channels, but FFmpeg only supports 8",
        ),
        (lambda e: e.add_audio(sample_rate=1, num_channels=1, bit_rate=-1), "bit_rate=-1 must be >= 0"),
        (lambda e: e.open_file(io.BytesIO()), r"open_file_like\(dest, format=…\)"),
        (lambda e: e.open_file_like(3, format="mp4"), "must implement a write method"),
    ],
)
def test_what_can_not_be_is_said(encoder: penstock.Encoder, call: Any, message: str) -> None:
    with pytest.raises(penstock.InvalidParameter, match=message):
        call(encoder)


@pytest.mark.parametrize(
    ("video", "message"),
    [
        ({"codec": "nosuch"}, "nosuch"),
        ({"pixel_format": "nosuch"}, "yuv420p"),
        ({"pixel_format": "rgb24"}, "yuv420p"),
        ({"crf": "x"}, "crf"),
        ({"preset": "nosuch"}, "preset"),
        ({"extra_options": {"nosuch": 1}}, "nosuch"),
        ({"extra_options": {"qp": "x"}}, "qp"),
    ],
)
def test_what_the_encoder_does_not_take_is_named(
    encoder: penstock.Encoder, video: dict[str, Any], message: str
) -> None:
    encoder.add_video(height=48, width=64, frame_rate=25, **video)
    with pytest.raises(penstock.InvalidRequest, match=message):
        encoder.open_file_like(io.BytesIO(), format="mp4")


@pytest.mark.parametrize("audio", [{"sample_rate": 7000}, {"sample_rate": 16000, "out_sample_rate": 7000}])
def test_a_rate_that_the_encoder_does_not_take_is_refused_with_those_it_takes(
    encoder: penstock.Encoder, audio: dict[str, Any]
) -> None:
    encoder.add_audio(num_channels=1, **audio)
    with pytest.raises(penstock.InvalidRequest, match="44100, 48000"):
        encoder.open_file_like(io.BytesIO(), format="mp3")


def test_an_open_that_fails_may_be_tried_again(encoder: penstock.Encoder, tmp_path: pathlib.Path) -> None:
    video = encoder.add_video(
        height=48, width=64, frame_rate=25, codec="libx264", extra_options={"movflags": "faststart"}
    )
    with pytest.raises(penstock.Problem):
        encoder.open_file(tmp_path / "a.wav")
    with encoder.open_file(tmp_path / "a.mp4"):
        video.add_frames(FRAMES)
    assert originals.streams(tmp_path / "a.mp4")[0]["frames"] == 4
    assert video.chosen["encoder"] == "libx264"


def test_times_and_key_frames_are_taken(encoder: penstock.Encoder, tmp_path: pathlib.Path) -> None:
    video = encoder.add_video(height=48, width=64, frame_rate=25, codec="libx264", extra_options={"bf": 0})
    audio = encoder.add_audio(sample_rate=16000, num_channels=2)
    with encoder.open_file(tmp_path / "a.mkv"):
        video.add_frames(FRAMES)
        receipt = video.add_frames(FRAMES, pts=1.0, keyframe=True)
        assert receipt is not None and receipt["pts"]["start"] == 1.0
        receipt = audio.add_samples(SAMPLES, pts=0.5)
        assert receipt is not None and receipt["pts"] == {"start": 0.5, "end": 1.5}
        assert video.add_frames(FRAMES[:0]) is None and audio.add_samples(SAMPLES[:, :0]) is None
    probe = originals._output(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0",
        str(tmp_path / "a.mkv"),
    ).decode()  # fmt: skip
    times = [(float(line.split(",")[0]), "K" in line.split(",")[1]) for line in probe.split()]
    # The sound's lead comes before 0, and the container begins at 0.
    times = [(round(time - times[0][0], 3), is_key) for time, is_key in times]
    assert times[:6] == [(0.0, True), (0.04, False), (0.08, False), (0.12, False), (1.0, True), (1.04, False)]


def test_long_sound_of_several_channels_is_interleaved_part_by_part(
    encoder: penstock.Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.encoder._INTERLEAVED", 1000)
    file = io.BytesIO()
    audio = encoder.add_audio(sample_rate=16000, num_channels=2)
    with encoder.open_file_like(file, format="wav"):
        receipt = audio.add_samples(SAMPLES)
    assert receipt is not None and receipt["frames"] == 16000 and receipt["pts"] == {"start": 0, "end": 1}
    found = np.frombuffer(file.getvalue()[-64000:], "<i2").reshape(-1, 2)
    assert np.abs(found.T / 32768 - SAMPLES).max() < 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: penstock.VideoEncoder(3, frame_rate=1), "Expected frames to be a tensor or an array, got .*int"),
        (lambda: penstock.VideoEncoder(FRAMES[0], frame_rate=1), r"Expected 4D frames .*\[3, 48, 64\]"),
        (lambda: penstock.VideoEncoder(FRAMES * 1.0, frame_rate=1), "Expected uint8 frames, got .*float64"),
        (lambda: penstock.VideoEncoder(FRAMES, frame_rate=0), "frame_rate must be positive"),
        (lambda: penstock.AudioEncoder(b"", sample_rate=1), "Expected samples to be a tensor or an array"),
        (lambda: penstock.AudioEncoder(FRAMES, sample_rate=1), "Expected 1D or 2D samples"),
        (lambda: penstock.AudioEncoder(SAMPLES.astype("f8"), sample_rate=1), "Expected float32 samples"),
        (lambda: penstock.AudioEncoder(SAMPLES, sample_rate=0), "sample_rate must be positive"),
    ],
)
def test_one_shot_encoders_check_what_they_are_made_of(call: Any, message: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match=message):
        call()


def test_a_one_shot_encoding_is_the_same_in_every_place(server: Server, tmp_path: pathlib.Path) -> None:
    encoder = penstock.VideoEncoder(FRAMES, frame_rate=25, server=server.url)
    encoder.to_file(tmp_path / "a.mkv", codec="ffv1")
    file = io.BytesIO()
    encoder.to_file_like(file, "mkv", codec="ffv1")
    tensor = encoder.to_tensor("matroska", codec="ffv1")
    (tmp_path / "b.mkv").write_bytes(file.getvalue())
    (tmp_path / "c.mkv").write_bytes(tensor.tobytes())
    assert tensor.dtype == np.uint8 and tensor.ndim == 1
    first, *others = [originals.streams(path) for path in sorted(tmp_path.iterdir())]
    assert first[0]["frames"] == 4 and others == [first, first]
