"""PyAV in process. Jobs are those of bench/peers/inprocess.py."""
import av
import numpy as np

from worker import serve


def prepare(job):
    """The input as an array over the file's pages, all of them in memory."""
    dtype = np.float32 if job["kind"] == "audio" else np.uint8
    data = np.memmap(job["input"], dtype, "r")[: job["bytes"] // np.dtype(dtype).itemsize]
    data[::1024].sum()
    if job["kind"] == "audio":
        return data.reshape(-1, job["num_channels"])
    shape = (3, job["height"], job["width"]) if job["layout"] == "nchw" else (job["height"], job["width"], 3)
    return data.reshape(-1, *shape)


def video_frames(job, data):
    for picture in data:
        if job["layout"] == "nchw":
            # from_ndarray takes packed pictures only.
            picture = np.ascontiguousarray(picture.transpose(1, 2, 0))
        yield av.VideoFrame.from_ndarray(picture, format="rgb24")


def audio_frames(job, data):
    # A second at a time: each piece is copied into a frame.
    for at in range(0, len(data), job["sample_rate"]):
        piece = data[at : at + job["sample_rate"]]
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts = job["sample_rate"], at
        yield frame


def add_stream(job, container):
    if job["kind"] == "audio":
        return container.add_stream(job["encoder"], rate=job["sample_rate"], layout="stereo")
    stream = container.add_stream(job["encoder"], rate=job["frame_rate"], options=job["encoder_option"])
    stream.width, stream.height, stream.pix_fmt = job["width"], job["height"], job["encoder_format"]
    return stream


def encode(job, data):
    frames = audio_frames if job["kind"] == "audio" else video_frames
    with av.open(job["output"], "w", format=job["muxer"]) as container:
        stream = add_stream(job, container)
        for _ in range(job["times"]):
            for frame in frames(job, data):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


serve({"PyAV": av.__version__, "libavcodec": ".".join(map(str, av.library_versions["libavcodec"]))}, prepare, encode)
