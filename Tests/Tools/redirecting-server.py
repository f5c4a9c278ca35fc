"""An HTTP server that sends every request on to a second one, which says who came.

Usage: redirecting-server.py
Prints "PORT ELSEWHERE" when both listen, and "contacted" when somebody connects to the second.
"""
import socket
import threading


def listening():
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()[1]


def watch(server):
    while True:
        connection, _ = server.accept()
        print("contacted", flush=True)
        connection.close()


def redirect(connection, location):
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(answer.encode())
        connection.settimeout(1)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass


front, port = listening()
elsewhere, other = listening()
threading.Thread(target=watch, args=(elsewhere,), daemon=True).start()
print(port, other, flush=True)
while True:
    connection, _ = front.accept()
    threading.Thread(target=redirect, args=(connection, f"http://127.0.0.1:{other}/there"), daemon=True).start()
