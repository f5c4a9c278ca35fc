"""Whole lives of writers that get no data: create, add a stream, open, finalize."""
import json

from bench import generator
from bench.figures import Case, Sample
from bench.generator import Request
from bench.penstock import Penstock
from bench.places import MEMORY, RUN
from bench.processes import Watch
from bench.rounds import interleaved

STREAM = json.dumps({"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}).encode()


def run(settings):
    for connections in (1, 8):
        for folder, place in ((RUN, "records on disk"), (MEMORY, "records in memory")):
            lists = _playlists(connections, settings.size(320, 16) // connections)
            name = f"create + add stream + open + finalize, {connections} connection{'s' * (connections > 1)}, {place}"
            yield interleaved(Case(name, "per s", more_is_better=True), {
                "penstock": lambda lists=lists, folder=folder: _penstock(lists, folder),
                "the client's own limit": lambda lists=lists: _sink(lists),
            }, settings.rounds)


def _json(method, path, body=b"{}"):
    return Request(method, path, body, "application/json")


def _life(id):
    writer = f"/v1/writers/{id}"
    return [_json("PUT", writer, b'{"format": "wav"}'), _json("POST", f"{writer}/streams", STREAM),
            _json("POST", f"{writer}/open"), _json("POST", f"{writer}/finalize")]


def _playlists(connections, each):
    return [[request for life in range(each) for request in _life(f"c{connection}-{life}")]
            for connection in range(connections)]


def _play(role, pid, port, lists):
    # Memory once, at the end: the processes come and go.
    with Watch({role: pid}, interval=None) as watch:
        answer = generator.play(port, lists)
    watch.client_was(answer)
    lives = answer["requests"] / 4
    return Sample.of(
        watch, lives / answer["seconds"], cpu_ms=watch.cpu[role] / lives * 1e3, p50_us=answer["p50_us"], p99_us=answer["p99_us"])


def _penstock(lists, folder):
    with Penstock(folder=folder) as server:
        return _play("penstock", server.pid, server.port, lists)


def _sink(lists):
    with generator.listening("sink") as (pid, port):
        return _play("sink", pid, port, lists)
