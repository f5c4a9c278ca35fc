"""An HTTP server that does what the path of a request says, for uploads that meet trouble.

Usage: scripted-upload-server.py [--tls CERTIFICATE KEY] [--ipv6] [--save FOLDER]
Prints its port. For each name on a line of standard input it prints, as JSON on one line, which requests came: method,
headers, bytes and SHA-256 of the body, whether it was whole. It ends when standard input does.
A path is /NAME/STEP,STEP,…; each request of that path takes the next step, and the last one stays. A step is WHAT@WHERE,
with Name=value headers behind semicolons (percent-encoded, a space also as _; Location=SELF is the path itself;
Say=text is the response's body, and Say=ECHO what came):
  WHAT   a status | cut (the connection breaks) | stall (nothing is read or sent any more) | lost (taken, no response)
         | dribble (a response without an end) | cutline, cutfield, cutblank (a 200 that ends behind its status line, within
         a header field, before the empty line)
  WHERE  head (before the body) | a number of bytes of the body | end
A path /NAME/files/FILE, or /NAME/files;FILE=STEP,STEP;FILE=STEP/FILE, is one of many: what no step is said for is taken.
With --save what was taken lies in FOLDER/NAME/FILE, and DELETE removes it.
Statuses from 200 on are preceded by 100 where leave is asked and the step is not at the head.
"""
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import urllib.parse

lock = threading.Lock()
requests = {}
steps_taken = {}


class Gone(Exception):
    pass


class Body:
    """Reads a body a piece at a time."""

    def __init__(self, stream, headers):
        self.stream, self.chunked = stream, headers.get("transfer-encoding") == "chunked"
        self.left = int(headers.get("content-length", 0))
        self.ended = not self.chunked and not self.left
        self.bytes, self.hash, self.first, self.all = 0, hashlib.sha256(), b"", []

    def read(self):
        if self.chunked and not self.left:
            self.left = int(self.line(), 16)
            if not self.left:
                self.line()
                self.ended = True
                return
        piece = self.stream.read1(min(self.left, 65536))
        if not piece:
            raise Gone
        self.left -= len(piece)
        self.bytes += len(piece)
        self.hash.update(piece)
        self.first = (self.first + piece)[:64]
        if folder:
            self.all.append(piece)
        if not self.left and self.chunked:
            self.line()
        elif not self.left:
            self.ended = True

    def line(self):
        line = self.stream.readline()
        if not line:
            raise Gone
        return line.strip()


def head(stream):
    first = stream.readline().decode("latin1").split()
    if len(first) < 3:
        raise Gone
    headers = {}
    while (line := stream.readline().strip()):
        name, _, value = line.decode("latin1").partition(":")
        headers[name.lower()] = value.strip()
    return first[0], first[1], headers


def step(path):
    parts = path.partition("?")[0].strip("/").split("/")
    name = parts[0]
    with lock:
        number = steps_taken.get(path, 0)
        steps_taken[path] = number + 1
    steps = "/".join(parts[1:]).split(",")
    if parts[1].partition(";")[0] == "files":
        rules = dict(rule.split("=", 1) for rule in parts[1].split(";")[1:])
        steps = rules.get(parts[-1], "200@end").split(",")
    words = steps[min(number, len(steps) - 1)].split(";")
    what, where = words[0].split("@")
    return name, (what, where, {n: urllib.parse.unquote(v.replace("_", " ")) for n, _, v in (word.partition("=") for word in words[1:])})


def answer(connection, status, headers, body=b"", close=False):
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}"] + [f"{n}: {v}" for n, v in headers.items()]
    if close:
        lines.append("Connection: close")
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def keep(method, path, body):
    parts = path.partition("?")[0].strip("/").split("/")
    place = os.path.join(folder, parts[0], parts[-1])
    if method == "DELETE":
        if os.path.exists(place):
            os.remove(place)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(b"".join(body.all))


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Gone


cut_heads = {
    "cutline": b"HTTP/1.1 200 OK\r\n",
    "cutfield": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cutblank": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
}


def serve_one(connection, stream):
    method, path, headers = head(stream)
    name, (what, where, extra) = step(path)
    record = {"method": method, "headers": headers, "bytes": 0, "whole": False, "path": path}
    with lock:
        requests.setdefault(name, []).append(record)
    body = Body(stream, headers)
    if where != "head":
        if "expect" in headers:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        until = None if where == "end" else int(where)
        try:
            while not body.ended and (until is None or body.bytes < until):
                body.read()
        finally:
            record |= {"bytes": body.bytes, "whole": body.ended, "sha256": body.hash.hexdigest(), "first": body.first.decode("latin1")}
    if what == "cut":
        reset(connection)
    if what == "lost":
        raise Gone
    if what == "nothttp":
        connection.sendall(b"SSH-2.0-x\r\n")
        raise Gone
    if what == "longhead":
        connection.sendall(b"HTTP/1.1 200 x\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 80_000) for n in range(8)) + b"\r\n")
        raise Gone
    if what in cut_heads:
        connection.sendall(cut_heads[what])
        raise Gone
    if what == "stall":
        threading.Event().wait(120)
    if what == "dribble":
        connection.sendall(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\n \r\n")
            threading.Event().wait(0.02)
    if extra.get("Location") == "SELF":
        extra["Location"] = path
    # What a careless server repeats: the headers and the path.
    said = extra.pop("Say", "the server says no").encode()
    if said == b"ECHO":
        said = json.dumps([path, headers]).encode()
    if folder and what.startswith("2") and body.ended:
        keep(method, path, body)
    answer(connection, int(what), extra, said, close=not body.ended)
    if not body.ended:
        # A server that does not read on: what comes is thrown away for a moment, so that the response is not lost with it.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(1)
        while stream.read1(65536):
            pass
        raise Gone


def serve(connection, context):
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while True:
                serve_one(connection, stream)
    except (Gone, OSError, ValueError):
        pass
    finally:
        connection.close()


def tell():
    for name in sys.stdin:
        with lock:
            print(json.dumps(requests.get(name.strip(), [])), flush=True)
    os._exit(0)


arguments = sys.argv[1:]
context = None
if "--tls" in arguments:
    at = arguments.index("--tls")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(arguments[at + 1], arguments[at + 2])
ipv6 = "--ipv6" in arguments
folder = arguments[arguments.index("--save") + 1] if "--save" in arguments else None
server = socket.create_server(("::1" if ipv6 else "127.0.0.1", 0), family=socket.AF_INET6 if ipv6 else socket.AF_INET, backlog=64)
print(server.getsockname()[1], flush=True)
threading.Thread(target=tell, daemon=True).start()
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection, context), daemon=True).start()
