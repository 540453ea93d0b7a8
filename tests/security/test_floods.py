"""What one attacker does to everybody else: uploads that never end, bodies that fill memory, logins that cost a core,
connections that say nothing."""
import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from harness import ROOT, SLOW, Hub, cli, free_port, wait_until

ATTACKER = Path(__file__).with_name("attacker.py")
MIB = 1 << 20
ROUNDS = 3
PUSHES = 200
P99_MS_MAX = 25
RSS_MIB_MAX = 200
A_WORKERS_TASK_BYTES = 300_000


@contextlib.contextmanager
def attack(kind, hub, key="-", count=8):
    process = subprocess.Popen([sys.executable, str(ATTACKER), kind, str(hub.port), key, str(count)],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def make_hub():
    hubs = []

    def make(*settings):
        hub = Hub(arguments=[part for setting in settings for part in ("--set", setting)]).start()
        hubs.append(hub)
        return hub

    yield make
    for hub in hubs:
        assert hub.stop() == 0, hub.log_text()[-3000:]


def resident_mib(hub):
    with open(f"/proc/{hub.process.pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def p99_ms(client, doc_bytes=20):
    times = []
    text = "x" * doc_bytes
    for number in range(PUSHES):
        began = time.monotonic()
        client.push("others", [{"collection": "c", "id": str(number), "doc": {"at": began, "text": text}}])
        times.append((time.monotonic() - began) * 1000)
    return sorted(times)[PUSHES * 99 // 100]


def check_others_are_served(client, quiet_ms, doc_bytes=20):
    """A busy machine makes a round slow, never all of them."""
    rounds = []
    for _ in range(ROUNDS):
        rounds.append(p99_ms(client, doc_bytes))
        if rounds[-1] <= max(2 * quiet_ms, P99_MS_MAX):
            break
    print(f"p99 of others: quiet {quiet_ms:.1f} ms, under attack {rounds} ms")
    assert min(rounds) <= max(2 * quiet_ms, P99_MS_MAX) or SLOW


def large_push(client, number):
    ops = [{"collection": "c", "id": f"{number}-{i}", "doc": {"t": "x" * 500_000}} for i in range(4)]
    return client.post("/v1/spaces/large/push", {"ops": ops})


@pytest.mark.alone
def test_slow_uploads_hold_up_nobody_and_end(make_hub):
    hub = make_hub()
    attacker, other = hub.client(email="eve@example.org"), hub.client()
    quiet_ms = p99_ms(other)
    with attack("slow_uploads", hub, attacker.key, 64):
        assert [large_push(other, number).status_code for number in range(10)] == [200] * 10
        check_others_are_served(other, quiet_ms)
    with socket.create_connection(("127.0.0.1", hub.port), timeout=60) as raw:
        raw.sendall(f"POST /sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {attacker.key}\r\n"
                    f"Content-Length: {64 * MIB}\r\n\r\n{{".encode())
        raw.settimeout(0.5)
        answer = b""
        began = time.monotonic()
        while not answer:
            with contextlib.suppress(TimeoutError):
                answer = raw.recv(4096)
            if not answer:
                raw.sendall(b" ")
            assert time.monotonic() - began < 60, "a byte now and then keeps the upload alive"
        assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.alone
def test_bodies_that_fill_memory_are_bounded_and_the_memory_comes_back(make_hub):
    hub = make_hub("limits.connections_per_address=0")
    attacker, other = hub.client(email="eve@example.org"), hub.client()
    quiet_ms = p99_ms(other)
    assert [large_push(other, number).status_code for number in range(5)] == [200] * 5  # the store's caches are full
    before = resident_mib(hub)
    with attack("held_bodies", hub, attacker.key, 1500):
        held = resident_mib(hub)
        check_others_are_served(other, quiet_ms)
    wait_until(lambda: resident_mib(hub) <= before * 1.15 or SLOW, "the memory comes back", deadline_s=10)
    print(f"resident: before {before:.0f} MiB, under attack {held:.0f} MiB, after {resident_mib(hub):.0f} MiB")
    assert held < RSS_MIB_MAX or SLOW


def set_password(hub, tmp_path, password="correct horse"):
    hub.add_key()
    file = tmp_path / "password"
    file.write_text(password + "\n")
    cli("account", "password", "ann@example.org", "--password-file", str(file), data=hub.data)


def log_in(hub, password, client=None):
    headers = {"X-Forwarded-For": client} if client else {}
    return requests.post(hub.url + "/auth/login", json={"email": "ann@example.org", "password": password},
                         headers=headers, timeout=60)


@pytest.mark.alone
def test_a_flood_of_logins_does_not_hold_up_who_has_a_key(make_hub, tmp_path):
    hub = make_hub()
    set_password(hub, tmp_path)
    other = hub.client()
    quiet_ms = p99_ms(other, A_WORKERS_TASK_BYTES)
    with attack("logins", hub, count=100):
        check_others_are_served(other, quiet_ms, A_WORKERS_TASK_BYTES)
        assert resident_mib(hub) < RSS_MIB_MAX or SLOW
        answer = log_in(hub, "correct horse")
        assert answer.status_code in (200, 429, 503)
        assert answer.status_code == 200 or "Retry-After" in answer.headers


def test_ten_wrong_passwords_of_one_client_behind_a_proxy_do_not_lock_out_the_owner(make_hub, tmp_path):
    hub = make_hub("proxy.trusted=127.0.0.1")
    set_password(hub, tmp_path)
    assert [log_in(hub, "guess", "203.0.113.9").status_code for _ in range(10)] == [401] * 10
    assert log_in(hub, "correct horse", "203.0.113.9").status_code == 429
    assert log_in(hub, "correct horse", "198.51.100.7, 203.0.113.9").status_code == 429, "its own claim comes first"
    assert log_in(hub, "correct horse", "203.0.113.8").status_code == 200
    wait_until(lambda: '"peer":"203.0.113.8"' in hub.log_text(), "the log names the client")


def test_who_is_no_trusted_proxy_is_not_believed(make_hub, tmp_path):
    hub = make_hub()
    set_password(hub, tmp_path)
    for number in range(10):
        assert log_in(hub, "guess", f"203.0.113.{number}").status_code == 401
    assert log_in(hub, "correct horse").status_code == 200, "the hub cannot tell the clients of this proxy apart"
    assert '"peer":"203.' not in hub.log_text()


def test_one_address_has_some_of_the_connections(make_hub):
    hub = make_hub("limits.connections_per_address=20")
    with attack("silent", hub, count=60):
        open_now = [socket.create_connection(("127.0.0.1", hub.port)) for _ in range(5)]
        for raw in open_now:
            raw.settimeout(30)
            assert raw.recv(1) == b"", "closed at once"
            raw.close()
    wait_until(lambda: is_served(hub), "the address is served again")
    proxied = make_hub("limits.connections_per_address=20", "proxy.trusted=127.0.0.0/8")
    with attack("silent", proxied, count=60):
        assert requests.get(proxied.url + "/health", timeout=30).status_code == 200


def is_served(hub):
    try:
        return requests.get(hub.url + "/health", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def test_metrics_are_for_administrators_or_their_own_listener(make_hub):
    port = free_port()
    hub = make_hub(f"metrics.listen=127.0.0.1:{port}")
    assert requests.get(hub.url + "/metrics", timeout=30).status_code == 401, "a proxy may stand on this machine"
    assert hub.client().get("/metrics").status_code == 403
    assert hub.client(scopes="admin").get("/metrics").status_code == 200
    own = f"http://127.0.0.1:{port}"
    assert "syncline_build_info" in requests.get(own + "/metrics", timeout=30).text
    assert requests.get(own + "/metrics", headers={"Host": "evil.example"}, timeout=30).status_code == 403
    for other in ("/v1/me", "/health", "/auth/login"):
        assert requests.get(own + other, timeout=30).status_code == 404


def test_the_default_quotas_are_the_documented_ones(make_hub):
    hub = make_hub()
    metrics = hub.client(scopes="admin").get("/metrics").text
    for plan, kind, most in (("free", "bytes", 100_000_000), ("free", "requests_per_minute", 600),
                             ("companion", "bytes", 1_000_000_000), ("companion", "requests_per_minute", 6000),
                             ("pro", "bytes", 0), ("team", "requests_per_minute", 0)):
        line = f'syncline_quota_limit{{kind="{kind}",plan="{plan}"}} {most}'
        assert line in metrics, [line for line in metrics.splitlines() if "quota_limit" in line]
    documented = (ROOT / "docs/limits.md").read_text()
    for words in ("free 100 MB, companion 1 GB, pro and team no limit (`quota.bytes`)",
                  "free 600, companion 6,000, pro and team no limit (`quota.requests_per_minute`)",
                  "20,000 (`connections.max`); 256 (`limits.connections_per_address`)"):
        assert words in documented


def test_replacing_one_record_does_not_fill_the_disk(make_hub):
    hub = make_hub("quota.bytes=free=1000000")
    cli("account", "add", "eve@example.org", "--plan", "free", data=hub.data)
    hub.known_accounts.add("eve@example.org")
    client = hub.client(email="eve@example.org")

    def push(**fields):
        return client.post("/v1/spaces/s/push", {"ops": [{"collection": "c", "id": "r", **fields}]})

    accepted = 0
    while accepted < 100 and push(doc={"t": str(accepted) + "x" * 100_000}).status_code == 200:
        accepted += 1
    assert 18 <= accepted <= 21, "twice a million bytes of earlier versions"
    refused = push(doc={"t": "y"})
    assert refused.status_code == 507 and "2.0 MB of earlier and conflicting versions" in refused.json()["detail"]
    assert push(deleted=True).status_code == 200, "deletions are accepted"
    other = client.post("/v1/spaces/t/push", {"ops": [{"collection": "c", "id": "n", "doc": {}}]})
    assert other.status_code == 507, "nothing else"
    shown = json.loads(cli("account", "list", "--json", data=hub.data)[1])["accounts"]
    listed = next(account for account in shown if account["account"] == "eve@example.org")
    assert listed["bytes"] == 0 and 1_900_000 < listed["history_bytes"] < 2_200_000, listed
    assert sum(file.stat().st_size for file in hub.data.rglob("*") if file.is_file()) < 40_000_000


def test_plans_limit_what_an_account_stores_and_asks(make_hub):
    hub = make_hub("quota.bytes=free=1000000", "quota.records=free=10", "quota.requests_per_minute=free=30")
    cli("account", "add", "eve@example.org", "--plan", "free", data=hub.data)
    hub.known_accounts.add("eve@example.org")
    free, pro = hub.client(email="eve@example.org"), hub.client()
    put = [{"collection": "c", "id": "large", "doc": {"t": "x" * 600_000}}]
    free.push("a", put)
    refused = free.post("/v1/spaces/b/push", {"ops": put})
    assert refused.status_code == 507 and refused.json()["code"] == "quota_exceeded"
    assert "the plan free stores at most 1.0 MB" in refused.json()["detail"]
    free.push("a", [{"collection": "c", "id": "large", "deleted": True}])
    free.push("b", put)
    many = [{"collection": "c", "id": str(number), "doc": {}} for number in range(10)]
    refused = free.post("/v1/spaces/c/push", {"ops": many})
    assert refused.status_code == 507 and "10 records" in refused.json()["detail"]
    pro.push("b", put)
    pro.push("c", put + many)
    codes = [free.get("/v1/me").status_code for _ in range(40)]
    assert codes[0] == 200 and codes[-1] == 429
    answer = free.get("/v1/me")
    assert "the plan free allows 30 requests a minute" in answer.json()["detail"] and "Retry-After" in answer.headers
    assert pro.get("/v1/me").status_code == 200
    shown = json.loads(cli("account", "list", "--json", data=hub.data)[1])["accounts"]
    listed = {account["account"]: account for account in shown}
    assert listed["eve@example.org"]["records"] == 1 and listed["eve@example.org"]["bytes"] > 600_000
    assert listed["eve@example.org"]["bytes_max"] == 1_000_000 and listed["ann@example.org"]["bytes_max"] is None
    metrics = hub.client(scopes="admin").get("/metrics").text
    assert 'syncline_quota_limit{kind="bytes",plan="free"} 1000000' in metrics
    assert 'syncline_quota_refusals{kind="writes"} 2' in metrics
