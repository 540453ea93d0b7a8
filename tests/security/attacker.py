"""The attacks of test_floods.py, in a process of their own with the lowest priority.

usage: attacker.py slow_uploads|held_bodies|logins|silent PORT KEY COUNT

Prints "ready" when the attack has its full strength, and goes on until it is killed.
"""
import itertools
import os
import select
import socket
import sys
import time

MIB = 1 << 20


def connect(port):
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    raw.settimeout(30)
    return raw


def post(key, length, path="/v1/spaces/flood/push"):
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def slow_uploads(port, key, count):
    """Each announces as much as a body may have, and sends a byte now and then."""
    raws = [connect(port) for _ in range(count)]
    for raw in raws:
        raw.sendall(post(key, 64 * MIB) + b"{")
    print("ready", flush=True)
    while True:
        time.sleep(1)
        for number, raw in enumerate(raws):
            try:
                raw.sendall(b" ")
            except OSError:  # thrown out: come again
                raws[number] = connect(port)
                raws[number].sendall(post(key, 64 * MIB) + b"{")


def held_bodies(port, key, count):
    """Each sends almost all of a body and keeps the end."""
    raws = []
    piece = b"{" + b" " * (MIB - 16)
    for _ in range(count):
        raw = connect(port)
        raws.append(raw)
        try:
            raw.sendall(post(key, MIB) + piece)
        except OSError:
            pass  # refused: that is what we want to see
    print("ready", flush=True)
    while True:
        time.sleep(1)


def logins(port, _key, count):
    """Wrong passwords over many connections, as fast as they are answered, each for another address: those that fail
    too often for one address cost nothing any more."""
    numbers = itertools.count(os.getpid() * 1_000_000)

    def request():
        body = b'{"email":"guess-%d@example.org","password":"a guess"}' % next(numbers)
        return (b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body)

    raws = [connect(port) for _ in range(count)]
    for raw in raws:
        raw.sendall(request())
    print("ready", flush=True)
    while True:
        for raw in select.select(raws, [], [], 1)[0]:
            if not raw.recv(65536):
                raws.remove(raw)
                raw = connect(port)
                raws.append(raw)
            raw.sendall(request())
            time.sleep(0.001)


def silent(port, _key, count):
    """Connections that never say a word; those that are closed are opened again."""
    raws = [connect(port) for _ in range(count)]
    print("ready", flush=True)
    while True:
        time.sleep(0.2)
        for raw in select.select(raws, [], [], 0)[0]:
            raws.remove(raw)
            raws.append(connect(port))


if __name__ == "__main__":
    os.nice(19)
    {"slow_uploads": slow_uploads, "held_bodies": held_bodies, "logins": logins,
     "silent": silent}[sys.argv[1]](int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
