"""From nothing to the first encoded byte."""
import contextlib
import http.client
import statistics
import time

from bench import media
from bench.figures import Case, Sample
from bench.peers import ffmpeg
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.rounds import interleaved
from bench.upload import mapped

SOUND = {"sample_rate": media.SAMPLE_RATE, "num_channels": 2, "format": "flt"}
SECOND = media.SAMPLE_RATE * 8
PICTURE = {"frame_rate": 25, "width": 1280, "height": 720, "format": "yuv420p", "encoder": "libx264",
           "encoder_option": {"preset": "ultrafast", "tune": "zerolatency"}}


def run(settings):
    repeats = settings.size(20, 3)
    sound = bytes(mapped(media.sound(600), SECOND))
    pictures = bytes(mapped(media.yuv420p(1280, 720, 25)))
    picture = pictures[: 1280 * 720 * 3 // 2]
    with Penstock(folder=MEMORY) as server:
        yield interleaved(Case("time to the first encoded byte, aac", "ms", more_is_better=False), {
            "penstock": _repeated(repeats, lambda: _writer(server, "adts", {"type": "audio", **SOUND}, sound)),
            "penstock /v1/encode": _repeated(repeats, lambda: _one_shot(server, sound)),
            "ffmpeg": ffmpeg.reason_missing() or _repeated(repeats, lambda: ffmpeg.seconds_to_first_byte(
                ["-f", "f32le", "-ar", 48000, "-ac", 2, "-i", "-", "-f", "adts"], sound)),
            "torchaudio": settings.torchaudio if isinstance(settings.torchaudio, str)
            else _repeated(repeats, lambda: _torchaudio(settings.torchaudio)),
        }, settings.rounds)
        yield interleaved(Case("time to the first encoded byte, 720p x264 zerolatency", "ms", more_is_better=False), {
            "penstock": _repeated(repeats, lambda: _writer(server, "mpegts", {"type": "video", **PICTURE}, picture)),
            "ffmpeg": ffmpeg.reason_missing() or _repeated(repeats, lambda: ffmpeg.seconds_to_first_byte(
                ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1280x720", "-r", 25, "-i", "-", "-c:v", "libx264",
                 "-preset", "ultrafast", "-tune", "zerolatency", "-f", "mpegts"], pictures)),
        }, settings.rounds)


def _repeated(repeats, measure):
    def sample():
        times = [measure() * 1000 for _ in range(repeats)]
        return Sample(statistics.median(times), notes={"max_ms": max(times)})

    return sample


def _writer(server, format, stream, data):
    """Create with stream and open, one chunk, then GET its output: four steps of one client, one connection."""
    started = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        server.request("PUT", "/v1/writers/first", {"format": format, "streams": [stream], "open": True})
        connection.request("POST", "/v1/writers/first/streams/0/chunks", data)
        connection.getresponse().read()
        connection.request("GET", "/v1/writers/first/output")
        answer = connection.getresponse()
        assert len(answer.read(1)) == 1
        seconds = time.perf_counter() - started
        server.delete("first")
    return seconds


def _one_shot(server, sound):
    query = "format=adts&sample_rate=48000&num_channels=2&sample_format=flt"
    started = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("POST", f"/v1/encode?{query}", sound)
        assert len(connection.getresponse().read(1)) == 1
        return time.perf_counter() - started


def _torchaudio(worker):
    sample = worker.run(kind="audio", input=str(media.sound(600)), bytes=SECOND, first_byte=True, piece=media.SAMPLE_RATE,
                        muxer="adts", **SOUND)
    return sample.notes["first_byte"]
