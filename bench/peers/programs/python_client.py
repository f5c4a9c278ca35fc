"""Sends NumPy frames by the Python client and says how long it took: python_client.py URL WRITER FRAMES CHUNKS.

The writer takes 1080p planar frames; FRAMES are sent at a time, after one chunk that is not counted.
"""
import json
import sys
import time

import numpy as np
import penstock

url, writer_id, frames, chunks = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
array = np.random.default_rng(1).integers(0, 256, (frames, 3, 1080, 1920), dtype=np.uint8)
writer = penstock.Client(url).writer(writer_id)
writer.send(0, array)
cpu, began = time.process_time(), time.perf_counter()
for _ in range(chunks):
    writer.send(0, array)
print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}))
