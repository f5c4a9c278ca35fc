"""Clients that write through the proxy."""
import concurrent.futures
import http.client
import io
import json
import random
import ssl
import sys
import threading
import time
import wave

from common import check, options

AUDIO = {"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}
OPEN = {"format": "wav", "streams": [dict(AUDIO, encoder="pcm_s16le")], "open": True}
TRUST = ssl.create_default_context(cafile=options.work + "/certificate.pem")


class Client:
    """A connection to the proxy."""

    def __init__(self):
        self.connect()

    def connect(self):
        self.connection = http.client.HTTPSConnection("localhost", 443, timeout=60, context=TRUST)

    def request(self, method, path, body=None, headers={}, chunked=False):
        if isinstance(body, dict):
            body = json.dumps(body)
        try:
            self.connection.request(method, path, body, headers, encode_chunked=chunked)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.connect()
            return 0, repr(error).encode()
        if response.will_close:
            self.connect()
        return response.status, content


def listed(query=""):
    """All writers by pages through the proxy, each page from whichever node; and nodes that some page lacked."""
    writers, partial, cursor, client = [], [], "", Client()
    while cursor is not None:
        status, content = client.request("GET", f"/v1/writers?limit=100{query}{cursor}")
        check(status == 200, f"a list: {status} {content[:300]}")
        page = json.loads(content)
        writers += page["writers"]
        partial += page.get("partial", [])
        cursor = "&cursor=" + page["next_cursor"] if "next_cursor" in page else None
    return writers, partial


def samples(seed, count):
    return random.Random(seed).randbytes(count * 4)


class Upload:
    """A writer, its data in pieces, and what came out."""

    def __init__(self, seed, own_id, count=20000, pieces=4):
        self.data, self.pieces, self.client = samples(seed, count), pieces, Client()
        if own_id:
            self.id = f"mine-{seed}-{random.Random(seed).getrandbits(40):x}"
            status, content = self.client.request("PUT", f"/v1/writers/{self.id}", OPEN)
        else:
            status, content = self.client.request("POST", "/v1/writers", OPEN)
        self.status, self.content = status, content
        if status == 201:
            self.id = json.loads(content)["id"]

    def send(self, piece):
        size = len(self.data) // self.pieces
        part = self.data[piece * size:(piece + 1) * size]
        return self.client.request("POST", f"/v1/writers/{self.id}/streams/0/chunks", part)

    def finish(self):
        status, content = self.client.request("POST", f"/v1/writers/{self.id}/finalize")
        if status != 200:
            return status, content
        status, content = self.client.request("GET", f"/v1/writers/{self.id}/output")
        # Between an encoder's end and its record, the server asks for another try.
        for _ in range(20):
            if status != 503 or b"just ending" not in content:
                break
            time.sleep(0.1)
            status, content = self.client.request("GET", f"/v1/writers/{self.id}/output")
        if status == 200:
            check(wave.open(io.BytesIO(content)).readframes(1 << 30) == self.data, f"the output of {self.id} is what was sent")
        return status, content

    def run(self, pause=None):
        check(self.status == 201, f"a writer is made: {self.status} {self.content[:300]}")
        for piece in range(self.pieces):
            status, content = self.send(piece)
            check(status == 200, f"chunk {piece} of {self.id}: {status} {content[:300]}")
            if pause:
                pause(piece)
        status, content = self.finish()
        check(status == 200, f"the end of {self.id}: {status} {content[:300]}")


def many(count, work, threads=24):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(count)))


class Load:
    """Clients that make writers one after another until they are told to end; every failure is kept."""

    def __init__(self, first_seed, threads=8):
        self.ends, self.failures, self.done = threading.Event(), [], 0
        self.seed, self.lock = first_seed, threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.ends.is_set():
            with self.lock:
                self.seed += 1
                seed = self.seed
            try:
                upload = Upload(seed, own_id=seed % 2 == 0)
                upload.run(pause=lambda piece: time.sleep(0.05))
                with self.lock:
                    self.done += 1
            except SystemExit as failure:
                print("  ", failure, file=sys.stderr)
                self.failures.append(str(failure))

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()
        check(not self.failures, f"{len(self.failures)} of {self.done + len(self.failures)} uploads failed: {self.failures[:3]}")
        return self.done
