"""torchaudio.io.StreamWriter in process. Jobs are those of bench/peers/inprocess.py."""
import time
import warnings

import torch
import torchaudio
from torchaudio.io import CodecConfig, StreamWriter  # noqa: F401
from torio.utils import ffmpeg_utils

from tensors import prepare
from worker import serve

warnings.filterwarnings("ignore")


def encode(job, data):
    writer = StreamWriter(job["output"], format=job["muxer"])
    if job["kind"] == "audio":
        writer.add_audio_stream(job["sample_rate"], job["num_channels"], "flt", encoder=job.get("encoder"))
        write = writer.write_audio_chunk
    else:
        writer.add_video_stream(
            job["frame_rate"], job["width"], job["height"], job["format"], encoder=job["encoder"],
            encoder_option=job["encoder_option"], encoder_format=job.get("encoder_format"))
        write = writer.write_video_chunk
    with writer.open():
        for _ in range(job["times"]):
            for piece in data.split(job["piece"]):
                write(0, piece)


def first_byte(job, data):
    """Seconds from making the writer to the first call of the file object's write."""

    class Sink:
        at = None

        def write(self, data):
            self.at = self.at or time.perf_counter()
            return len(data)

    sink, started = Sink(), time.perf_counter()
    writer = StreamWriter(sink, format=job["muxer"])
    writer.add_audio_stream(job["sample_rate"], job["num_channels"], "flt")
    with writer.open():
        for piece in data.split(job["piece"]):
            writer.write_audio_chunk(0, piece)
            if sink.at:
                break
    return {"first_byte": sink.at - started}


torch.set_num_threads(1)
serve({"torchaudio": torchaudio.__version__, "libavcodec": ".".join(map(str, ffmpeg_utils.get_versions()["libavcodec"]))},
      prepare, lambda job, data: (first_byte if job.get("first_byte") else encode)(job, data))
