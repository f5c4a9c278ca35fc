"""The Python client's uploads: 1080p frames from NumPy, beside the C load generator's of the same requests."""
import json
import os
import subprocess

from bench import generator, media
from bench.figures import Case, Sample
from bench.generator import Request
from bench.peers import install
from bench.penstock import Penstock
from bench.places import BENCH, ROOT
from bench.processes import Watch
from bench.rounds import interleaved

STREAM = {"type": "video", "frame_rate": 25, "width": media.WIDTH, "height": media.HEIGHT,
          "format": "yuv444p", "layout": "nchw", "encoder": "rawvideo"}
PROGRAM = BENCH / "peers" / "programs" / "python_client.py"


def run(settings):
    for frames in (1, 8):
        yield _measure(settings, frames)


def _measure(settings, frames):
    chunks = settings.size(400, 16) // frames
    body = bytes(media.noise_frames().read_bytes()[: media.FRAME_BYTES]) * frames
    gigabytes = chunks * len(body) / 1e9
    request = Request("POST", "/v1/writers/w/streams/0/chunks", body)

    def python():
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
        with Penstock() as server:
            server.create("w", format="null", streams=[STREAM], open=True)
            command = [install.PYTHON, PROGRAM, f"http://127.0.0.1:{server.port}", "w", str(frames), str(chunks)]
            with Watch({"penstock": server.pid}) as watch:
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            told = json.loads(done.stdout)
            # What was sent was taken, the uncounted chunk as well.
            assert server.finalize("w")["streams"][0]["frames"] == frames * (chunks + 1)
        watch.cpu["client"] = told["cpu"]
        return Sample.of(watch, gigabytes / told["seconds"])

    def in_c():
        with Penstock() as server:
            server.create("w", format="null", streams=[STREAM], open=True)
            sample = _play({"penstock": server.pid}, server.port, request, chunks, gigabytes)
            assert server.finalize("w")["streams"][0]["frames"] == frames * (chunks + 1)
        return sample

    def bare():
        with generator.listening("sink") as (pid, port):
            return _play({"sink": pid}, port, request, chunks, gigabytes)

    name = f"1080p frames by the Python client, {frames} a request"
    case = Case(name, "GB/s", more_is_better=True)
    return interleaved(case, {
        "Python client": install.reason_missing("urllib3") or python,
        "C client": in_c,
        "C client, bare loopback": bare,
    }, settings.rounds)


def _play(roots, port, request, chunks, gigabytes):
    generator.play(port, [[request]], 1)
    with Watch(roots) as watch:
        answer = generator.play(port, [[request]], chunks)
    watch.client_was(answer)
    return Sample.of(watch, gigabytes / answer["seconds"])
