"""A hub whose file was damaged while it was stopped: it says so, serves what it can read, and stops when reads go on failing."""
import subprocess
from pathlib import Path

import pytest
import requests

from harness import BINARY, Client, Hub, cli, wait_until
from runner_harness import AGENT_SCOPES, IDE_SCOPES, Runner, wait_for_end

PAGE_BYTES = 4096
DAMAGED = 16  # the exit code


def damage_page_of(hub, marker):
    """Overwrites the head of the page that has the marker."""
    path = hub.data / "syncline.db"
    assert not path.with_name("syncline.db-wal").exists(), "the hub copies its log when it stops"
    content = bytearray(path.read_bytes())
    at = content.rfind(marker.encode())
    assert at >= 0, f"{marker} is not stored"
    start = at - at % PAGE_BYTES
    content[start:start + 16] = b"\xff" * 16
    path.write_bytes(content)


@pytest.fixture
def hub():
    hub = Hub().with_metrics_listener()
    yield hub
    if hub.process is not None:
        hub.stop()


def add_keys(hub, count):
    """Keys that do not fit into one page, oldest first."""
    owner = hub.client(scopes="read,write,keys")
    return [owner.post("/auth/keys", {"name": f"key number {n}"}).json() for n in range(count)]


def fill_space(client, space, count=400):
    client.push(space, [{"collection": "c", "id": f"r{n:04}", "doc": {"t": f"marker-{space}-{n:04}", "x": "x" * 300}}
                        for n in range(count)])


def expect_unavailable(answer):
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "unavailable" and int(answer.headers["Retry-After"]) > 0
    assert "database" not in answer.json()["detail"]


def ask_until_stopped(hub, answers, ask):
    """Asks so many times, which is answered, and once more, which stops the hub; returns its exit code."""
    for _ in range(answers):
        expect_unavailable(ask())
    with pytest.raises(requests.ConnectionError):
        ask()
    code = hub.process.wait(timeout=30)
    hub.process.stdout.close()
    hub.process = None
    return code


def test_a_key_that_cannot_be_read_gets_503_and_the_hub_stops_if_that_repeats(hub):
    hub.start()
    keys = add_keys(hub, 60)
    assert hub.stop() == 0
    damage_page_of(hub, '"label":"key number 30"')  # the row of the key, not of the audit log
    hub.start()
    lost, good = (Client(hub.url, keys[n]["key"]) for n in (30, 0))
    assert good.get("/v1/me").status_code == 200
    assert requests.get(hub.url + "/ready").status_code == 200

    expect_unavailable(lost.get("/v1/me"))

    ready = requests.get(hub.url + "/ready")
    assert ready.status_code == 503 and "malformed" in ready.json()["detail"]
    assert requests.get(hub.url + "/health").json()["database"] == "failing"
    assert 'syncline_failed_reads{kind="accounts"} 1' in hub.metrics()
    assert good.get("/v1/me").status_code == 200, "others are served"
    assert ask_until_stopped(hub, 3, lambda: lost.get("/v1/me")) == DAMAGED
    assert "syncline verify" in hub.log_text()
    code, out, _ = cli("verify", data=hub.data, check=False)
    assert code == 1 and "malformed" in out, out


def test_a_space_that_cannot_be_read_gets_503_and_its_writes_too(hub):
    hub.start()
    client = hub.client()
    fill_space(client, "damaged")
    client.push("whole", [{"collection": "c", "id": "1", "doc": {"t": "whole"}}])
    assert hub.stop() == 0
    damage_page_of(hub, "marker-damaged-0200")
    hub.start()
    client = Client(hub.url, client.key)

    expect_unavailable(client.get("/v1/spaces/damaged/records/c/r0200"))
    expect_unavailable(client.post("/v1/spaces/damaged/push", {"ops": [{"collection": "c", "id": "r0200", "doc": {}}]}))

    assert 'syncline_failed_reads{kind="spaces"} 2' in hub.metrics()
    assert client.get("/v1/spaces/damaged/records/c/r0001").json()["doc"]["t"] == "marker-damaged-0001"
    assert client.all_changes("whole")[0]["doc"] == {"t": "whole"}
    client.push("whole", [{"collection": "c", "id": "2", "doc": {}}])
    assert ask_until_stopped(hub, 2, lambda: client.get("/v1/spaces/damaged/records/c/r0200")) == DAMAGED


def test_a_store_that_cannot_be_read_at_the_start_has_the_same_exit_code(hub):
    hub.start()
    hook = {"webhook_url": "https://app.example.org/the-only-hook", "events": ["record.changed"]}
    assert hub.client().post("/webhooks", hook).status_code == 201
    assert hub.stop() == 0
    damage_page_of(hub, "the-only-hook")  # webhooks are read at the start
    done = subprocess.run([BINARY, "hub", "--data", str(hub.data), "--listen", "127.0.0.1:0"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == DAMAGED, done.stderr
    code, out, _ = cli("verify", data=hub.data, check=False)
    assert code == 1 and "malformed" in out


def test_a_runner_outlives_a_hub_that_cannot_read_its_key(hub, tmp_path):
    hub.stay().start()
    add_keys(hub, 30)
    agent = hub.add_key(label="the key of the runner", scopes=AGENT_SCOPES)["key"]
    ide = hub.client(label="ide", scopes=IDE_SCOPES)
    add_keys(hub, 30)
    assert hub.stop() == 0
    whole = (hub.data / "syncline.db").read_bytes()
    damage_page_of(hub, '"label":"the key of the runner"')
    hub.start()
    runner = Runner(hub.url, agent, tmp_path).start(is_accepted=False)
    try:
        wait_until(lambda: "hub_away" in runner.log_text(), "it is answered 503")
        hub.kill()
        for suffix in ("-wal", "-shm"):
            Path(f"{hub.data}/syncline.db{suffix}").unlink(missing_ok=True)
        (hub.data / "syncline.db").write_bytes(whole)
        hub.start()
        made = Client(hub.url, ide.key).post("/command", {"type": "execute_bash", "command": "echo still here"}).json()
        assert wait_for_end(Client(hub.url, ide.key), made["commandId"])["result"]["stdout"] == "still here\n"
    finally:
        assert runner.stop() == 0
