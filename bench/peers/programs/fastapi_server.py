"""What one writes in an afternoon: FastAPI takes the chunks, PyAV encodes them. A wav file a writer; and a clip that
comes whole is answered encoded.

The state of a writer lives in the process, so one worker serves them all.
"""
import io
import json
import socket
import sys

import av
import numpy as np
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

app = FastAPI()
writers = {}
folder = sys.argv[1]


class Writer:
    def __init__(self, path):
        self.container = av.open(path, "w", format="wav")
        self.stream = self.container.add_stream("pcm_s16le", rate=48000, layout="stereo")
        self.frames = 0

    def take(self, body):
        samples = np.frombuffer(body, np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, self.frames
        self.container.mux(self.stream.encode(frame))
        self.frames += len(samples) // 2
        return {"frames": len(samples) // 2, "offset": self.frames * 4}

    def finalize(self):
        self.container.mux(self.stream.encode(None))
        self.container.close()
        return {"frames": self.frames}


@app.put("/v1/writers/{id}", status_code=201)
async def create(id: str):
    writers[id] = Writer(f"{folder}/{id}.wav")
    return {"id": id}


@app.post("/v1/writers/{id}/streams/0/chunks")
async def chunk(id: str, request: Request):
    # Encoding 20 ms of PCM takes less than handing it to a thread.
    return Response(json.dumps(writers[id].take(await request.body())), media_type="application/json")


@app.post("/v1/writers/{id}/finalize")
async def finalize(id: str):
    return writers.pop(id).finalize()


def encoded(body, format, encoder, rate):
    output = io.BytesIO()
    with av.open(output, "w", format=format) as container:
        stream = container.add_stream(encoder, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(body, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return output.getvalue()


@app.post("/v1/encode")
async def encode(format: str, encoder: str, sample_rate: int, request: Request):
    return Response(await run_in_threadpool(encoded, await request.body(), format, encoder, sample_rate), media_type="audio/mpeg")


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log="--access-log" in sys.argv)
    await uvicorn.Server(config).serve(sockets=[listener])


uvloop.run(main())
