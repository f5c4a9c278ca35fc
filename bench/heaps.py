"""What the two heaps of an encoder cost: a server with them beside one without, both there all the time.

`python3 -m bench.heaps BEFORE AFTER [TURNS]`, two folders with both programs. They take turns, many short
ones; the figure is the CPU of the server's processes, which a busy machine changes less than the time. The
table gives the medians, and how the lower quartiles compare: what else ran adds to a turn, and takes nothing.
"""
import contextlib
import http.client
import random
import statistics
import sys
import time

from bench import generator
from bench.generator import Request
from bench.penstock import Penstock, programs_folder
from bench.places import MEMORY
from bench.processes import cpu_seconds, own_cpu_seconds, private_megabytes

PCM = {"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}
PICTURE = {"type": "video", "frame_rate": 25, "width": 640, "height": 360, "format": "rgb24"}


def _noise(count):
    # Neither silence nor white: steps that an encoder has to follow.
    return bytes(random.Random(1).choices(range(96, 160), k=count))


SECOND, FRAMES = _noise(192_000), _noise(640 * 360 * 3 * 10)


def _encoder(server):
    """The process of the only writer, once it is the only one."""
    deadline = time.monotonic() + 10
    while len(found := server.encoders()) != 1:
        if time.monotonic() > deadline:
            raise RuntimeError(f"there are encoders {found}")
        time.sleep(0.01)
    return found[0]


def _chunks(server, count=400):
    """Microseconds a chunk of 20 ms, of the writer's process alone."""
    server.create("w", format="wav", streams=[PCM], open=True)
    lists = [[Request("POST", "/v1/writers/w/streams/0/chunks", SECOND[:3840])]]
    encoder = _encoder(server)
    while True:
        before = own_cpu_seconds(encoder)
        generator.play(server.port, lists, count)
        yield (own_cpu_seconds(encoder) - before) / count * 1e6


def _memory(server):
    """MB private to a writer's process that has had a few chunks."""
    while True:
        server.create("m", format="wav", streams=[PCM], open=True)
        generator.play(server.port, [[Request("POST", "/v1/writers/m/streams/0/chunks", SECOND[:3840])]], 10)
        yield private_megabytes(_encoder(server))
        server.delete("m")


def _lives(server, count=10):
    """Milliseconds a whole life: create, add a stream, open, finalize."""
    while True:
        before = cpu_seconds(server.pid)
        for index in range(count):
            path = f"/v1/writers/l{index}"
            server.request("PUT", path, {"format": "wav"})
            server.request("POST", path + "/streams", PCM)
            server.request("POST", path + "/open", {})
            server.request("POST", path + "/finalize")
            server.delete(f"l{index}")
        yield (cpu_seconds(server.pid) - before) / count * 1e3


def _encoding(stream, format, body, times):
    """Milliseconds for one writer that takes `times` such chunks."""
    def turns(server):
        while True:
            before = cpu_seconds(server.pid)
            server.create("e", format=format, streams=[stream], open=True)
            generator.play(server.port, [[Request("POST", "/v1/writers/e/streams/0/chunks", body)]], times)
            server.finalize("e")
            server.delete("e")
            yield (cpu_seconds(server.pid) - before) * 1e3
    return turns


def _clips(format, encoder, times=10):
    """Milliseconds a clip of 3 s that is posted whole and answered encoded."""
    target = f"/v1/encode?format={format}&encoder={encoder}&sample_rate=16000&num_channels=1&sample_format=s16"

    def turns(server):
        while True:
            before = cpu_seconds(server.pid)
            for _ in range(times):
                with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
                    connection.request("POST", target, SECOND[:96_000])
                    if connection.getresponse().read() == b"":
                        raise RuntimeError("an empty answer")
            yield (cpu_seconds(server.pid) - before) / times * 1e3
    return turns


CASES = {
    "a 20 ms chunk of PCM, µs": _chunks,
    "create, add a stream, open, finalize, ms": _lives,
    "private memory of a writer of PCM, MB": _memory,
    "3 s of speech → mp3 by /v1/encode, ms": _clips("mp3", "libmp3lame"),
    "3 s of speech → opus by /v1/encode, ms": _clips("ogg", "libopus"),
    "10 s → aac, ms": _encoding({**PCM, "encoder": "aac"}, "adts", SECOND, 10),
    "30 s → flac, ms": _encoding({**PCM, "encoder": "flac"}, "flac", SECOND, 30),
    "60 pictures of 640x360 rgb24 → x264 ultrafast, ms": _encoding(
        {**PICTURE, "encoder": "libx264", "encoder_option": {"preset": "ultrafast"}}, "mp4", FRAMES, 6),
    "60 pictures of 640x360 rgb24 → hflip, mjpeg, ms": _encoding(
        {**PICTURE, "encoder": "mjpeg", "filter_desc": "hflip"}, "avi", FRAMES, 6),
    "200 pictures of 640x360 rgb24 → rawvideo, null, ms": _encoding({**PICTURE, "encoder": "rawvideo"}, "null", FRAMES, 20),
}


def _measured(measure, folders, turns):
    """What each turn of each server gave; the first is the way in."""
    with contextlib.ExitStack() as running:
        subjects = []
        for folder in folders:
            Penstock.programs = folder
            subjects.append(measure(running.enter_context(Penstock(folder=MEMORY, access_log=False))))
        values = [[], []]
        for turn in range(turns + 1):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                values[which].append(next(subjects[which]))
        return [each[1:] for each in values]


def main():
    generator.program()
    folders = [programs_folder(path) for path in sys.argv[1:3]]
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    print("| | before | after | after ÷ before | of the lower quartiles |\n|---|---|---|---|---|")
    for name, measure in CASES.items():
        values = _measured(measure, folders, turns)
        (low, before, _), (low_after, after, _) = (statistics.quantiles(each) for each in values)
        print(f"| {name} | {before:.3g} | {after:.3g} | {after / before:.3f} | {low_after / low:.3f} |", flush=True)


if __name__ == "__main__":
    main()
