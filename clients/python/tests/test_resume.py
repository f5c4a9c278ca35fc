"""What a client bears: connections that break, servers that are full, restarted or gone."""

from __future__ import annotations

import functools
import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import penstock

VIDEO = {"type": "video", "frame_rate": 25, "width": 64, "height": 48, "layout": "nchw"}
SOUND = {"type": "audio", "sample_rate": 16000, "num_channels": 2, "format": "s16"}
#: Containers that rewrite their start and one that does not, with encoders that look ahead and that do not.
KINDS = [
    ("matroska", {"encoder": "ffv1"}, {"encoder": "flac"}),
    ("mp4", {"encoder": "libx264", "encoder_option": {"preset": "ultrafast"}}, {"encoder": "aac"}),
    ("mpegts", {"encoder": "mpeg2video"}, {"encoder": "mp2"}),
]


def material(seed):
    """Frames and samples of a few seconds; their bytes come to some 300 kB."""
    numbers = np.random.default_rng(seed)
    frames = numbers.integers(0, 256, (numbers.integers(5, 40), 3, 48, 64), dtype=np.uint8)
    samples = numbers.integers(-9000, 9000, (len(frames) * 640, 2), dtype=np.int16)
    return frames, samples


def upload(client, kind, frames, samples, parts):
    """One file by one writer: the bytes, and the receipts of each stream."""
    muxer, video, sound = kind
    streams = [{**VIDEO, **video}, {**SOUND, **sound}]
    # Matroska has random identifiers without it.
    with client.create_writer(streams, format=muxer, open={"option": {"fflags": "bitexact"}}) as writer:
        receipts = ([], [])
        for part in range(parts):
            for stream, array in enumerate((frames, samples)):
                share = array[len(array) * part // parts : len(array) * (part + 1) // parts]
                receipts[stream].append(writer.send(stream, share))
    output = b"".join(writer.output())
    writer.delete()
    return output, receipts


@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_uploads_through_a_proxy_that_cuts_every_connection_give_the_same_files(client, new_proxy, kind):
    numbers = random.Random(KINDS.index(kind))
    proxy = new_proxy(lambda: numbers.randint(1, 120_000), seed=KINDS.index(kind))
    distant = penstock.Client(proxy.url)

    @functools.cache
    def direct(seed, parts):
        return upload(client, kind, *material(seed), parts)

    for number in range(67):
        seed, parts = number % 4, 1 + number % 3
        expected, of_direct = direct(seed, parts)
        output, receipts = upload(distant, kind, *material(seed), parts)
        assert hashlib.sha256(output).digest() == hashlib.sha256(expected).digest(), number
        for stream in (0, 1):
            for whole, resumed in zip(of_direct[stream], receipts[stream], strict=True):
                for member in ("frames", "offset", "pts"):
                    assert resumed[member] == whole[member], (number, member)
    assert proxy.cuts > 67 * 3


def test_connections_that_hang_are_left_for_others(client, new_proxy):
    numbers = random.Random(1)
    proxy = new_proxy(lambda: numbers.randint(20_000, 200_000), hangs=True)
    distant = penstock.Client(proxy.url, timeouts=penstock.Timeouts(answer=0.3, idle=0.5))
    frames, samples = material(1)
    expected, _ = upload(client, KINDS[0], frames, samples, 2)
    output, _ = upload(distant, KINDS[0], frames, samples, 2)
    assert output == expected and proxy.cuts > 2


def test_threads_that_send_through_a_proxy_that_cuts_do_not_mix_their_streams(client, new_proxy):
    numbers = random.Random(2)
    proxy = new_proxy(lambda: numbers.randint(1, 60_000))
    distant = penstock.Client(proxy.url)
    stream = {"type": "audio", "sample_rate": 16000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"}
    samples = [np.random.default_rng(index).integers(-9000, 9000, 90_000, dtype=np.int16) for index in range(6)]

    def send(index):
        with distant.create_writer([stream], format="s16le", open=True) as writer:
            for part in np.array_split(samples[index], 3):
                writer.send(0, part)
        return b"".join(writer.output())

    with ThreadPoolExecutor() as threads:
        assert list(threads.map(send, range(6))) == [each.tobytes() for each in samples]
    assert proxy.cuts > 20


def test_times_and_durations_hold_though_the_connection_is_cut_within_the_chunk(client, new_proxy):
    """A cut must not give the chunk's duration to the picture that the server has last."""
    numbers = random.Random(3)
    stream = {**VIDEO, "encoder": "libx264", "encoder_option": {"preset": "ultrafast"}, "time_base": "1/1000"}

    def times(client):
        with client.create_writer([stream], format="nut", open={"option": {"fflags": "bitexact"}}) as writer:
            for second in range(3):
                frames = np.random.default_rng(second).integers(0, 256, (8, 3, 48, 64), dtype=np.uint8)
                writer.send(0, frames, pts=2.0 * second + 0.25, duration=0.5, keyframe=True)
        return b"".join(writer.output())

    proxy = new_proxy(lambda: numbers.randint(10_000, 45_000))
    assert times(penstock.Client(proxy.url)) == times(client)
    assert proxy.cuts > 5
