#!/usr/bin/env python3
"""Holds thousands of slow connections to a server on 127.0.0.1, from one process.

usage: slow-clients.py PORT KIND=COUNT...

  idle      connects and says nothing
  half      sends half a head and stops
  drip      sends a head, one byte a second
  body      sends the head of a chunk for a writer slow-N, then one byte a second
  json      sends the head of a PUT for a writer of its own, then one byte a second
  unwanted  POSTs to nowhere a body that never comes

Prints "ready N" once N connections are made, and at the end of standard input how many of each
kind the server has ended: "ended KIND=COUNT...".
"""
import resource
import select
import socket
import sys
import time

port = int(sys.argv[1])
wanted = dict((kind, int(count)) for kind, count in (word.split("=") for word in sys.argv[2:]))
total = sum(wanted.values())

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
need = total + 64
if hard != resource.RLIM_INFINITY and hard < need:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, need))
    except (ValueError, PermissionError):
        print(f"short of descriptors: {hard} of {need}", flush=True)
        sys.exit(3)
else:
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(need, hard)) if hard != -1 else need, hard))

HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Filler: " + b"a" * 4000


def opening(kind, index):
    """What a connection sends at once, and what it sends a byte a second."""
    if kind == "half":
        return HEAD[:60], b""
    if kind == "drip":
        return HEAD[:1], HEAD[1:]
    if kind == "body":
        path = f"/v1/writers/slow-{index}/streams/0/chunks"
        return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 160000\r\n\r\n".encode(), b"\1" * 159_999
    if kind == "json":
        head = f"PUT /v1/writers/never-{index} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
        return head.encode(), b" " * 59_999
    if kind == "unwanted":
        return b"POST /v1/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", b""
    return b"", b""


poller = select.epoll()
connections = {}
ended = dict.fromkeys(wanted, 0)
made = 0
for kind, count in wanted.items():
    for index in range(count):
        connection = socket.socket()
        # Many addresses, so that no address runs out of ports.
        connection.bind((f"127.0.1.{made % 32 + 1}", 0))
        connection.connect(("127.0.0.1", port))
        made += 1
        first, rest = opening(kind, index)
        if first:
            connection.sendall(first)
        connection.setblocking(False)
        connections[connection.fileno()] = [connection, kind, rest, 0]
        poller.register(connection.fileno(), select.EPOLLIN)

print(f"ready {made}", flush=True)
poller.register(0, select.EPOLLIN | select.EPOLLHUP)


def drop(number):
    connection, kind, _, _ = connections.pop(number)
    poller.unregister(number)
    connection.close()
    ended[kind] += 1


next_second = time.monotonic() + 1
running = True
while running:
    for number, _ in poller.poll(max(0, next_second - time.monotonic())):
        if number == 0:
            running = False
            break
        try:
            if not connections[number][0].recv(65536):
                drop(number)
        except BlockingIOError:
            pass
        except OSError:
            drop(number)
    if time.monotonic() >= next_second:
        next_second += 1
        for number in list(connections):
            entry = connections[number]
            if entry[3] < len(entry[2]):
                try:
                    entry[0].send(entry[2][entry[3] : entry[3] + 1])
                    entry[3] += 1
                except BlockingIOError:
                    pass
                except OSError:
                    drop(number)
print("ended " + " ".join(f"{kind}={count}" for kind, count in ended.items()), flush=True)
