"""Penstock and the library that it stands for, side by side in one process: scripts, signatures, records, tensors.

Run by scripts/test-python-torch.sh, once with torchaudio and once with torchcodec installed.
"""

from __future__ import annotations

import importlib.util
import io
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

import originals
import penstock
import signatures
from conftest import Server

LIBRARY = "torchaudio" if importlib.util.find_spec("torchaudio") else "torchcodec"
of_torchaudio = pytest.mark.skipif(LIBRARY != "torchaudio", reason="torchaudio is not what is installed here")
of_torchcodec = pytest.mark.skipif(LIBRARY != "torchcodec", reason="torchcodec is not what is installed here")


@pytest.fixture(scope="module")
def listening_server(new_server: Callable[..., Server]) -> Server:
    return new_server("--allow-output", "rtmp://127.0.0.1:*/*")


@pytest.mark.parametrize("script", originals.OF[LIBRARY])
def test_a_script_with_one_import_changed_writes_the_same(
    script: str, listening_server: Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit of every decoded frame and sample, and so does the record of the ordinary tests."""
    monkeypatch.setenv("PENSTOCK_URL", listening_server.url)
    originals.run(script, tmp_path / "theirs", LIBRARY, by_penstock=False)
    originals.run(script, tmp_path / "ours", LIBRARY, by_penstock=True)
    theirs, ours = originals.decoded(tmp_path / "theirs"), originals.decoded(tmp_path / "ours")
    assert ours == theirs
    recorded = json.loads((originals.EXPECTED / f"{LIBRARY}.json").read_text())["scripts"][script]
    assert {name: [stream["codec_name"] for stream in streams] for name, streams in theirs.items()} == {
        name: [stream["codec_name"] for stream in streams] for name, streams in recorded.items()
    }


def test_parameters_are_those_of_the_original() -> None:
    theirs = signatures.of_original(LIBRARY)
    assert signatures.differences(theirs, signatures.of_penstock(LIBRARY)) == []
    assert theirs == json.loads((signatures.EXPECTED / f"signatures_{LIBRARY}.json").read_text())


def frames(count: int = 6, height: int = 48, width: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


def decoded(path: pathlib.Path, format: str = "rgb24") -> bytes:
    return originals._output("ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", format, "-")


@of_torchaudio
def test_of_a_filter_torchaudio_loses_the_last_frame_and_penstock_none(server: Server, tmp_path: pathlib.Path) -> None:
    from torchaudio.io import StreamWriter

    for name, make in (("theirs", StreamWriter), ("ours", lambda dst: penstock.StreamWriter(dst, server=server.url))):
        writer = make(str(tmp_path / f"{name}.mkv"))
        writer.add_video_stream(25, 64, 48, encoder="ffv1", encoder_format="bgr0", filter_desc="hflip")
        with writer.open():
            writer.write_video_chunk(0, frames())
    theirs, ours = decoded(tmp_path / "theirs.mkv"), decoded(tmp_path / "ours.mkv")
    assert ours == frames().flip(3).permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    assert theirs == ours[: -64 * 48 * 3]


@of_torchaudio
@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        (torch.zeros(10, 2, dtype=torch.int16), "Expected Float type. Found: Short"),
        (torch.zeros(10), "Input Tensor has to be 2D"),
        (torch.zeros(10, 3), "Expected waveform with 2 channels. Found 3"),
    ],
)
def test_what_is_refused_is_refused_in_the_words_of_torchaudio(server: Server, chunk: Any, words: str) -> None:
    from torchaudio.io import StreamWriter

    for make in (StreamWriter, lambda dst, format: penstock.StreamWriter(dst, format, server=server.url)):
        writer = make(io.BytesIO(), "wav")
        writer.add_audio_stream(16000, 2)
        writer.open()
        with pytest.raises(RuntimeError) as raised:
            writer.write_audio_chunk(0, chunk)
        assert words in str(raised.value)
        writer.close()


@of_torchaudio
def test_lists_are_those_of_torchaudio(server: Server) -> None:
    from torchaudio.utils import ffmpeg_utils

    for name in ("get_muxers", "get_audio_encoders", "get_video_encoders", "get_output_devices"):
        ours = getattr(penstock.utils, name)(server=server.url)
        # Devices of this process's libavdevice may be others than the server's; what both have has one name.
        theirs = getattr(ffmpeg_utils, name)()
        assert ours.keys() == theirs.keys(), name
        assert ours == theirs, name


@of_torchcodec
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (torch.zeros(1, 3, 48, 64), "frames must have uint8 dtype, got"),
        (torch.zeros(3, 48, 64, dtype=torch.uint8), "frames must have 4 dimensions (N, C, H, W), got 3"),
        (torch.zeros(1, 4, 48, 64, dtype=torch.uint8), "frame must have 3 channels (R, G, B), got 4"),
        (torch.zeros(1, 3, 47, 64, dtype=torch.uint8), "Expected height=48 width=64, got height=47 width=64"),
    ],
)
def test_what_is_refused_is_refused_in_the_words_of_torchcodec(server: Server, data: Any, words: str) -> None:
    from torchcodec.encoders import Encoder

    for make in (Encoder, lambda: penstock.Encoder(server=server.url)):
        encoder = make()
        video = encoder.add_video(height=48, width=64, frame_rate=25)
        with encoder.open_file_like(io.BytesIO(), format="mp4"):
            with pytest.raises(RuntimeError) as raised:
                video.add_frames(data)
            assert words in str(raised.value)
            video.add_frames(frames())


def test_tensors_of_every_kind_are_taken(server: Server, tmp_path: pathlib.Path) -> None:
    expected = frames(4).permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    packed = frames(4).permute(0, 2, 3, 1).contiguous()
    kinds = {
        "whole": frames(4),
        "of_channels_last": packed.permute(0, 3, 1, 2),
        "of_a_slice": frames(8)[:4],
        "of_every_second": torch.stack([frames(4), frames(4)], 1).flatten(0, 1)[::2],
    }
    for name, tensor in kinds.items():
        for format in ("rgb24", "bgr24"):
            writer = penstock.StreamWriter(tmp_path / f"{name}.mkv", server=server.url)
            writer.add_video_stream(25, 64, 48, format, encoder="ffv1", encoder_format="bgr0")
            with writer.open():
                writer.write_video_chunk(0, tensor)
            assert decoded(tmp_path / f"{name}.mkv", format) == expected, (name, format)


def test_what_requires_a_gradient_is_taken_and_bfloat16_is_told_what_to_be(server: Server) -> None:
    sink = io.BytesIO()
    writer = penstock.StreamWriter(sink, "f32le", server=server.url)
    writer.add_audio_stream(16000, 1)
    samples = torch.linspace(-0.5, 0.5, 16000).reshape(-1, 1).requires_grad_()
    with writer.open():
        writer.write_audio_chunk(0, samples)
        with pytest.raises(penstock.InvalidArray, match="Expected Float type"):
            writer.write_audio_chunk(0, samples.to(torch.bfloat16))
    assert sink.getvalue() == samples.detach().numpy().tobytes()


def test_rgb_is_taken_for_rgb0(server: Server, tmp_path: pathlib.Path) -> None:
    writer = penstock.StreamWriter(tmp_path / "a.mkv", server=server.url)
    writer.add_video_stream(25, 64, 48, "rgb0", encoder="ffv1", encoder_format="bgr0")
    with writer.open():
        writer.write_video_chunk(0, frames(4))
    assert decoded(tmp_path / "a.mkv") == frames(4).permute(0, 2, 3, 1).contiguous().numpy().tobytes()


def test_to_tensor_gives_a_tensor(server: Server) -> None:
    found = penstock.VideoEncoder(frames(), frame_rate=25, server=server.url).to_tensor("mp4")
    assert isinstance(found, torch.Tensor) and found.dtype == torch.uint8 and found.ndim == 1
    sound = penstock.AudioEncoder(torch.zeros(2, 1600), sample_rate=16000, server=server.url).to_tensor("wav")
    assert isinstance(sound, torch.Tensor) and bytes(sound[:4].tolist()) == b"RIFF"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_tensor_on_a_gpu_is_brought_over(server: Server, tmp_path: pathlib.Path) -> None:
    encoder = penstock.Encoder(server=server.url)
    video = encoder.add_video(height=48, width=64, frame_rate=25, device="cuda", codec="ffv1", pixel_format="bgr0")
    with encoder.open_file(tmp_path / "a.mkv"):
        video.add_frames(frames(4).cuda())
    assert decoded(tmp_path / "a.mkv") == frames(4).permute(0, 2, 3, 1).contiguous().numpy().tobytes()
