"""What a node notices without being asked: a key that was revoked, and answers that are not the hub's."""
import contextlib
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from harness import Client, cli, wait_until
from node_harness import Node, Wire

sys.path.insert(0, str(Path(__file__).parents[1] / "security"))
from hostile_server import HostileServer  # noqa: E402


def status_of(node, space="notes"):
    return node.status()[space]


def test_a_revoked_key_is_reported_although_nobody_writes(hub):
    key = hub.add_key()
    Client(hub.url, key["key"]).push("notes", [{"collection": "items", "id": "n1", "doc": {}}])
    node = Node().start()
    try:
        node.connect(hub.url, key["key"])
        wait_until(lambda: "notes" in node.status() and status_of(node)["reason"] == "in sync", "the link stands")
        cli("key", "revoke", key["id"], data=hub.data)
        # The interval between two polls is five minutes.
        wait_until(lambda: status_of(node)["state"] == "reauth", "the status says that the key is not accepted", 20)
        assert "does not accept the key" in status_of(node)["reason"]
        assert "401" in status_of(node)["reason"]
    finally:
        assert node.stop() == 0


def page(status, body, more=b""):
    return (b"HTTP/1.1 " + status + b"\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body) + body,)


def dribble(begin):
    yield begin
    while True:
        time.sleep(0.5)
        yield b" "


HTML = b"<!doctype html><html><title>Welcome to our network</title></html>"
TEXT_HTML = b"Content-Type: text/html\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
NONSENSE = {
    "a page with 200": lambda: page(b"200 OK", HTML, TEXT_HTML),
    "a redirection": lambda: page(b"302 Found", b"", b"Location: http://127.0.0.1:9/login\r\n"),
    "a page with 401": lambda: page(b"401 Unauthorized", HTML, TEXT_HTML),
    "a page with 400": lambda: page(b"400 Bad Request", HTML, TEXT_HTML),
    "a page with 511": lambda: page(b"511 Network Authentication Required", HTML, b"Retry-After: 3600\r\n"),
    "nothing": lambda: page(b"200 OK", b""),
    "a list": lambda: page(b"200 OK", b"[]"),
    "cut JSON": lambda: page(b"200 OK", b'{"changes":[{"seq":1,'),
    "a body that is shorter than announced": lambda: dribble(JSON + b'Content-Length: 1000\r\n\r\n{"changes":['),
    "JSON without an end": lambda: dribble(JSON + b'Connection: close\r\n\r\n{"changes":['),
    "a page without an end": lambda: dribble(b"HTTP/1.1 200 OK\r\n" + TEXT_HTML + b"\r\n<html>"),
}


class Portal(Wire):
    """A wire that some network may take over: connections that are made meanwhile belong to it for good, and get its
    answer to each request."""

    def __init__(self, port, answer):
        self.answer = answer
        self.answered = 0
        self.is_open = True
        super().__init__(port)

    def take_over(self):
        self.is_open = False
        for pair in list(self.pairs):
            self._drop(pair)

    def let_go(self):
        self.is_open = True

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.is_open:
                threading.Thread(target=self._answer, args=(near,), daemon=True).start()
                continue
            far = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            far.settimeout(None)
            pair = (near, far)
            self.pairs.add(pair)
            for source, target in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(source, target, pair), daemon=True).start()

    def _answer(self, near):
        with near, contextlib.suppress(OSError):
            while HostileServer._read(near) is not None:
                self.answered += 1
                for piece in self.answer():
                    near.sendall(piece)


@pytest.mark.alone
def test_whatever_a_network_answers_the_node_is_in_sync_within_a_minute_after_it(hub):
    client = hub.client()
    portals = {name: Portal(hub.port, answer) for name, answer in NONSENSE.items()}
    nodes = {}
    try:
        for number, (name, portal) in enumerate(portals.items()):
            space = f"s{number}"
            client.push(space, [{"collection": "items", "id": "first", "doc": {}}])
            node = nodes[name] = Node().start()
            node.api.post(f"/v1/spaces/{space}/push", {"ops": []})
            node.connect(portal.url, client.key)
            wait_until(lambda: node.is_in_sync([space]), f"in sync before {name}")
            portal.take_over()
            node.api.post(f"/v1/spaces/{space}/push", {"ops": [{"collection": "items", "id": "mine", "doc": {}}]})
        for name, portal in portals.items():
            wait_until(lambda: portal.answered > 0, f"the node got {name}")
        time.sleep(5)
        for portal in portals.values():
            portal.let_go()
        ends = time.monotonic() + 60
        late = dict.fromkeys(portals)
        while late and time.monotonic() < ends:
            for number, name in enumerate(portals):
                found = client.get(f"/v1/spaces/s{number}/records/items/mine").status_code == 200
                if found and nodes[name].is_in_sync([f"s{number}"]):
                    late.pop(name, None)
            time.sleep(0.2)
        assert not late, {name: nodes[name].status() for name in late}
    finally:
        for node in nodes.values():
            node.stop()
        for portal in portals.values():
            portal.close()
