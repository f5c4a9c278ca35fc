"""Takes webhooks as its paths say, and tells what came: a line of JSON for each request.

webhook-receiver.py PORT [SECRET...]

Port 0 takes a free one. Of each request it is said which of the secrets signed it, by Python's hmac. The first line is the port. A path is /NAME/STEP,STEP,…: the first request to it meets the first step, the next one the next,
all later ones the last. A step is a status, "503+2" with Retry-After: 2, "301=URL", or "hang": no answer at all.
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time
import urllib.parse

secrets = sys.argv[2:]
lock = threading.Lock()
counts: collections.Counter[str] = collections.Counter()


def signers(headers: dict[str, str], body: bytes) -> list[str]:
    """The secrets of which a signature is right, as https://www.standardwebhooks.com has it."""
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    given = headers.get("webhook-signature", "").split(" ")

    def signature(secret: str) -> str:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

    return [secret for secret in secrets if signature(secret) in given]


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        steps = self.path.split("?")[0].split("/")[2].split(",") if self.path.count("/") >= 2 else ["204"]
        with lock:
            step = urllib.parse.unquote(steps[min(counts[self.path], len(steps) - 1)])
            counts[self.path] += 1
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = {"path": self.path, "headers": headers, "body": body.decode(), "signers": signers(headers, body), "at": time.time()}
            print(json.dumps(request), flush=True)
        if step == "hang":
            time.sleep(3600)
        status, _, location = step.partition("=")
        status, _, pause = status.partition("+")
        self.send_response(int(status))
        if location:
            self.send_header("Location", location)
        if pause:
            self.send_header("Retry-After", pause)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[1])), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
