"""Two builds beside each other in what a client waits for: raw ingest, 20 ms chunks, whole lives, and the way to `…/output`.

`python3 -m bench.beside BEFORE AFTER [ROUNDS]`, two folders with both programs. Each round measures both, each round
begins with the other one; a ratio is that of two figures of one round, the table gives the median and what it lies
between. A busy machine widens that, and moves both alike.
"""
import statistics
import sys

from bench import generator, media
from bench.penstock import Penstock, programs_folder
from bench.places import MEMORY
from bench.upload import mapped, post
from bench.workloads import chunks, latency, raw_ingest, sessions
from bench.processes import Watch

FRAMES, CHUNKS, LIVES, SECONDS = 200, 16_000, 200, 5


def _raw_ingest():
    """GB/s."""
    total = FRAMES * media.FRAME_BYTES
    with Penstock() as server:
        server.create("raw", format="null", streams=[raw_ingest.STREAM], open=True)
        buffer = mapped(media.noise_frames())
        post(server.port, "/v1/writers/raw/streams/0/chunks", buffer, 20 * media.FRAME_BYTES)
        with Watch({"penstock": server.pid}) as watch:
            post(server.port, "/v1/writers/raw/streams/0/chunks", buffer, total)
        assert server.finalize("raw")["streams"][0]["frames_encoded"] == FRAMES + 20
    return {"raw ingest, GB/s": total / 1e9 / watch.seconds}


def _chunks(connections):
    """Answers a second."""
    sample = chunks._penstock(connections, CHUNKS, False)
    return {f"20 ms chunks, {connections} connection{'s' * (connections > 1)}, chunks/s": sample.value}


def _lives():
    """Create, add a stream, open, finalize, one behind the other."""
    sample = sessions._penstock(sessions._playlists(1, LIVES), MEMORY)
    return {"create … finalize, per s": sample.value, "the same, ms of CPU": sample.notes["cpu_ms"]}


def _latency():
    """Milliseconds."""
    count = SECONDS * latency.RATE // latency.CHUNK
    data = bytes(mapped(media.sound(600, sample_format="s16le"), latency.CHUNK * 4 * count))
    sample = latency._measure(data, count, 0)
    return {"chunk in → aac frame out, p50, ms": sample.notes["p50_ms"], "the same, p99, ms": sample.value}


CASES = [_raw_ingest, lambda: _chunks(1), lambda: _chunks(64), _lives, _latency]


def main():
    generator.program()
    folders = [programs_folder(path) for path in sys.argv[1:3]]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print("| | before | after | after ÷ before |\n|---|---|---|---|")
    for case in CASES:
        pairs = []
        for turn in range(rounds):
            figures = {}
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                Penstock.programs = folders[which]
                figures[which] = case()
            pairs.append(figures)
        for name in pairs[0][0]:
            before, after = ([pair[which][name] for pair in pairs] for which in (0, 1))
            ratios = [b / a for a, b in zip(before, after)]
            print(f"| {name} | {statistics.median(before):.3g} | {statistics.median(after):.3g} "
                  f"| {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) |", flush=True)


if __name__ == "__main__":
    main()
