#!/usr/bin/env python3
"""Raw ingest in GB/s: 1080p yuv444p frames to the rawvideo encoder, beside a bare loopback receive.

The client sends one buffer over and over, so it makes nothing while it measures. Both rates are
measured in turn, several times, and the best of each is compared.
"""
import argparse
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

WIDTH, HEIGHT = 1920, 1080
FRAME_BYTES = WIDTH * HEIGHT * 3
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def send_frames(connection, frames, head=b""):
    """Sends the head and then the frames; seconds until the peer's answer came."""
    buffer = memoryview(bytearray(os.urandom(1 << 16) * (4 * FRAME_BYTES // (1 << 16) + 1)))[: 4 * FRAME_BYTES]
    started = time.perf_counter()
    if head:
        connection.sendall(head)
    for sent in range(0, frames, 4):
        connection.sendall(buffer[: min(4, frames - sent) * FRAME_BYTES])
    answer = connection.recv(65536)
    seconds = time.perf_counter() - started
    if head and b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise SystemExit(f"the chunk was refused: {answer.decode(errors='replace')}")
    return seconds


def bare_receive(frames):
    """The same bytes into one frame's memory of another process, and nothing else."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        connection, _ = listener.accept()
        frame, left = memoryview(bytearray(FRAME_BYTES)), frames * FRAME_BYTES
        at = 0
        while left:
            count = connection.recv_into(frame[at:])
            at, left = (at + count) % FRAME_BYTES, left - count
        connection.sendall(b"done")
        os._exit(0)
    with socket.create_connection(listener.getsockname()) as connection:
        seconds = send_frames(connection, frames)
    os.waitpid(child, 0)
    listener.close()
    return seconds


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) // 1024


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status >= 300:
        raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
    return json.loads(text) if text else None


def ingest(port, output, frames, sink):
    """Seconds for one upload, and the encoder's resident memory before and after it."""
    description = {
        "streams": [{
            "type": "video", "frame_rate": 25, "width": WIDTH, "height": HEIGHT,
            "format": "yuv444p", "encoder": "rawvideo",
        }],
        "open": True,
        **({"format": "null"} if sink == "null" else {"format": "rawvideo", "dst": "sink.yuv"}),
    }
    writer = request(port, "POST", "/v1/writers", description)
    if sink == "unlinked-file":
        os.unlink(os.path.join(output, "sink.yuv"))
    path = f"/v1/writers/{writer['id']}/streams/0/chunks"

    def head(count):
        return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {count * FRAME_BYTES}\r\n\r\n".encode()

    with socket.create_connection(("127.0.0.1", port)) as connection:
        send_frames(connection, 20, head(20))
        before = resident_megabytes(writer["encoder_pid"])
        seconds = send_frames(connection, frames, head(frames))
        after = resident_megabytes(writer["encoder_pid"])
    request(port, "DELETE", f"/v1/writers/{writer['id']}")
    return seconds, before, after


def start_server(folder):
    program = os.path.join(ROOT, ".build", "release", "penstock")
    server = subprocess.Popen(
        [program, "serve", "--port", "0", "--output-dir", f"{folder}/output", "--state-dir", f"{folder}/state"],
        stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r"listening.*http://127\.0\.0\.1:(\d+)", line)
        if found:
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return server, int(found[1])
    raise SystemExit("the server did not start")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=400, help="frames of 6.2 MB in one upload (400)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (3)")
    parser.add_argument("--sink", choices=["null", "unlinked-file"], default="null",
                        help="where the encoder writes: the null muxer, or a file that is gone from its folder")
    options = parser.parse_args()
    size = options.frames * FRAME_BYTES / 1e9
    bare, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        server, port = start_server(folder)
        try:
            for _ in range(options.rounds):
                bare.append(size / bare_receive(options.frames))
                seconds, before, after = ingest(port, f"{folder}/output", options.frames, options.sink)
                ours.append(size / seconds)
                print(f"bare receive {bare[-1]:.2f} GB/s   penstock {ours[-1]:.2f} GB/s   "
                      f"encoder memory {before} MB, then {after} MB", flush=True)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    print(f"best: bare receive {max(bare):.2f} GB/s, penstock {max(ours):.2f} GB/s, "
          f"ratio {max(ours) / max(bare):.2f}")


if __name__ == "__main__":
    sys.exit(main())
