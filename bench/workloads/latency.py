"""How long after its last sample was sent an encoded frame is there at …/output: aac in ADTS, 20 ms chunks.

The encoder itself gives frame n once it has the samples of frame n + 1 (its look-ahead of 1,024
samples); that is the codec's own delay. Here a frame is timed from the sending of the chunk that
holds the last sample it needs, so that what is left is what the server adds. A frame that came
before that chunk was sent would show that this account is wrong, and ends the run.
"""
import contextlib
import math
import select
import socket
import statistics
import threading
import time

from bench import generator, media
from bench.figures import Case, Sample
from bench.generator import Request
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch
from bench.rounds import interleaved
from bench.upload import mapped

FRAME, LOOK_AHEAD, CHUNK, RATE = 1024, 1024, 960, 48000
STREAM = {"type": "audio", "sample_rate": RATE, "num_channels": 2, "format": "s16", "encoder": "aac"}
CODEC_DELAY_MS = 1000 * (FRAME + LOOK_AHEAD) / RATE


def run(settings):
    count, beside = settings.size(500, 50), settings.size(50, 4)
    chunk = bytes(mapped(media.sound(600, sample_format="s16le"), CHUNK * 4 * count))
    for name, neighbours in (("alone", 0), (f"beside {beside} writers in real time", beside)):
        case = Case(f"chunk in → frame at …/output, aac, {name}: p99", "ms", more_is_better=False)
        case.remarks.append(
            f"beyond the codec's own delay, {CODEC_DELAY_MS:.1f} ms: a frame of {FRAME} samples and a look-ahead of {LOOK_AHEAD}")
        yield interleaved(case, {"penstock": lambda: _measure(chunk, count, neighbours)}, settings.rounds)


def _measure(data, count, neighbours):
    with Penstock(folder=MEMORY) as server, contextlib.ExitStack() as others:
        if neighbours:
            others.enter_context(_neighbours(server, neighbours, count * CHUNK / RATE))
        server.create("live", format="adts", streams=[STREAM], open=True)
        with Watch({"penstock": server.pid}, interval=None) as watch:
            sent, arrived = _exchange(server.port, data, count)
        server.finalize("live")
    delays = sorted(_delays(sent, arrived))
    at = lambda share: 1000 * delays[math.ceil(share * len(delays)) - 1]
    return Sample.of(watch, at(0.99), p50_ms=at(0.5), p999_ms=at(0.999), max_ms=at(1), frames=len(delays))


@contextlib.contextmanager
def _neighbours(server, count, seconds):
    """Other writers of the same server, each sending a chunk of speech every 20 ms meanwhile."""
    for index in range(count):
        server.create(f"w{index}", format="adts", open=True,
                      streams=[{"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16"}])
    lists = [[Request("POST", f"/v1/writers/w{index}/streams/0/chunks", bytes(640))] for index in range(count)]
    thread = threading.Thread(target=lambda: generator.paced(server.port, lists, 20, seconds + 1))
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        thread.join()


def _exchange(port, data, count):
    """Sends a chunk every 20 ms and reads the output: when each chunk was sent; when each frame was whole."""
    sent, output = [], Output()
    with socket.create_connection(("127.0.0.1", port)) as chunks, socket.create_connection(("127.0.0.1", port)) as reading:
        reading.sendall(b"GET /v1/writers/live/output HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        chunks.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST /v1/writers/live/streams/0/chunks HTTP/1.1\r\nHost: a\r\nContent-Length: {CHUNK * 4}\r\n\r\n".encode()
        started = time.perf_counter() + 0.1
        while (now := time.perf_counter()) < started + (count + 10) * CHUNK / RATE:
            due = started + len(sent) * CHUNK / RATE
            if now >= due and len(sent) < count:
                sent.append(time.perf_counter())
                chunks.sendall(head + data[(len(sent) - 1) * CHUNK * 4 : len(sent) * CHUNK * 4])
                continue
            ready, _, _ = select.select([chunks, reading], [], [], max(0.0, due - now) if len(sent) < count else 0.01)
            if reading in ready:
                output.receive(reading.recv(65536))
            if chunks in ready:
                answer = chunks.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200"), answer
    return sent, output.frames


class Output:
    """The answer to GET …/output as it comes: chunked coding around ADTS frames. Keeps when each frame was whole."""

    def __init__(self):
        self.frames = []
        self._raw, self._payload, self._in_head = b"", b"", True

    def receive(self, data):
        now = time.perf_counter()
        assert data, "the output ended"
        self._raw += data
        if self._in_head and b"\r\n\r\n" in self._raw:
            head, _, self._raw = self._raw.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200") and b"chunked" in head, head
            self._in_head = False
        if not self._in_head:
            self._decode()
            self._take_frames(now)

    def _decode(self):
        while b"\r\n" in self._raw:
            line, _, rest = self._raw.partition(b"\r\n")
            size = int(line, 16)
            # A chunk is passed on whole; the server makes one of what it has.
            if len(rest) < size + 2:
                return
            self._payload, self._raw = self._payload + rest[:size], rest[size + 2 :]

    def _take_frames(self, now):
        while len(self._payload) >= 7:
            length = (self._payload[3] & 3) << 11 | self._payload[4] << 3 | self._payload[5] >> 5
            if len(self._payload) < length:
                return
            assert self._payload[0] == 0xFF, "this is no ADTS frame"
            self._payload = self._payload[length:]
            self.frames.append(now)


def _delays(sent, arrived):
    for index, time_whole in enumerate(arrived):
        needed = (index + 1) * FRAME + LOOK_AHEAD
        chunk = math.ceil(needed / CHUNK) - 1
        assert chunk < len(sent) and time_whole > sent[chunk], f"frame {index} came before its samples"
        yield time_whole - sent[chunk]
    # The frames that the chunks hold, save those still looking ahead.
    expected = (len(sent) * CHUNK - LOOK_AHEAD) // FRAME
    assert len(arrived) == expected, f"{len(arrived)} frames came and {expected} should have"
