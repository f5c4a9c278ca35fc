"""Live sources: one long chunked body a writer, in pieces of 20 ms in real time. What a piece costs, how many keep up, how
late their bytes are at …/output, and what memory a writer holds.

A body is late when its receipt comes more than 100 ms after its end and the latency that it was given: a server that
falls behind has that much left to read. Some writers give raw samples, which can be followed while they are written;
a block of 256 samples counts from the sending of the piece that holds its last.
"""
import statistics

from bench import generator
from bench.figures import Case, Sample
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch, private_megabytes, voluntary_switches
from bench.rounds import interleaved

PERIOD_MS, PIECE, BLOCK = 20, 640, 512
AUDIO = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}
VIDEO = {"type": "video", "frame_rate": 25, "width": 854, "height": 480, "format": "yuv420p", "encoder": "libx264",
         "encoder_option": {"preset": "ultrafast", "tune": "zerolatency"}}
ENCODERS = {"pcm": ("wav", "pcm_s16le"), "opus": ("ogg", "libopus"), "aac": ("adts", "aac")}
# Writers that are listened to while they are written.
HEARD = 16
GRACE_MS = 100


def run(settings):
    seconds = settings.size(10, 2)
    # A thousand of opus would take four processors for libopus alone.
    for encoder, count, latency in settings.size(
            (("pcm", 1000, 200), ("pcm", 500, 60), ("opus", 200, 200)), (("pcm", 10, 200), ("pcm", 5, 60), ("opus", 5, 200))):
        case = Case(f"{count} live bodies, {encoder}, latency {latency} ms", "% late", more_is_better=False)
        yield interleaved(case, {"penstock": lambda: keep_up(encoder, count, latency, seconds)}, settings.rounds)
    count = settings.size(100, 5)
    yield interleaved(Case("20 ms pieces of live bodies, latency 20 ms", "CPU µs a piece", more_is_better=False), {
        "penstock": lambda: cost("pcm", count, 20, seconds),
        "penstock, 200 ms": lambda: cost("pcm", count, 200, seconds),
        generator.BARE: lambda: _bare(count, seconds),
    }, settings.rounds)
    yield interleaved(Case("private memory of a live writer", "MB", more_is_better=False), {
        name: lambda streams=streams, format=format: memory(format, streams) for name, (format, streams) in _kinds().items()
    }, settings.rounds)


def described(encoder, latency, is_heard=False):
    """`latency`: nil where the server is one that has none."""
    format, name = ("s16le", "pcm_s16le") if is_heard else ENCODERS[encoder]
    stream = {**AUDIO, "encoder": name, **({} if latency is None else {"latency": latency})}
    return {"format": format, "streams": [stream], "open": True}


def loaded(encoder, count, latency, seconds, heard):
    """What the generator said, what the server cost, and what each writer's process holds."""
    followed = {index * count // heard for index in range(heard)}
    with Penstock("--max-writers", "5000", folder=MEMORY, access_log=False) as server:
        for index in range(count):
            server.create(f"w{index}", **described(encoder, latency, index in followed))
        switches = sum(map(voluntary_switches, server.encoders()))
        with Watch({"penstock": server.pid}, interval=None) as watch:
            answer = generator.live(server.port, count, heard, PERIOD_MS, PIECE, BLOCK, seconds)
        encoders = server.encoders()
        switches = sum(map(voluntary_switches, encoders)) - switches
        private = [private_megabytes(pid) for pid in encoders]
        watch.client_was(answer)
        notes = {"private_mb": statistics.median(private), "private_mb_max": max(private),
                 "cores": watch.cpu["penstock"] / seconds, "client_cores": answer["cpu"] / seconds,
                 "switches": switches / answer["pieces"], "unanswered": answer["unanswered"]}
        if heard:
            notes.update({"output_p50_ms": answer["delays"]["p50_us"] / 1000, "output_p99_ms": answer["delays"]["p99_us"] / 1000,
                          "output_max_ms": answer["delays"]["max_us"] / 1000})
        return answer, watch, notes


def keep_up(encoder, count, latency, seconds):
    answer, watch, notes = loaded(encoder, count, latency, seconds, heard=min(HEARD, count) if encoder == "pcm" else 0)
    late = sum(1 for time in answer["answers_us"] if time > 1000 * ((latency or 0) + GRACE_MS)) + answer["unanswered"]
    return Sample.of(watch, 100 * late / count, **notes)


def cost(encoder, count, latency, seconds):
    answer, watch, notes = loaded(encoder, count, latency, seconds, heard=0)
    return Sample.of(watch, 1e6 * watch.cpu["penstock"] / answer["pieces"], **notes)


def _bare(count, seconds):
    with generator.bare_processes() as (pid, port):
        with Watch({generator.BARE: pid}, interval=None) as watch:
            answer = generator.live(port, count, 0, PERIOD_MS, PIECE, BLOCK, seconds)
        watch.client_was(answer)
        return Sample.of(watch, 1e6 * watch.cpu[generator.BARE] / answer["pieces"], unanswered=answer["unanswered"])


def _kinds():
    kinds = {name: (format, [{**AUDIO, "encoder": encoder}]) for name, (format, encoder) in ENCODERS.items()}
    return {**kinds, "x264 480p": ("mpegts", [VIDEO])}


def memory(format, streams):
    """Of a writer that has had two seconds of its stream, and whose body goes on; the median of eight."""
    is_video = streams[0]["type"] == "video"
    piece = 854 * 480 * 3 // 2 if is_video else PIECE
    with Penstock(folder=MEMORY, access_log=False) as server:
        for index in range(8):
            server.create(f"w{index}", format=format, streams=streams, open=True)
        with Watch({"penstock": server.pid}, interval=None) as watch:
            with generator.holding(server.port, 8, 40 if is_video else PERIOD_MS, piece, 2):
                private = [private_megabytes(pid) for pid in server.encoders()]
        return Sample.of(watch, statistics.median(private))
