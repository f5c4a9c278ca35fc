"""20 ms chunks of PCM, each answered with a receipt, on 1, 8 and 64 connections."""
import contextlib
import http.client

from bench import generator
from bench.figures import Case, Sample
from bench.generator import Request
from bench.peers import install, servers
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch
from bench.rounds import interleaved

FRAMES = 960
CHUNK = bytes(range(256)) * (FRAMES * 4 // 256)
STREAM = {"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16", "encoder": "pcm_s16le"}


def run(settings):
    for connections in (1, 8, 64):
        yield _measure(settings, connections, access_log=False)
    yield _measure(settings, 1, access_log=True)


def _measure(settings, connections, access_log):
    requests = settings.size(48000, 640)
    logged = ", each logged" if access_log else ""
    name = f"20 ms PCM chunks, {connections} connection{'s' * (connections > 1)}{logged}"
    case = Case(name, "chunks/s", more_is_better=True)
    return interleaved(case, {
        "penstock": lambda: _penstock(connections, requests, access_log),
        "nginx": servers.nginx_missing() or (lambda: _server("nginx", servers.nginx(access_log), connections, requests)),
        "FastAPI + PyAV": install.reason_missing("fastapi") or (lambda: _fastapi(connections, requests // 10, access_log)),
        generator.BARE: lambda: _server(generator.BARE, generator.bare_processes(), connections, requests),
        "the client's own limit": lambda: _server("sink", generator.listening("sink"), connections, requests),
    }, settings.rounds)


def playlists(connections):
    return [[Request("POST", f"/v1/writers/w{index}/streams/0/chunks", CHUNK)] for index in range(connections)]


def _play(role, pid, port, connections, requests):
    """A warm-up, then the measured requests; the sample's value is answers a second."""
    lists = playlists(connections)
    generator.play(port, lists, 20)
    with Watch({role: pid}) as watch:
        answer = generator.play(port, lists, requests // connections)
    watch.client_was(answer)
    noted = {name: answer[name] for name in ("p50_us", "p99_us", "p999_us", "max_us")}
    return Sample.of(watch, answer["requests"] / answer["seconds"], **noted)


def _server(role, starting, connections, requests):
    with starting as (pid, port):
        return _play(role, pid, port, connections, requests)


def _penstock(connections, requests, access_log):
    with Penstock(folder=MEMORY, access_log=access_log) as server:
        for index in range(connections):
            server.create(f"w{index}", format="wav", streams=[STREAM], open=True)
        sample = _play("penstock", server.pid, server.port, connections, requests)
        for index in range(connections):
            ended = server.finalize(f"w{index}")
            # What was answered was encoded.
            assert ended["streams"][0]["frames_encoded"] == FRAMES * (20 + requests // connections), ended
        return sample


def _fastapi(connections, requests, access_log):
    with servers.fastapi(access_log) as (pid, port):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            for index in range(connections):
                connection.request("PUT", f"/v1/writers/w{index}")
                connection.getresponse().read()
        return _play("FastAPI + PyAV", pid, port, connections, requests)
