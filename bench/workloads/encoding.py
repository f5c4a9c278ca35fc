"""What the video and the audio workload share: one input through Penstock, two libraries and ffmpeg."""
import json
import os
import pathlib
import subprocess
import tempfile

from bench.figures import Sample
from bench.peers import alone, ffmpeg
from bench.places import MEMORY
from bench.processes import Watch
from bench.rounds import interleaved
from bench.upload import mapped, post


def duration(path):
    """Seconds of the file's first stream, as ffprobe reads them."""
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=duration:format=duration", "-of", "json", str(path)],
        capture_output=True, text=True, check=True).stdout
    read = json.loads(text)
    return float(read["streams"][0].get("duration") or read["format"].get("duration") or 0)


class Comparison:
    """Encodes one input file with every subject, to a file in memory, and looks at what came out.

    `stream` is the stream for Penstock; `job` what the libraries need beside it; `arguments` those of
    ffmpeg, its input options and its output options; `ffmpeg_input` its input, if that is another file;
    `alone` an `alone.Encoding` of the same pictures, whose encoder is measured by itself.
    """

    def __init__(self, settings, server, *, input, total, muxer, stream, job, arguments, seconds,
                 ffmpeg_input=None, alone=None):
        self.settings, self.server, self.muxer, self.stream = settings, server, muxer, stream
        self.input, self.total, self.seconds = input, total, seconds
        self.job, self.arguments, self.alone = job, arguments, alone
        self.buffer = mapped(input, total)
        self.ffmpeg_buffer = mapped(ffmpeg_input, total) if ffmpeg_input else self.buffer

    def measure(self, case, rounds):
        subjects = {"penstock": self._penstock, "ffmpeg": ffmpeg.reason_missing() or self._ffmpeg}
        settings = self.settings
        for name, worker, extras in (
                ("torchaudio", settings.torchaudio, {}), ("torchcodec", settings.torchcodec, {}),
                ("torchcodec, file-like", settings.torchcodec, {"file_like": True}), ("PyAV", settings.pyav, {})):
            subjects[name] = worker if isinstance(worker, str) else lambda worker=worker, extras=extras: self._library(worker, extras)
        if self.alone:
            subjects[alone.NAME] = alone.reason_missing() or self._alone
        return interleaved(case, subjects, rounds)

    def _checked(self, sample, path):
        """The sample, once the file is as long as the input is."""
        found = duration(path)
        # Encoders round up to their frame; none may lose anything.
        if not self.seconds - 0.05 <= found <= self.seconds + 0.1:
            raise RuntimeError(f"{path} is {found} s long and should be {self.seconds} s")
        sample.notes["output_bytes"] = os.path.getsize(path)
        os.unlink(path)
        return sample

    def _penstock(self):
        name = f"out.{self.muxer}"
        with Watch({"penstock": self.server.pid}) as watch:
            self.server.create("one", dst=name, overwrite=True, format=self.muxer, streams=[self.stream], open=True)
            post(self.server.port, "/v1/writers/one/streams/0/chunks", self.buffer, self.total)
            self.server.finalize("one")
        sample = self._checked(Sample.of(watch), self.server.output / name)
        self.server.delete("one")
        return sample

    def _alone(self):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            path = f"{folder}/out.{self.muxer}"
            return self._checked(alone.encode(self.alone, self.muxer, path), path)

    def _library(self, worker, extras):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            path = f"{folder}/out.{self.muxer}"
            sample = worker.run(input=str(self.input), bytes=self.total, times=1, output=path, muxer=self.muxer, **self.job, **extras)
            return self._checked(sample, path)

    def _ffmpeg(self):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            path = pathlib.Path(folder, f"out.{self.muxer}")
            reading, writing = self.arguments
            sample = ffmpeg.encode([*reading, "-i", "-", *writing, "-f", self.muxer, path], self.ffmpeg_buffer, self.total)
            return self._checked(sample, path)
