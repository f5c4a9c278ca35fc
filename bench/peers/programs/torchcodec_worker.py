"""torchcodec.encoders.Encoder in process. Jobs are those of bench/peers/inprocess.py, and of `file_like`: whether it
is given a file object to write to.
"""
import contextlib
import warnings

import torch
import torchcodec
from torchcodec._core import get_ffmpeg_library_versions
from torchcodec.encoders import Encoder

import tensors
from worker import serve

warnings.filterwarnings("ignore")


def prepare(job):
    """(frame, channel, …) or (channel, sample)."""
    data = tensors.prepare(job)
    return data.T if job["kind"] == "audio" else data


def add_stream(job, encoder):
    """What takes a piece."""
    if job["kind"] == "audio":
        # The encoder is the container's own.
        return encoder.add_audio(sample_rate=job["sample_rate"], num_channels=job["num_channels"]).add_samples
    options = dict(job["encoder_option"])
    return encoder.add_video(
        height=job["height"], width=job["width"], frame_rate=job["frame_rate"], codec=job["encoder"],
        pixel_format=job["encoder_format"], preset=options.pop("preset"), extra_options=options).add_frames


def encode(job, data):
    encoder = Encoder()
    add = add_stream(job, encoder)
    with contextlib.ExitStack() as opened:
        if job.get("file_like"):
            file = opened.enter_context(open(job["output"], "w+b"))
            opened.enter_context(encoder.open_file_like(file, format=job["muxer"]))
        else:
            opened.enter_context(encoder.open_file(job["output"]))
        for _ in range(job["times"]):
            for piece in data.split(job["piece"], dim=1 if job["kind"] == "audio" else 0):
                add(piece)


torch.set_num_threads(1)
serve({"torchcodec": torchcodec.__version__, "libavcodec": ".".join(map(str, get_ffmpeg_library_versions()["libavcodec"]))},
      prepare, encode)
