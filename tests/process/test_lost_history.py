"""A hub that lost commits, or that goes on from an older copy: everybody notices, and devices give back what they have."""
import json
import shutil
import threading
from pathlib import Path

import pytest
import requests
from harness import Client, Hub, cli, wait_until
from node_harness import Node, Wire

COMMITS = 300


@pytest.fixture
def hub():
    hub = Hub(arguments=["--log-level", "info"]).stay().start()
    yield hub
    hub.stop()


def live(api):
    """The documents of the space by id."""
    return {change["id"]: change["doc"] for change in api.all_changes("notes")
            if not change["deleted"] and change["collection"] == "items"}


def push(api, *identifiers):
    return api.push("notes", [{"collection": "items", "id": each, "doc": {"text": each}} for each in identifiers])


def connect(node, url, key):
    node.api.post("/v1/spaces/notes/push", {"ops": []})
    node.connect(url, key)


def history(data):
    """What the doctor says of the store's history."""
    checks = json.loads(cli("doctor", "--json", data=data, check=False)[1])["checks"]
    return {check["check"]: check for check in checks}["history"]


def test_a_hub_whose_directory_was_replaced_by_an_older_copy_gets_everything_back(hub):
    client = hub.client()
    wires = [Wire(hub.port) for _ in range(2)]
    nodes = [Node().start() for _ in range(2)]
    copy = Path(f"{hub.data}.copy")
    try:
        for node, wire in zip(nodes, wires):
            connect(node, wire.url, client.key)
        push(nodes[0].api, *(f"early{number}" for number in range(100)))
        wait_until(lambda: all(len(live(node.api)) == 100 for node in nodes), "both nodes have the first records")

        hub.stop()
        shutil.copytree(hub.data, copy)
        hub.start()
        for index, node in enumerate(nodes):
            push(node.api, *(f"lost{index}-{number}" for number in range(10)))
        wait_until(lambda: len(live(client)) == 120 and all(len(live(node.api)) == 120 for node in nodes),
                   "all have all")
        wait_until(lambda: all(node.is_in_sync() for node in nodes), "the nodes are in sync")

        for wire in wires:
            wire.cut()
        hub.stop()
        shutil.rmtree(hub.data)
        copy.rename(hub.data)
        hub.start()
        assert len(live(client)) == 100, "the hub went back"
        # Somebody else writes first: the numbers of the lost changes now mean others.
        for number in range(30):
            push(client, f"other{number}")
        for wire in wires:
            wire.mend()

        wait_until(lambda: len(live(client)) == 150, "the hub has everything again", 90)
        wait_until(lambda: all(node.is_in_sync() and live(node.api) == live(client) for node in nodes),
                   "the nodes have everything too", 90)
        assert "store_went_back" in hub.log_text(), "the operator reads of it"
        ready = client.get("/ready")
        assert ready.status_code == 200 and "an older copy" in ready.json()["detail"], ready.text
        assert history(hub.data)["state"] == "warning"
    finally:
        for node in nodes:
            node.stop()
        for wire in wires:
            wire.close()


class Noise(threading.Thread):
    """Pushes to another space until the hub is gone: a hub at work, whose log holds its newest commits."""

    def __init__(self, client):
        super().__init__()
        self.client = Client(client.url, client.key)

    def run(self):
        number = 0
        try:
            while True:
                self.client.push("noise", [{"collection": "c", "id": str(number % 5), "doc": {"n": number}}])
                number += 1
        except (requests.RequestException, AssertionError):
            return


def content_of(log):
    """Without the room at its end, which is zeros."""
    return log.read_bytes().rstrip(b"\0")


def damage_by_flipping(percent):
    def damage(log):
        content = bytearray(content_of(log))
        content[len(content) * percent // 100] ^= 4
        log.write_bytes(content)
    return damage


def damage_by_cutting(percent):
    def damage(log):
        content = content_of(log)
        log.write_bytes(content[:len(content) * percent // 100])
    return damage


@pytest.mark.parametrize("damage", [damage_by_flipping(20), damage_by_flipping(50), damage_by_flipping(90),
                                    damage_by_cutting(20), damage_by_cutting(50), damage_by_cutting(90)],
                         ids=["flip20", "flip50", "flip90", "cut20", "cut50", "cut90"])
def test_a_hub_whose_log_was_damaged_notices_and_gets_everything_back(hub, damage):
    client = hub.client()
    hub.stop()  # what came before is in the database
    hub.start()
    node = Node().start()
    noise = Noise(client)
    try:
        connect(node, hub.url, client.key)
        noise.start()
        for number in range(COMMITS):
            push(client, f"r{number}")
        wait_until(lambda: len(live(node.api)) == COMMITS and node.is_in_sync(["notes"]),
                   "the node has all records")
        epoch = push(client)["cursor"].split(".")[0].split("-")[0]
        hub.kill()
        noise.join()
        damage(Path(hub.data) / "syncline.db-wal")
        hub.start()

        ready = client.get("/ready")
        assert ready.status_code == 200, ready.text
        assert ready.json()["status"] == "degraded" and "missing" in ready.json()["detail"], ready.text
        assert "store_lost_commits" in hub.log_text()
        assert history(hub.data)["state"] == "warning"
        assert push(client)["cursor"].split(".")[0].split("-")[0] not in (epoch, "")
        assert json.loads(cli("verify", "--json", data=hub.data)[1])["ok"]

        wait_until(lambda: len(live(client)) == COMMITS, "the hub has everything again", 90)
        wait_until(lambda: node.is_in_sync() and live(node.api) == live(client), "the node is in sync", 90)
    finally:
        node.stop()


def test_a_hub_that_was_only_killed_keeps_its_history(hub):
    client = hub.client()
    push(client, "a")
    cursor = push(client, "b")["cursor"]
    hub.kill()
    hub.start()
    assert client.get("/ready").json() == {"status": "ready"}
    assert history(hub.data)["state"] == "ok"
    assert client.get(f"/v1/spaces/notes/changes?since={cursor}").status_code == 200
    push(client, "c")
    assert client.get(f"/v1/spaces/notes/changes?since={cursor}").json()["changes"][0]["id"] == "c"
