"""How cost grows: one size doubled a few times, all else equal; the server's CPU or memory, and the exponent fitted."""
import socket

from bench import generator, media
from bench.figures import Growth
from bench.generator import Request
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.processes import Watch, memory_megabytes
from bench.upload import mapped, post
from bench.workloads import chunks, realtime

X264 = {"encoder": "libx264", "encoder_option": {"preset": "ultrafast"}}


def run(settings):
    rounds = min(settings.rounds, settings.size(3, 1))
    for series in (_frames, _pixels, _channels, _chunk_size, _connections, _writers, _idle_connections):
        yield series(settings, rounds)


def _sized(settings, full):
    return settings.size(full, full[:3])


def _measured(name, unit, sizes, rounds, measure):
    """Every round measures each size once."""
    costs = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            costs[size].append(measure(size))
    return Growth(name, unit, costs)


def _encode_cpu(stream, muxer, buffer, total):
    """CPU seconds of the server for one upload, from create to finalize."""
    with Penstock(folder=MEMORY) as server:
        with Watch({"server": server.pid}, interval=None) as watch:
            server.create("one", format=muxer, streams=[stream], open=True)
            post(server.port, "/v1/writers/one/streams/0/chunks", buffer, total)
            server.finalize("one")
        return watch.cpu["server"]


def _video(width, height):
    return {"type": "video", "frame_rate": 25, "width": width, "height": height, "layout": "nchw", **X264}


def _frames(settings, rounds):
    buffer = mapped(media.rgb24("nchw", 640, 360))
    return _measured("frames (360p → x264 ultrafast)", "CPU s", _sized(settings, (120, 240, 480, 960)), rounds,
                     lambda frames: _encode_cpu(_video(640, 360), "mp4", buffer, frames * 640 * 360 * 3))


def _pixels(settings, rounds):
    sizes = {width * height: (width, height) for width, height in ((320, 180), (448, 256), (640, 360), (896, 512), (1280, 720), (1920, 1080))}

    def measure(pixels):
        width, height = sizes[pixels]
        return _encode_cpu(_video(width, height), "mp4", mapped(media.rgb24("nchw", width, height)), 120 * pixels * 3)

    return _measured("pixels a frame (120 frames → x264 ultrafast)", "CPU s", _sized(settings, tuple(sizes)), rounds, measure)


def _channels(settings, rounds):
    seconds = settings.size(120, 20)

    def measure(channels):
        stream = {"type": "audio", "sample_rate": 48000, "num_channels": channels, "format": "flt", "encoder": "flac"}
        return _encode_cpu(stream, "flac", mapped(media.sound(120, channels)), seconds * 48000 * 4 * channels)

    return _measured(f"channels ({seconds} s → flac)", "CPU s", _sized(settings, (1, 2, 4, 8)), rounds, measure)


def _chunk_size(settings, rounds):
    requests = settings.size(6000, 200)

    def measure(size):
        with Penstock(folder=MEMORY, access_log=False) as server:
            server.create("w0", format="null", streams=[chunks.STREAM], open=True)
            lists = [[Request("POST", "/v1/writers/w0/streams/0/chunks", bytes(size))]]
            with Watch({"server": server.pid}, interval=None) as watch:
                generator.play(server.port, lists, requests)
            return watch.cpu["server"] / requests * 1e6

    return _measured("bytes a chunk (s16 → pcm)", "CPU µs a chunk", _sized(settings, tuple(960 << n for n in range(9))), rounds,
                     measure)


def _connections(settings, rounds):
    """Each connection with a writer of its own and the same number of chunks."""
    each = settings.size(1000, 20)

    def measure(count):
        with Penstock(folder=MEMORY, access_log=False) as server:
            for index in range(count):
                server.create(f"w{index}", format="null", streams=[chunks.STREAM], open=True)
            generator.play(server.port, chunks.playlists(count), 5)
            with Watch({"server": server.pid}, interval=None) as watch:
                generator.play(server.port, chunks.playlists(count), each)
            return watch.cpu["server"]

    return _measured(f"connections, {each} chunks each", "CPU s", _sized(settings, (4, 8, 16, 32, 64)), rounds, measure)


def _writers(settings, rounds):
    seconds = settings.size(4, 1)
    description = {"format": "wav", "streams": [{**realtime.AUDIO, "encoder": "pcm_s16le"}], "open": True}

    def measure(count):
        sample = realtime.with_writers(count, description, realtime.playlists(count, [bytes(640)]), 20, seconds)
        return sample.notes["cores"]

    return _measured("writers in real time (20 ms of pcm)", "cores", _sized(settings, (50, 100, 200, 400, 800)), rounds, measure)


def _idle_connections(settings, rounds):
    def measure(count):
        with Penstock(folder=MEMORY) as server:
            before = memory_megabytes(server.pid)
            connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
            # Answered on the newest: all before it were accepted.
            connections[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connections[-1].recv(4096).startswith(b"HTTP/1.1 200")
            grown = memory_megabytes(server.pid) - before
            for connection in connections:
                connection.close()
            return grown

    return _measured("idle connections", "MB of the server", _sized(settings, (1000, 2000, 4000, 8000)), rounds, measure)
