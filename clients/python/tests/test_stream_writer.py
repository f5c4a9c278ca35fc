"""penstock.StreamWriter as torchaudio's: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import gc
import io
import pathlib
import weakref
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import originals
import penstock
from conftest import Server
from penstock import utils


@pytest.fixture
def new_writer(server: Server) -> Callable[..., penstock.StreamWriter]:
    return lambda dst, *given, **named: penstock.StreamWriter(dst, *given, server=server.url, **named)


@pytest.fixture
def open_writer(new_writer: Callable[..., penstock.StreamWriter]) -> penstock.StreamWriter:
    """Of two channels of float32, and of 64x48 rgb24; to an object."""
    writer = new_writer(io.BytesIO(), "matroska")
    writer.add_audio_stream(16000, 2)
    writer.add_video_stream(25, 64, 48, encoder="ffv1", encoder_format="bgr0")
    return writer.open()


FRAMES = np.random.default_rng(1).integers(0, 256, (4, 3, 48, 64), "uint8")


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.zeros((10, 2), "int16"), r"Expected Float type\. Found: Short .*format='s16'\) takes int16"),
        (np.zeros((10, 2), "float16"), r"Expected Float type\. Found: Half"),
        (np.zeros(10, "float32"), r"has to be 2D, \(frame, channel\)\. Found \[10\]; chunk\[:, None\]"),
        (np.zeros((10, 3), "float32"), r"Expected waveform with 2 channels\. Found 3: \[10, 3\]"),
        (np.zeros((2, 10), "float32"), r"with 2 channels\. Found 10: \[2, 10\]; \.T has it"),
        ("text", "is no array"),
    ],
)
def test_sound_that_is_not_the_streams_is_refused_with_what_would_be(
    open_writer: penstock.StreamWriter, chunk: Any, message: str
) -> None:
    with pytest.raises(penstock.InvalidArray, match=message):
        open_writer.write_audio_chunk(0, chunk)
    receipt = open_writer.write_audio_chunk(0, np.zeros((10, 2), "float32"))
    assert receipt is not None and receipt["offset"] == 80
    open_writer.close()


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (FRAMES / np.float32(255), r"Expected Tensor of uint8 type\. Found: Float; .*\* 255\)\.round"),
        (FRAMES[0], r"has to be 4D, .*Found \[3, 48, 64\]; frame\[None\]"),
        (FRAMES[:, :1], r"shape \(N, 3, 48, 64\) \(NCHW format\)\. Found \[4, 1, 48, 64\]"),
        (FRAMES.transpose(0, 2, 3, 1), r"Found \[4, 48, 64, 3\]; \.permute\(0, 3, 1, 2\) makes NCHW"),
        (FRAMES[:, :, 1:], r"Found \[4, 3, 47, 64\]"),
    ],
)
def test_pictures_that_are_not_the_streams_are_refused_with_what_would_be(
    open_writer: penstock.StreamWriter, chunk: Any, message: str
) -> None:
    with pytest.raises(penstock.InvalidArray, match=message):
        open_writer.write_video_chunk(1, chunk)
    receipt = open_writer.write_video_chunk(1, FRAMES)
    assert receipt is not None and receipt["frames"] == 4
    open_writer.close()


def test_indices_and_kinds_of_streams_are_checked(open_writer: penstock.StreamWriter) -> None:
    with pytest.raises(RuntimeError, match=r"Invalid stream index\. Index must be in range of \[0, 2\)\. Found: 2"):
        open_writer.write_audio_chunk(2, np.zeros((1, 2), "float32"))
    with pytest.raises(RuntimeError, match=r"Stream 0 is not video type; write_audio_chunk writes to it"):
        open_writer.write_video_chunk(0, FRAMES)
    for pts in (-1, float("nan"), float("inf")):
        with pytest.raises(RuntimeError, match="The value of PTS must be positive and finite"):
            open_writer.write_video_chunk(1, FRAMES, pts)
    with pytest.raises(RuntimeError, match="Cannot add a new stream"):
        open_writer.add_audio_stream(16000, 1)
    open_writer.close()
    with pytest.raises(RuntimeError, match="Output is closed"):
        open_writer.write_video_chunk(1, FRAMES)
    with pytest.raises(RuntimeError, match="already closed"):
        open_writer.open()


def test_a_time_that_is_gone_is_refused_with_the_next_one(open_writer: penstock.StreamWriter) -> None:
    open_writer.write_video_chunk(1, FRAMES)
    with pytest.raises(penstock.Conflict, match=r"0\.16"):
        open_writer.write_video_chunk(1, FRAMES, pts=0.04)
    receipt = open_writer.write_video_chunk(1, FRAMES, pts=np.float64(0.16))
    assert receipt is not None and receipt["pts"]["end"] == pytest.approx(0.32)
    open_writer.close()


def test_what_is_not_open_says_so(new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path) -> None:
    writer = new_writer(tmp_path / "a.wav")
    writer.add_audio_stream(16000, 1)
    for call in (lambda: writer.write_audio_chunk(0, np.zeros((1, 1), "float32")), writer.flush):
        with pytest.raises(RuntimeError, match=r"Output is not opened\. Did you call `open` method\?"):
            call()
    writer.close()
    with writer.open():
        pass
    writer.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.add_audio_stream(0, 1), "sample_rate must be positive. Found: 0"),
        (lambda w: w.add_audio_stream(8000, 0), "num_channels must be positive. Found: 0"),
        (lambda w: w.add_audio_stream(8000.5, 1), "sample_rate must be an integer. Found: 8000.5"),
        (
            lambda w: w.add_audio_stream(8000, 1, "fltp"),
            r"\(fltp\) was provided. Valid values are u8, s16, s32, s64, flt",
        ),
        (lambda w: w.add_audio_stream(8000, 1, encoder="nosuch"), "nosuch"),
        (lambda w: w.add_audio_stream(8000, 1, encoder="libmp3lame", encoder_sample_rate=8001), "44100"),
        (lambda w: w.add_video_stream(0, 64, 48), "frame_rate must be positive and finite. Found: 0"),
        (lambda w: w.add_video_stream(float("inf"), 64, 48), "frame_rate must be positive and finite. Found: inf"),
        (lambda w: w.add_video_stream("x", 64, 48), "frame_rate must be a number or a fraction"),
        (lambda w: w.add_video_stream(25, 0, 48), "width must be positive. Found: 0"),
        (lambda w: w.add_video_stream(25, 64, 48, "nv12"), r"\(nv12\) was provided. Valid values are gray8, rgb24"),
        (lambda w: w.add_video_stream(25, 64, 48, encoder_format="rgb24"), "yuv420p"),
        (lambda w: w.add_video_stream(25, 64, 48, encoder_option={"nosuch": "1"}), "nosuch"),
        (lambda w: w.add_video_stream(25, 64, 48, rotatoin=90), "rotatoin"),
        (lambda w: w.add_video_stream(25, 64, 48, encoder_option={"crf": [1]}), "encoder_option: the value of crf"),
    ],
)
def test_a_stream_that_can_not_be_is_refused_and_another_may_follow(
    new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path, call: Any, message: str
) -> None:
    writer = new_writer(tmp_path / "a.mp4")
    with pytest.raises(RuntimeError, match=message):
        call(writer)
    writer.add_video_stream(25, 64, 48)
    with writer.open():
        writer.write_video_chunk(0, FRAMES)
    assert originals.streams(tmp_path / "a.mp4")[0]["frames"] == 4


def test_numbers_of_numpy_and_fractions_are_numbers(
    new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path
) -> None:
    writer = new_writer(tmp_path / "a.mkv")
    writer.add_audio_stream(np.int64(8000), np.uint8(1), encoder_option={"compression_level": 5}, encoder="flac")
    writer.add_video_stream(Fraction(30000, 1001), np.int32(64), 48, encoder_option={"crf": np.float64(20)})
    assert writer.streams[1]["frame_rate"] == "30000/1001"
    with writer.open():
        writer.write_video_chunk(np.int64(1), FRAMES)


def test_an_empty_chunk_is_nothing(open_writer: penstock.StreamWriter) -> None:
    assert open_writer.write_audio_chunk(0, np.zeros((0, 2), "float32")) is None
    assert open_writer.write_video_chunk(1, FRAMES[:0], pts=3) is None
    assert open_writer.writer.status()["streams"][1]["next_pts"] == 0
    open_writer.close()


def test_writing_goes_on_after_flush_and_the_file_is_the_same(
    new_writer: Callable[..., penstock.StreamWriter],
) -> None:
    files = []
    for flushes in (False, True):
        file = io.BytesIO()
        writer = new_writer(file, "mpegts")
        writer.add_audio_stream(16000, 1)
        with writer.open():
            for piece in np.array_split(np.random.default_rng(1).random((16000, 1), "float32"), 5):
                writer.write_audio_chunk(0, piece)
                if flushes:
                    writer.flush()
        files.append(file.getvalue())
    assert files[0] == files[1]


def test_formats_are_the_encoders_first_or_what_loses_least(new_writer: Callable[..., penstock.StreamWriter]) -> None:
    for given, chosen in ((None, "s16"), ("auto", "s32"), ("s32", "s32")):
        writer = new_writer(io.BytesIO(), "flac")
        writer.add_audio_stream(16000, 1, encoder_format=given)
        assert writer.streams[0]["encoder_format"] == chosen
        with writer.open():
            pass


def test_a_filter_does_not_change_what_is_encoded(
    new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path
) -> None:
    writer = new_writer(tmp_path / "a.mkv")
    writer.add_audio_stream(16000, 1, filter_desc="aresample=8000,pan=stereo|c0=c0|c1=c0")
    writer.add_video_stream(25, 64, 48, filter_desc="scale=32:24", encoder="ffv1")
    writer.add_video_stream(25, 64, 48, filter_desc="scale=32:24", encoder="ffv1", encoder_width=32, encoder_height=24)
    sound, whole, half = writer.streams
    assert (sound["encoder_sample_rate"], sound["encoder_num_channels"]) == (16000, 1)
    assert (whole["encoder_width"], whole["encoder_height"]) == (64, 48)
    assert (half["encoder_width"], half["encoder_height"]) == (32, 24)
    with writer.open():
        pass


def test_pixels_may_be_packed_and_of_any_format(
    new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path
) -> None:
    planes, packed = np.arange(2 * 72 * 64, dtype="uint8").reshape(2, 72, 64), FRAMES.transpose(0, 2, 3, 1)
    writer = new_writer(tmp_path / "a.mkv")
    writer.add_video_stream(25, 64, 48, "yuv420p", layout="packed", encoder="ffv1")
    writer.add_video_stream(25, 64, 48, layout="packed", encoder="ffv1", encoder_format="bgr0")
    with writer.open():
        writer.write_video_chunk(0, planes.tobytes())
        writer.write_video_chunk(1, packed)
        with pytest.raises(penstock.InvalidRequest, match="48"):
            writer.write_video_chunk(1, FRAMES)
    for index, format, data in ((0, "yuv420p", planes), (1, "rgb24", packed)):
        command = ["-i", str(tmp_path / "a.mkv"), "-map", f"0:{index}", "-f", "rawvideo", "-pix_fmt", format, "-"]
        assert originals._output("ffmpeg", "-v", "error", *command) == data.tobytes()


def test_a_last_frame_lasts(new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path) -> None:
    writer = new_writer(tmp_path / "a.mp4")
    writer.add_video_stream(25, 64, 48)
    with writer.open():
        receipt = writer.write_video_chunk(0, FRAMES, duration=2.0)
    assert receipt is not None and receipt["pts"]["end"] == pytest.approx(3 / 25 + 2)
    assert writer.result is not None and writer.result["duration"] == pytest.approx(2.12, abs=0.05)


def test_what_the_server_says_of_an_open_comes_out(
    new_writer: Callable[..., penstock.StreamWriter], tmp_path: pathlib.Path
) -> None:
    writer = new_writer(tmp_path / "a.mp4")
    writer.add_video_stream(25, 64, 48)
    with pytest.raises(penstock.Problem, match="nosuch"):
        writer.open({"nosuch": "1"})
    assert list(tmp_path.iterdir()) == []


def test_a_client_goes_with_its_last_writer(server: Server) -> None:
    client = penstock.Client(server.url)
    writer = penstock.StreamWriter(io.BytesIO(), "wav", server=client)
    writer.add_audio_stream(16000, 1)
    with writer.open():
        pass
    left = weakref.ref(client)
    del client, writer
    gc.collect()
    assert left() is None


def test_utilities_are_the_servers_lists(server: Server) -> None:
    assert utils.get_muxers(server=server.url)["mp4"] == "MP4 (MPEG-4 Part 14)"
    assert "libx264" in utils.get_video_encoders(server=server.url)
    assert "flac" in utils.ffmpeg_utils.get_audio_encoders(server=server.url)
    assert "mp4" not in utils.get_output_devices(server=server.url)
    assert "rtmp" in utils.get_output_protocols(server=server.url)
    version = originals._output("ffmpeg", "-version").decode().partition("libavutil")[2].split("/")[0]
    assert utils.get_versions(server=server.url)["libavutil"] == tuple(int(part) for part in version.split("."))
    with pytest.raises(AttributeError, match=r"get_demuxers.*Penstock writes media and reads none"):
        utils.ffmpeg_utils.get_demuxers()
