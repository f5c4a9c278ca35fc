"""What a client bears: connections that break, servers that are full, restarted or gone."""

from __future__ import annotations

import functools
import hashlib
import random

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
