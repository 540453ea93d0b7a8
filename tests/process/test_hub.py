"""The hub as a process: live notices, revocation, TLS, limits, restart, many clients at once."""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests
from harness import SLOW, Client, Hub, Waiting, WebSocket, cli, cli_json, wait_until


def test_websocket_notices_and_events_include_own_changes(hub):
    client = hub.client()
    ws = WebSocket(hub.port, "/v1/live", client.key)
    assert ws.status == 101
    ws.send({"type": "watch", "spaces": {"notes": "0"}})
    assert ws.receive() == {"type": "ready", "spaces": {"notes": ws_cursor(client, 0)}}
    stream = client.get("/v1/events?spaces=notes", stream=True)
    lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
    assert next(lines) == "retry: 2000"
    client.push("notes", [{"collection": "c", "id": "1", "doc": {}}])
    assert ws.receive() == {"type": "change", "space": "notes", "cursor": ws_cursor(client, 1)}
    event = [line for line in (next(lines) for _ in range(4)) if line]
    assert event == [f"id: notes={ws_cursor(client, 1)}", "event: change",
                     f'data: {{"space":"notes","cursor":"{ws_cursor(client, 1)}"}}']
    ws.send({"type": "watch", "spaces": {"notes": "elsewhere.7"}})
    assert ws.receive()["type"] == "ready"
    assert ws.receive() == {"type": "reset", "space": "notes", "cursor": ws_cursor(client, 1), "code": "epoch_changed"}
    ws.close()


def ws_cursor(client, seq):
    client.push("probe", [{"collection": "c", "id": "1", "doc": {}}])
    history = client.get("/v1/spaces/probe/changes").json()["cursor"].split(".")[0]
    return f"{history if seq else history.split('-')[0]}.{seq}"  # nobody made a change 0


def test_a_websocket_may_send_its_key_as_first_message_within_the_deadline(hub):
    client = hub.client()
    ws = WebSocket(hub.port, "/v1/live")
    ws.send({"type": "auth", "key": client.key})
    ws.send({"type": "watch", "spaces": {"a": "0"}})
    assert ws.receive()["type"] == "ready"
    for first in ({"type": "auth", "key": "wrong-key"}, {"type": "watch", "spaces": {}}, []):
        refused = WebSocket(hub.port, "/v1/live")
        refused.send(first)
        assert refused.receive() == ("close", 4001)
    silent = WebSocket(hub.port, "/v1/live")
    began = time.monotonic()
    assert silent.receive() == ("close", 4001)
    assert 4 < time.monotonic() - began < 15
    assert WebSocket(hub.port, "/v1/live", "wrong-key").status == 401
    assert WebSocket(hub.port, "/v1/live", client.key, ["Origin: https://evil.example"]).status == 403
    ws.close()


@pytest.mark.alone
def test_a_revoked_key_ends_everywhere_within_a_second(hub):
    key = hub.add_key()
    client = Client(hub.url, key["key"])
    ws = WebSocket(hub.port, "/v1/live", client.key)
    ws.send({"type": "watch", "spaces": {"a": "0"}})
    assert ws.receive()["type"] == "ready"
    stream = client.get("/v1/events?spaces=a", stream=True)
    waiting = Waiting(client, "/v1/spaces/a/changes?wait=60")
    cli("key", "revoke", key["id"], data=hub.data)
    began = time.monotonic()
    assert ws.receive() == ("close", 4001)
    assert list(stream.iter_lines())[-1:] is not None
    assert waiting.answer()[0] == 401
    assert client.get("/v1/me").status_code == 401
    assert time.monotonic() - began < (10 if SLOW else 1)


def test_a_key_works_from_the_moment_the_command_returns(hub):
    for number in range(5):
        assert hub.client(label=f"k{number}").get("/v1/me").json()["key"]["label"] == f"k{number}"


def test_sixteen_writers_and_a_reader_that_must_see_a_gapless_feed(hub):
    writers, pushes, batch = 16, 20, 5
    clients = [hub.client(label=f"w{number}") for number in range(writers)]
    reader = hub.client(label="reader")
    total = writers * pushes * batch
    seen, faults = [], []

    def read():
        cursor = "0"
        while len(seen) < total and not faults:
            page = reader.get(f"/v1/spaces/s/changes?since={cursor}&wait=5&limit=100").json()
            for record in page["changes"]:
                if record["seq"] != len(seen) + 1:
                    faults.append(record)
                seen.append(record["id"])
            cursor = page["cursor"]

    def write(number):
        for turn in range(pushes):
            ops = [{"collection": "c", "id": f"{number}-{turn}-{i}", "doc": {"n": i}} for i in range(batch)]
            clients[number].push("s", ops)

    threads = [threading.Thread(target=read)] + [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert faults == []
    assert len(set(seen)) == total


@pytest.mark.alone
def test_restart_with_100000_records_is_ready_in_two_seconds():
    hub = Hub().start()
    client = hub.client()
    count = 20_000 if SLOW else 100_000
    for start in range(0, count, 5000):
        client.push("big", [{"collection": "c", "id": f"{i:08}", "doc": {"text": "x" * 100}}
                            for i in range(start, start + 5000)])
    hub.kill()
    began = time.monotonic()
    hub.start()
    assert requests.get(hub.url + "/ready", timeout=10).status_code == 200
    took_s = time.monotonic() - began
    assert len(Client(hub.url, client.key).all_changes("big")) == count
    assert hub.stop() == 0
    assert took_s < 2 or SLOW, took_s


def test_large_pages_are_streamed_and_end_at_32_mib(hub):
    client = hub.client()
    for number in range(40):
        client.push("big", [{"collection": "c", "id": str(number), "doc": {"text": "x" * 4_000_000}}])
    before = rss_mib(hub)
    ids, since, more = [], "", True
    while more:
        answer = client.get(f"/v1/spaces/big/changes?limit=5000{since}", headers={"Accept-Encoding": "identity"})
        assert 4_000_000 <= len(answer.content) < (32 << 20) + 4_100_000
        page = answer.json()
        ids += [change["id"] for change in page["changes"]]
        since, more = "&since=" + page["cursor"], page["more"]
    assert ids == [str(number) for number in range(40)]
    assert rss_mib(hub) - before < 64 or SLOW


def rss_mib(hub):
    with open(f"/proc/{hub.process.pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def make_certificate(directory, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{directory}/key.pem", "-out",
                    f"{directory}/cert.pem"], check=True, capture_output=True)


def served_name(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as tls:
        text = subprocess.run(["openssl", "x509", "-noout", "-subject"], capture_output=True, text=True,
                              input=ssl.DER_cert_to_PEM_cert(tls.getpeercert(True)))
        return text.stdout.strip().split("CN = ")[-1]


def test_sighup_reloads_tls_certificates(tmp_path):
    make_certificate(tmp_path, "first")
    hub = Hub(arguments=["--tls-certificate", f"{tmp_path}/cert.pem", "--tls-key", f"{tmp_path}/key.pem"]).start()
    assert hub.url.startswith("https://")
    client = hub.client()
    client.session.verify = f"{tmp_path}/cert.pem"
    client.push("s", [{"collection": "c", "id": "1", "doc": {"t": "x" * 300_000}}])
    assert client.all_changes("s")[0]["id"] == "1"
    assert served_name(hub.port) == "first"
    make_certificate(tmp_path, "second")
    hub.signal(signal.SIGHUP)
    wait_until(lambda: served_name(hub.port) == "second", "the new certificate")
    (tmp_path / "cert.pem").write_text("broken")
    hub.signal(signal.SIGHUP)
    wait_until(lambda: '"event":"reload"' in hub.log_text() and "PEM" in hub.log_text(), "the complaint")
    assert served_name(hub.port) == "second"
    assert hub.stop() == 0


def test_sigterm_lets_a_request_in_progress_finish(hub):
    client = hub.client()
    waiting = Waiting(client, "/v1/spaces/s/changes?wait=60")
    assert hub.stop() == 0
    status, page = waiting.answer()
    assert status == 200 and page["changes"] == []


def test_rate_limit_by_flag():
    hub = Hub(arguments=["--rate-limit", "3"]).start()
    client = hub.client()
    codes = [client.get("/v1/me").status_code for _ in range(5)]
    assert codes[:3] == [200, 200, 200] and codes[3] == 429
    assert int(client.get("/v1/me").headers["Retry-After"]) >= 1
    assert hub.stop() == 0


def test_metrics_and_logs_tell_what_happened_without_secrets(hub):
    client = hub.client()
    client.push("s", [{"collection": "c", "id": "planted-record-id", "doc": {}}])
    client.get("/v1/me?token=planted-query")
    text = hub.metrics()
    assert 'syncline_http_requests_total{code="200",method="POST",route="/v1/spaces/{space}/push"} 1' in text
    assert "syncline_build_info" in text and "ann@example.org" not in text
    wait_until(lambda: '"route":"/v1/me"' in hub.log_text(), "the log line")
    line = json.loads(next(line for line in hub.log_text().splitlines() if '"route":"/v1/me"' in line))
    assert {"time", "level", "method", "status", "duration_us", "key", "request_id"} <= set(line)
    assert "planted-query" not in hub.log_text()


@pytest.mark.parametrize("body,status", [
    (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 400), (b'{"ops":[{"a":', 400), (b"null", 400), (b"", 400),
])
def test_bad_bodies_get_400_and_change_nothing(shared_hub, body, status):
    client = shared_hub.client()
    for path in ("/v1/spaces/s/push", "/sync", "/command"):
        answer = client.call("POST", path, data=body)
        assert answer.status_code == status, (path, answer.text)
        assert answer.json()["error"] and answer.json()["detail"]
    assert client.get("/v1/spaces").json()["spaces"] == []


def test_an_oversize_body_gets_413_and_a_truncated_one_changes_nothing(hub):
    client = hub.client()
    answer = client.call("POST", "/v1/spaces/s/push", data=b" " * (65 << 20))
    assert answer.status_code == 413
    with socket.create_connection(("127.0.0.1", hub.port)) as raw:
        raw.sendall(f"POST /sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\n"
                    'Content-Length: 500\r\n\r\n{"documents":{"d":'.encode())
    assert client.get("/sync").json()["lastUpdate"] == 0


@pytest.mark.alone
def test_slow_and_silent_clients_do_not_slow_the_others(hub):
    client = hub.client()
    silent = [socket.create_connection(("127.0.0.1", hub.port)) for _ in range(200)]
    for raw in silent[:100]:
        raw.sendall(b"GET /sync HTTP/1.1\r\nHo")
    times = []
    for _ in range(50):
        began = time.monotonic()
        assert client.get("/v1/me").status_code == 200
        times.append(time.monotonic() - began)
    assert sorted(times)[45] < 0.5
    for raw in silent:
        raw.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_reported_and_the_hub_recovers(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount], capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        hub = Hub(data=mount / "data").start()
        client = hub.client()
        stored, refused = [], None
        for number in range(200):
            answer = client.post("/v1/spaces/s/push",
                                 {"ops": [{"collection": "c", "id": str(number), "doc": {"t": "x" * 50_000}}]})
            if answer.status_code != 200:
                refused = answer
                break
            stored.append(str(number))
        assert refused is not None and refused.status_code == 507, refused
        assert refused.json()["code"] == "storage_full" and "Retry-After" in refused.headers
        assert [record["id"] for record in client.all_changes("s")] == stored
        assert requests.get(hub.url + "/ready", timeout=10).status_code == 503
        subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
        client.push("s", [{"collection": "c", "id": "after", "doc": {}}])
        assert requests.get(hub.url + "/ready", timeout=10).status_code == 200
        assert hub.stop() == 0
        assert json.loads(cli("verify", "--json", data=mount / "data")[1])["ok"]
    finally:
        subprocess.run(["umount", "-l", mount])


def test_on_a_full_disk_keys_are_listed_and_a_revocation_survives_a_crash(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount], capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        hub = Hub(data=mount / "data").start()
        writer, thief = hub.client(), hub.add_key(label="thief")
        for size in (50_000, 5000, 500, 50):
            for number in range(500):
                answer = writer.post("/v1/spaces/s/push", {"ops": [
                    {"collection": "c", "id": f"{size}-{number}", "doc": {"t": "x" * size}}]})
                if answer.status_code != 200:
                    break
            assert answer.status_code == 507, answer
        stolen = Client(hub.url, thief["key"])
        assert stolen.get("/v1/me").status_code == 200
        keys = cli_json("key", "list", data=hub.data)["keys"]
        assert [key["last_used_at"] is not None for key in keys if key["id"] == thief["id"]] == [True]
        assert cli_json("key", "revoke", thief["id"], data=hub.data)["revoked_at"]
        assert stolen.get("/v1/me").status_code == 401
        hub.kill()
        hub.start()
        assert Client(hub.url, thief["key"]).get("/v1/me").status_code == 401
        assert Client(hub.url, writer.key).get("/v1/me").status_code == 200
        subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
        hub.add_key(label="another")
        hub.stop()
        revoked = {key["id"]: key["revoked_at"] for key in cli_json("key", "list", data=hub.data)["keys"]}
        assert revoked[thief["id"]]
    finally:
        subprocess.run(["umount", "-l", mount])
