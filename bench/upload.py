"""Sending many bytes, from memory that is there already."""
import json
import mmap
import os
import re
import socket

MIB = 1 << 20


def mapped(path, length=None):
    """A file's bytes, in memory before anything is timed."""
    fd = os.open(path, os.O_RDONLY)
    size = os.fstat(fd).st_size
    view = mmap.mmap(fd, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ)
    os.close(fd)
    return memoryview(view)[: size if length is None else length]


def slices(buffer, total, step=32 * MIB):
    """`total` bytes: the buffer again and again."""
    sent = 0
    while sent < total:
        at = sent % len(buffer)
        count = min(step, len(buffer) - at, total - sent)
        yield buffer[at : at + count]
        sent += count


def receive_answer(connection):
    """Status and body of an answer with Content-Length."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            raise RuntimeError(f"the server closed the connection: {got!r}")
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split(b" ", 2)[1]), body


def post(port, path, buffer, total):
    """POSTs `total` bytes in one body; the answer's body once it came."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {total}\r\n\r\n".encode())
        for piece in slices(buffer, total):
            connection.sendall(piece)
        status, body = receive_answer(connection)
    if status >= 300:
        raise RuntimeError(f"POST {path}: {status} {body.decode(errors='replace')}")
    return json.loads(body)


def send_bare(port, buffer, total):
    """The same bytes without HTTP, until the receiver says that it has them all."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for piece in slices(buffer, total):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) != b"!":
            raise RuntimeError("the bare receiver went away")
