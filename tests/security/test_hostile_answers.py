"""Servers that answer without end: what a node, a hub and the command line read of it, and what it costs them.

Each test names the peak of resident memory. An answer of up to 600 MiB is on offer."""
import functools
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_server import MIB, OK, HostileServer, chunked, endless, endless_headers, whole
from harness import BINARY, SLOW, Hub, wait_until
from node_harness import Node

pytestmark = pytest.mark.alone

STATS = whole(b'{"plan":"pro","email":"ann@example.org"}')
ME = whole(b'{"account":"ann@example.org","plan":"pro"}')
NOT_FOUND = whole(b"{}", b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n")
LARGE = "the answer is larger than"


def peak_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) >> 10


def check_peak(pid, most):
    """Sanitizers need memory of their own."""
    peak = peak_mib(pid)
    print(f"peak {peak} MiB")
    assert SLOW or peak < most, peak


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        servers.append(HostileServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def node():
    running = Node().start()
    yield running
    assert running.stop() == 0, running.log_text()[-2000:]


@functools.cache
def bomb():
    """A JSON object that does not end, of zeros, a thousand times as many as bytes."""
    return gzip.compress(b'{"changes":[' + b"0" * (200 * MIB), 6)


GZIP = OK + b"Content-Encoding: gzip\r\n"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
PROBES = {
    "length": lambda: whole(b"0" * (600 * MIB)),
    "no_length": lambda: endless(b'{"plan":"', b"x"),
    "chunked": lambda: chunked([b"x" * MIB] * 600),
    "gzip": lambda: whole(bomb(), GZIP),
    "gzip_twice": lambda: whole(gzip.compress(bomb()), GZIP + b"Content-Encoding: gzip\r\n"),
    "other_coding": lambda: whole(bomb(), OK + b"Transfer-Encoding: gzip\r\n"),
    "error": lambda: endless(b'{"detail":"', b"x", head=FAILED),
    "headers": lambda: endless_headers(b"X-Filler: " + b"x" * 500 + b"\r\n"),
    "interim": lambda: endless_headers(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"x" * 500 + b">\r\n\r\n", b""),
}


@pytest.mark.parametrize("kind", PROBES)
def test_a_node_reads_little_of_a_hub_that_it_does_not_know(serve, node, kind):
    hub = serve(lambda method, path: PROBES[kind]())
    answer = node.api.post("/api/cloud-sync/connect", {"url": hub.url, "api_key": "key"})
    check_peak(node.process.pid, 40)
    assert answer.status_code in (401, 503), answer.text
    words = {"error": "answered 500", "headers": "headers are larger than", "interim": "headers are larger than",
             "gzip_twice": "not asked for", "other_coding": "not asked for"}
    assert words.get(kind, LARGE) in answer.text + node.log_text(), answer.text
    assert len(hub.requests) == 1, hub.requests
    assert node.api.get("/health").status_code == 200


def native(changes=None, push=None, spaces=None, events=None):
    """A hub of /v1 that misbehaves in one place."""
    empty = b'{"changes":[],"cursor":"0123456789abcdef.0","more":false}'

    def answer(method, path):
        if path == "/sync/stats":
            return STATS
        if path == "/v1/me":
            return ME
        if path == "/v1/spaces":
            return spaces() if spaces else whole(b'{"spaces":[]}')
        if path.startswith("/v1/events"):
            return events() if events else NOT_FOUND
        if "/changes?" in path:
            return changes() if changes else whole(empty)
        if path.endswith("/push"):
            return push() if push else NOT_FOUND
        return NOT_FOUND

    return answer


def connect(node, hub):
    answer = node.api.post("/api/cloud-sync/connect", {"url": hub.url, "api_key": "key"}, timeout=400)
    assert answer.status_code == 200, answer.text


RECORD = b'{"collection":"c","id":"%d","seq":1,"updated_at":"2026-01-01T00:00:00Z","doc":{}},'
PAGES = {
    "endless": (lambda: endless(b'{"changes":[{"collection":"', b"x"), LARGE),
    "gzip": (lambda: whole(bomb(), GZIP), LARGE),
    "damaged": (lambda: whole(b'{"cursor":"0123456789abcdef.9","more":true,"changes":[' + b'{"damaged":true},' * 3_500_000 +
                              b"{}]}"), "more records than were asked for"),
    "damaged_beside": (lambda: whole(b'{"cursor":"0123456789abcdef.9","more":true,"changes":[],"damaged":[' +
                                     b'{"damaged":true},' * 3_500_000 + b"{}]}"), "more records than were asked for"),
    "records": (lambda: whole(b'{"cursor":"0123456789abcdef.9","more":true,"changes":[' + RECORD % 1 * 700_000 + b"{}]}"),
                "more records than were asked for"),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_node_reads_a_page_at_most_and_asks_ever_less_often(serve, node, kind):
    make, words = PAGES[kind]
    hub = serve(native(changes=make))
    connect(node, hub)
    wait_until(lambda: node.status()["kaisho"]["state"] == "waiting", "the node has had enough", 60)
    check_peak(node.process.pid, 190)
    assert words in json.dumps(node.status())
    began = time.monotonic()
    before = hub.count("/spaces/kaisho/changes")
    time.sleep(5)
    assert hub.count("/spaces/kaisho/changes") - before <= 3, [each[1:3] for each in hub.requests]
    assert time.monotonic() - began < 15


def test_a_node_reads_as_many_results_as_it_sent_ops(serve, node):
    verdicts = b'{"cursor":"0123456789abcdef.9","results":[' + b'{"status":"refused"},' * 3_000_000 + b"{}]}"
    hub = serve(native(push=lambda: whole(verdicts)))
    node.api.push("kaisho", [{"collection": "notes", "id": "n1", "doc": {"id": "n1", "text": "mine"}}])
    connect(node, hub)
    wait_until(lambda: node.status()["kaisho"]["state"] == "waiting", "the node has had enough", 60)
    check_peak(node.process.pid, 190)
    assert "more results than the push had ops" in json.dumps(node.status())
    assert [change["doc"]["text"] for change in node.api.all_changes("kaisho") if change["id"] == "n1"] == ["mine"]


def test_a_hub_cannot_make_a_node_keep_any_number_of_spaces(serve, node):
    names = ",".join(f'{{"name":"s{number:06}","cursor":"0123456789abcdef.0"}}' for number in range(200_000))
    hub = serve(native(spaces=lambda: whole(b'{"spaces":[' + names.encode() + b"]}")))
    connect(node, hub)
    wait_until(lambda: len(node.status()) >= 10_000, "the node adds them", 120)
    time.sleep(3)
    check_peak(node.process.pid, 190)
    assert len(node.status()) == 10_000 and "spaces_not_added" in node.log_text()


@pytest.mark.parametrize("begin", [b": ", b"data: ", b"event: change\ndata: x\n"])
def test_a_live_link_without_an_end_of_an_event_costs_nothing(serve, node, begin):
    sent = []

    def events():
        yield OK.replace(b"application/json", b"text/event-stream") + b"Connection: close\r\n\r\n"
        for _ in range(300):
            yield begin + b"x" * MIB if begin != b"event: change\ndata: x\n" else b"data: " + b"x" * 50_000 + b"\n"
            sent.append(1)

    hub = serve(native(events=events))
    connect(node, hub)
    wait_until(lambda: len(sent) >= 300, "the node reads on", 120)
    check_peak(node.process.pid, 60)


def kernle(pull=None, push=None):
    def answer(method, path):
        if path == "/auth/login":
            return whole(b'{"user_id":"u1","token":"t1"}')
        if pull and path == "/sync/pull":
            return pull()
        if push and path == "/sync/push":
            return push()
        return NOT_FOUND

    return answer


def test_a_node_takes_a_large_memory_piece_by_piece(serve, node):
    """Many small operations, each of which takes more memory read than written."""
    operation = b'{"table":"notes","record_id":"","operation":"update","data":{}},'
    body = b'{"server_time":"2026-01-01T00:00:00Z","operations":[' + operation * (60 * MIB // len(operation)) + b"{}]}"
    hub = serve(kernle(pull=lambda: whole(body)))
    assert node.api.post("/memory/notes?agent_id=claire", {"content": "mine"}).status_code == 201
    connect(node, hub)
    wait_until(lambda: "operation_not_taken" in node.log_text(), "the node has read it", 120)
    time.sleep(3)
    check_peak(node.process.pid, 250)
    log = node.log_text()
    reads = log.count('"operations_not_taken"')  # the next one may be on its way
    assert reads > 0 and 20 * reads <= log.count('"operation_not_taken"') <= 20 * (reads + 1)


# In a small process: a child counts what its parent had when it was started.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "error": done.stderr, "peak": peak}))
"""


@pytest.mark.parametrize("words", [["command", "list"], ["command", "show", "c1"], ["export", "-o", "-"]])
def test_the_command_line_reads_a_page_at_most(serve, tmp_path, words):
    hub = serve(lambda method, path: endless(b'{"commands":["', b"x"))
    command = [BINARY, *words, "--hub", hub.url, "--key", "key"]
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, cwd=tmp_path,
                          check=True)
    measured = json.loads(done.stdout)
    peak = measured["peak"] >> 10
    print(f"peak {peak} MiB")
    assert SLOW or peak < 190, peak
    assert measured["code"] == 6 and LARGE in measured["error"], measured


AI = {
    "whole": (lambda: endless(b'{"choices":[{"message":{"content":"', b"x"), {}, 502, "answer is too large"),
    "error": (lambda: endless(b'{"error":{"message":"', b"x", head=b"HTTP/1.1 400 Bad Request\r\n"), {}, 400,
              "rejects the request"),
    "headers": (lambda: endless_headers(b"X-Filler: " + b"x" * 500 + b"\r\n"), {}, 502, "answer is too large"),
    "stream_line": (lambda: endless(b"data: ", b"x", size=200 * MIB), {"stream": True}, 200, "broke off"),
    "stream_lines": (lambda: endless(b"", b"data: " + b"x" * 1000 + b"\n", size=200 * MIB), {"stream": True}, 200,
                     "broke off"),
    "stream_error": (lambda: endless(b'{"error":{"message":"', b"x", head=b"HTTP/1.1 500 Oh\r\n"), {"stream": True},
                     502, "failed with status 500"),
}


@pytest.mark.parametrize("kind", AI)
def test_an_ai_upstream_cannot_fill_the_hub(serve, kind):
    make, more, status, words = AI[kind]
    upstream = serve(lambda method, path: make())
    hub = Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", "ai.model=m"]).start()
    try:
        client = hub.client()
        answer = client.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}], **more},
                             timeout=120)
        check_peak(hub.process.pid, 110)
        assert answer.status_code == status and words in answer.text, (answer.status_code, answer.text[-500:])
        assert len(upstream.requests) == 1, "it is not asked again"
        used = client.get("/ai/usage").json()
        assert (used["output_tokens"] > 0) == (kind in ("whole", "headers")), used
    finally:
        assert hub.stop() == 0


@pytest.mark.parametrize("kind", ["body", "headers", "error"])
def test_a_receiver_of_webhooks_cannot_fill_the_hub(serve, kind):
    make = {"body": lambda: endless(b"", b"x"), "error": lambda: endless(b"", b"x", head=b"HTTP/1.1 500 Oh\r\n"),
            "headers": lambda: endless_headers(b"X-Filler: " + b"x" * 500 + b"\r\n")}[kind]
    receiver = serve(lambda method, path: make())
    hub = Hub(arguments=["--set", "webhooks.allow=127.0.0.1", "--set", "webhooks.retry_seconds=3600"]).start()
    try:
        client = hub.client()
        made = client.post("/webhooks", {"webhook_url": receiver.url + "/in", "events": ["record.changed"]})
        assert made.status_code == 201, made.text
        client.push("s", [{"collection": "c", "id": "r", "doc": {}}])
        wait_until(lambda: receiver.requests, "the hub sends", 30)
        time.sleep(2)
        check_peak(hub.process.pid, 60)
        assert len(receiver.requests) == 1
        assert receiver.requests[0][3] < 8 * MIB, "the hub has hung up"
    finally:
        assert hub.stop() == 0
