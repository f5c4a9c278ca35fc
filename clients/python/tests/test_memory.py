"""That a contiguous array is sent from where it lies: what sending it adds to the process's memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: Sends 240 MB several times over. Allocations of Python's are counted by tracemalloc, all others by what is resident.
SCRIPT = """
import json, resource, sys, tracemalloc
import numpy as np
import penstock

made, rounds = sys.argv[2], 3
stream = {"type": "video", "frame_rate": 25, "width": 1920, "height": 1080, "format": "rgb24", "layout": "nchw",
          "encoder": "rawvideo"}
frames = np.full((40, 3, 1080, 1920), 7, np.uint8)
data = {"array": lambda: frames, "bytes": lambda: memoryview(frames).cast("B"),
        "strided": lambda: np.repeat(frames, 2, axis=0)[::2]}[made]()
client = penstock.Client(sys.argv[1])
with client.create_writer([stream], format="null", open=True) as writer:
    writer.send(0, frames[:1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    for _ in range(rounds):
        writer.send(0, data)
    allocated = tracemalloc.get_traced_memory()[1]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"allocated": allocated, "grown": grown * 1024, "size": frames.nbytes}))
"""


def measured(server, kind):
    done = subprocess.run([sys.executable, "-c", SCRIPT, server.url, kind], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["array", "bytes"])
def test_a_contiguous_array_is_not_copied(server, kind):
    found = measured(server, kind)
    assert found["size"] > 240e6
    assert found["allocated"] < 2e6 and found["grown"] < 8e6, found


def test_the_measure_sees_a_copy(server):
    assert measured(server, "strided")["allocated"] > 240e6
