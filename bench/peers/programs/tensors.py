"""The input of a job as a tensor."""
import torch


def prepare(job):
    """Over the file's pages, all of them in memory: (frame, channel, height, width), or (sample, channel)."""
    size, itemsize = job["bytes"], 4 if job["kind"] == "audio" else 1
    dtype = torch.float32 if job["kind"] == "audio" else torch.uint8
    data = torch.from_file(job["input"], shared=False, size=size // itemsize, dtype=dtype)
    data[:: 4096 // itemsize].sum()
    if job["kind"] == "audio":
        return data.reshape(-1, job["num_channels"])
    height, width = job["height"], job["width"]
    if job["layout"] == "packed":
        return data.reshape(-1, height, width, 3).permute(0, 3, 1, 2)
    return data.reshape(-1, 3, height, width)
