"""A node that gives every request the response in a file, and shows what it was sent. Prints its port first.
Usage: scripted-node.py FILE"""
import socket
import sys

with open(sys.argv[1], "rb") as file:
    response = file.read()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            break
        head += piece
    print(head.decode(), flush=True)
    try:
        connection.sendall(response)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    except OSError:
        # The response was longer than is taken.
        pass
    connection.close()
