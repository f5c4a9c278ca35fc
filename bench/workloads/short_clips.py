"""Short clips: 3 s of sound as speech is sent, 16 kHz in mono, posted whole and answered encoded, to mp3 and to opus.

Four clients at once, each its next clip when the last is answered. `ffmpeg` is started for each clip, as a server would.
"""
import concurrent.futures
import http.client
import pathlib
import resource
import subprocess
import tempfile
import urllib.parse

from bench import media
from bench.figures import Case, Sample
from bench.peers import ffmpeg, install, servers
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch
from bench.rounds import interleaved
from bench.workloads.encoding import duration

SECONDS, RATE, CLIENTS = 3, 16_000, 4
ENCODERS = {"mp3": ("mp3", "libmp3lame"), "opus": ("ogg", "libopus")}


def run(settings):
    clip = media.speech(SECONDS, RATE).read_bytes()
    each = settings.size(50, 3)
    for name, (muxer, encoder) in ENCODERS.items():
        case = Case(f"{SECONDS} s of speech → {name}, {CLIENTS} clients", "clips/s", more_is_better=True)
        yield interleaved(case, {
            "penstock": lambda muxer=muxer, encoder=encoder: _penstock(clip, each, muxer, encoder),
            "ffmpeg": ffmpeg.reason_missing() or (lambda muxer=muxer, encoder=encoder: _ffmpeg(clip, each, muxer, encoder)),
            "FastAPI + PyAV": install.reason_missing("fastapi")
            or (lambda muxer=muxer, encoder=encoder: _fastapi(clip, each, muxer, encoder)),
        }, settings.rounds)


def _penstock(clip, each, muxer, encoder):
    query = urllib.parse.urlencode(
        {"format": muxer, "encoder": encoder, "sample_rate": RATE, "num_channels": 1, "sample_format": "s16"})
    with Penstock(folder=MEMORY, access_log=False) as server:
        return _served("penstock", server.pid, server.port, query, clip, each)


def _fastapi(clip, each, muxer, encoder):
    query = urllib.parse.urlencode({"format": muxer, "encoder": encoder, "sample_rate": RATE})
    with servers.fastapi(access_log=False) as (pid, port):
        return _served("FastAPI + PyAV", pid, port, query, clip, each)


def _served(role, pid, port, query, clip, each):
    def client(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(count):
            connection.request("POST", f"/v1/encode?{query}", clip, {"Content-Type": "application/octet-stream"})
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise RuntimeError(f"{role}: {response.status} {answer[:500]}")
        connection.close()
        return answer

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        # What is made at first use is made.
        list(pool.map(client, [2] * CLIENTS))
        with Watch({role: pid}, interval=None) as watch:
            answers = list(pool.map(client, [each] * CLIENTS))
    return _sample(watch, watch.cpu[role], each, answers)


def _ffmpeg(clip, each, muxer, encoder):
    command = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-c:a", encoder, "-f", muxer, "-"]

    def client(count):
        for _ in range(count):
            answer = subprocess.run(command, input=clip, capture_output=True, check=True).stdout
        return answer

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, [1] * CLIENTS))
        before = used()
        with Watch({}, interval=None) as watch:
            answers = list(pool.map(client, [each] * CLIENTS))
        watch.cpu["ffmpeg"] = used() - before
    return _sample(watch, watch.cpu["ffmpeg"], each, answers)


def _sample(watch, cpu, each, answers):
    """Clips a second, once an answer is as long as the clip."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        path = pathlib.Path(folder, "answer")
        path.write_bytes(answers[0])
        # Encoders round up to their frame, and mp3 has a lead.
        if not SECONDS - 0.05 <= duration(path) <= SECONDS + 0.2:
            raise RuntimeError(f"an answer is {duration(path)} s long and should be {SECONDS} s")
    clips = each * CLIENTS
    # The clients' threads are Python's; this one has only waited for them.
    watch.cpu.pop("client", None)
    return Sample.of(watch, clips / watch.seconds, cpu_ms=cpu / clips * 1e3, output_bytes=len(answers[0]))
