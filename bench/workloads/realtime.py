"""Many writers at once, each sending in real time; how many are late, and what a writer costs."""
import statistics

from bench import generator, media
from bench.figures import Case, Sample
from bench.generator import Request
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch, own_cpu_seconds, private_megabytes
from bench.rounds import interleaved
from bench.upload import mapped

PERIOD_MS = 20
# What a microphone sends: 16 kHz, mono, 16 bits; 640 bytes in 20 ms.
AUDIO = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}
ENCODERS = {"pcm": ("wav", "pcm_s16le"), "aac": ("adts", "aac")}
VIDEO = {"type": "video", "frame_rate": 25, "width": 854, "height": 480, "format": "yuv420p",
         "encoder": "libx264", "encoder_option": {"preset": "ultrafast", "tune": "zerolatency"}}
# With more than this share late, the writers do not keep up.
TOLERATED = 0.01


def run(settings):
    seconds = settings.size(8, 2)
    for count in settings.size((100, 1000), (10, 20)):
        yield interleaved(Case(f"{count} writers in real time, pcm", "% late", more_is_better=False), {
            "penstock": lambda: _audio("pcm", count, seconds),
            generator.BARE: lambda: _bare(count, seconds),
            "the client's own limit": lambda: _sink(count, seconds),
        }, settings.rounds)
    few, first, bound = settings.size((4, 128, 1024), (1.5, 4, 16))
    yield interleaved(Case("audio writers that keep up", "writers", more_is_better=True), {
        "penstock": lambda: _most(first, bound, lambda count: _audio("pcm", count, few)),
        generator.BARE: lambda: _most(first, bound, lambda count: _bare(count, few)),
    }, settings.rounds)
    count = settings.size(100, 10)
    yield interleaved(Case(f"{count} writers in real time, aac", "% late", more_is_better=False),
                      {"penstock": lambda: _audio("aac", count, seconds)}, settings.rounds)
    bound = settings.size(64, 4)
    yield interleaved(Case("480p writers that keep up", "writers", more_is_better=True), {
        "penstock": lambda: _most(2, bound, lambda count: _videos(count, few)),
    }, settings.rounds)


def playlists(count, bodies):
    """A connection for each of the writers w0, w1, …, which sends one body after the other."""
    return [[Request("POST", f"/v1/writers/w{index}/streams/0/chunks", body) for body in bodies] for index in range(count)]


def paced(role, pid, port, lists, period_ms, seconds):
    """A sample whose value is the share of late answers in percent."""
    root = own_cpu_seconds(pid)
    with Watch({role: pid}, interval=None) as watch:
        answer = generator.paced(port, lists, period_ms, seconds)
    watch.client_was(answer)
    root = own_cpu_seconds(pid) - root
    missed = answer["late"] + answer["unanswered"]
    noted = {name: answer[name] for name in ("p50_us", "p99_us", "p999_us", "max_us", "late", "unanswered")}
    return Sample.of(watch, 100 * missed / max(1, answer["requests"] + answer["unanswered"]),
                     cores=watch.cpu[role] / answer["seconds"],
                     root_cores=root / answer["seconds"], client_cores=answer["cpu"] / answer["seconds"], **noted)


def with_writers(count, description, lists, period_ms, seconds, options=()):
    """The same for `count` writers of a new server, with what each writer's process holds for itself."""
    with Penstock("--max-writers", "5000", *options, folder=MEMORY, access_log=False) as server:
        for index in range(count):
            server.create(f"w{index}", **description)
        sample = paced("penstock", server.pid, server.port, lists, period_ms, seconds)
        private = [private_megabytes(pid) for pid in server.encoders()]
        assert len(private) == count, f"{len(private)} encoders for {count} writers"
        sample.notes.update(private_mb=statistics.median(private), private_mb_max=max(private))
        return sample


def _audio(encoder, count, seconds):
    muxer, name = ENCODERS[encoder]
    description = {"format": muxer, "streams": [{**AUDIO, "encoder": name}], "open": True}
    return with_writers(count, description, playlists(count, [bytes(640)]), PERIOD_MS, seconds)


def _sink(count, seconds):
    with generator.listening("sink") as (pid, port):
        return paced("sink", pid, port, playlists(count, [bytes(640)]), PERIOD_MS, seconds)


def _bare(count, seconds):
    with generator.bare_processes() as (pid, port):
        return paced(generator.BARE, pid, port, playlists(count, [bytes(640)]), PERIOD_MS, seconds)


def _videos(count, seconds):
    frames = mapped(media.yuv420p(854, 480, 25))
    size = len(frames) // 25
    bodies = [bytes(frames[at : at + size]) for at in range(0, len(frames), size)]
    description = {"format": "mpegts", "streams": [VIDEO], "open": True}
    return with_writers(count, description, playlists(count, bodies), 40, seconds)


def _most(first, bound, measure):
    """The largest number that keeps up, to a sixteenth: doubled until it fails, then halved between."""
    best, good, fails, count = None, 0, bound + 1, first
    while good < count < fails and 16 * (fails - good) > good:
        sample = measure(count)
        if sample.value <= 100 * TOLERATED:
            best, good = sample, count
        else:
            fails = count
        count = min(2 * good, bound) if fails > bound else (good + fails) // 2
    if best is None:
        return Sample(0)
    best.notes["late_percent"], best.value = best.value, good
    return best
