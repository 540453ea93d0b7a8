"""A server that answers whatever a test wants, as much of it as is read."""
import contextlib
import re
import socket
import threading
import time

MIB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def whole(body, head=OK):
    return [head + b"Content-Length: %d\r\n\r\n" % len(body) + body]


def endless(begin, piece, size=600 * MIB, head=OK):
    """`begin`, and `piece` until there are `size` bytes, without saying how many will come."""
    many = piece * max(1, MIB // len(piece))
    yield head + b"Connection: close\r\n\r\n" + begin
    for _ in range(size // len(many)):
        yield many


def endless_headers(line, begin=b"HTTP/1.1 200 OK\r\n", size=600 * MIB):
    many = line * (65536 // len(line))
    yield begin
    for _ in range(size // len(many)):
        yield many


def chunked(pieces, head=OK):
    """What a proxy between would make of it: the length is never known."""
    yield head + b"Transfer-Encoding: chunked\r\n\r\n"
    for piece in pieces:
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"


class HostileServer:
    """`answer(method, path)` gives the pieces that are sent, in order, to each request. `requests` has (method, path,
    when, how much of the answer was sent)."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    @staticmethod
    def _read(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return None
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        left = int(length.group(1)) - len(body) if length else 0
        while left > 0:
            left -= len(connection.recv(min(left, 65536)))
        return head.split(b" ")[:2]

    def _answer(self, connection):
        with connection, contextlib.suppress(OSError):  # the other side has had enough
            while (request := self._read(connection)) is not None:
                method, path = (word.decode() for word in request)
                entry = [method, path, time.monotonic(), 0]
                self.requests.append(entry)
                ends = True
                for piece in self.answer(method, path):
                    connection.sendall(piece)
                    entry[3] += len(piece)
                    ends = b"Content-Length: " not in piece
                if ends:
                    return

    def count(self, part):
        return sum(part in path for _, path, _, _ in self.requests)

    def close(self):
        self.listener.close()
