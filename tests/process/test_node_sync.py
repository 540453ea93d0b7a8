"""Nodes and a hub as real processes: how fast a change travels, what faults do, and that nothing is lost."""
import os
import random
import statistics
import subprocess
import time

import pytest
from harness import SLOW, Hub, Waiting, cli, wait_until
from node_harness import Node, Wire

# A longer storm on demand: SYNCLINE_CHAOS_SECONDS=300.
CHAOS_S = float(os.environ.get("SYNCLINE_CHAOS_SECONDS", 20))


def write(node, identifier, text):
    answer = node.api.post(f"/v1/spaces/notes/push", {"ops": [{"collection": "items", "id": identifier,
                                                               "doc": {"text": text}}]})
    assert answer.status_code == 200, answer.text


def content(api):
    """Live records of the space by id."""
    return {change["id"]: (change["doc"], change["updated_at"]) for change in api.all_changes("notes")
            if not change["deleted"] and change["collection"] == "items"}


def conflicts(api):
    found, after = [], "0"
    while True:
        page = api.get(f"/v1/spaces/notes/conflicts?state=all&limit=500&after={after}").json()["conflicts"]
        if not page:
            return found
        found += page
        after = page[-1]["id"]


def connect(hub, count, key):
    nodes = [Node().start() for _ in range(count)]
    for node in nodes:
        node.api.post("/v1/spaces/notes/push", {"ops": []})
        node.connect(hub.url, key)
    return nodes


@pytest.mark.alone
def test_a_change_reaches_the_other_device_at_once(hub):
    client = hub.client()
    spaces = [f"notes{number}" for number in range(10)]
    for space in spaces:
        client.push(space, [{"collection": "items", "id": "first", "doc": {"text": "x"}}])
    near, far = connect(hub, 2, client.key)
    try:
        for node in (near, far):
            wait_until(lambda: all(len(node.api.all_changes(space)) == 1 for space in spaces), "the spaces are followed")

        def measure(number):
            """Milliseconds from a write on one device until the other shows it, in each space."""
            time.sleep(2.2)  # out of the windows of the last ones
            times = []
            for space in spaces:
                cursor = far.api.get(f"/v1/spaces/{space}/changes?limit=5000").json()["cursor"]
                waiting = Waiting(far.api, f"/v1/spaces/{space}/changes?wait=20&since={cursor}")
                began = time.monotonic()
                near.api.push(space, [{"collection": "items", "id": f"r{number}", "doc": {"text": "hello"}}])
                assert waiting.answer()[1]["changes"]
                times.append((time.monotonic() - began) * 1000)
            return times

        measure(0)  # the first ones open connections
        # Other work on the machine may disturb a round, not all of them.
        rounds = [] if SLOW else [measure(1)]
        while rounds and (statistics.median(rounds[-1]) > 15 or max(rounds[-1]) > 60):
            assert len(rounds) < 3, rounds
            rounds.append(measure(len(rounds) + 1))
    finally:
        near.stop(), far.stop()


@pytest.mark.alone
def test_a_new_device_syncs_quickly_and_then_idles(hub):
    client = hub.client()
    count = 10_000 if SLOW else 100_000
    for first in range(0, count, 5000):
        client.push("notes", [{"collection": "items", "id": f"r{number:06}", "doc": {"text": "t" * 200, "n": number}}
                              for number in range(first, first + 5000)])
    node = Node().start()
    try:
        began = time.monotonic()
        node.connect(hub.url, client.key)
        wait_until(lambda: node.status().get("notes", {}).get("pulled") == count and node.is_in_sync(), "all are here",
                   120)
        took = time.monotonic() - began
        assert SLOW or took <= 10, took
        head = node.api.get("/v1/spaces").json()
        assert node.api.post("/api/cloud-sync/sync-now").json()["pulled_up"] == 0
        assert node.api.get("/v1/spaces").json() == head
    finally:
        node.stop()


def test_offline_edits_are_pushed_when_the_hub_returns(hub):
    client = hub.client()
    wire = Wire(hub.port)
    node = Node().start()
    try:
        node.api.post("/v1/spaces/notes/push", {"ops": []})
        node.connect(wire.url, client.key)
        write(node, "a", "online")
        # Acknowledged too: the cut could swallow the answer, and the edit would be pending again.
        wait_until(lambda: "a" in content(client) and node.is_in_sync(), "the first edit is there")
        wire.cut()
        for number in range(200):
            write(node, f"b{number}", "offline")
        wait_until(lambda: node.status()["notes"]["state"] == "waiting" and node.status()["notes"]["next_try"],
                   "the wait is explained")
        assert node.status()["notes"]["pending"] == 200 and node.status()["notes"]["reason"]
        node.kill()
        node.start()
        wire.mend()
        wait_until(lambda: len(content(client)) == 201, "everything is at the hub", 90)
        wait_until(node.is_in_sync, "the node says so", 90)
    finally:
        node.stop()
        wire.close()


def test_a_revoked_key_keeps_the_queue(hub):
    made = hub.add_key()
    node = Node().start()
    try:
        node.api.post("/v1/spaces/notes/push", {"ops": []})
        node.connect(hub.url, made["key"])

        cli("key", "revoke", made["id"], data=hub.data)
        write(node, "kept", "still here")
        wait_until(lambda: node.status()["notes"]["state"] == "reauth", "the state is clear")
        assert "log in again" in node.status()["notes"]["reason"]
        wait_until(lambda: node.status()["notes"]["pending"] == 1, "the edit is counted")
        client = hub.client(label="new")
        node.connect(hub.url, client.key)
        wait_until(lambda: "kept" in content(client), "the queue goes up")
    finally:
        node.stop()


def test_a_hub_from_an_old_backup_gets_everything_back(hub):
    client = hub.client()
    node = connect(hub, 1, client.key)[0]
    restored = None
    try:
        write(node, "old", "1")
        wait_until(lambda: "old" in content(client), "the first edit is there")

        backup = f"{hub.data}.backup"
        cli("backup", backup, data=hub.data)
        for number in range(50):
            write(node, f"new{number}", "2")
        wait_until(lambda: len(content(client)) == 51, "all are there")
        hub.stop()
        cli("restore", backup, data=f"{hub.data}-restored")
        restored = Hub(data=f"{hub.data}-restored")
        restored.listen = hub.listen
        restored.start()
        write(node, "after", "3")
        wait_until(lambda: len(content(client)) == 52, "the hub has all again", 90)
        wait_until(node.is_in_sync, "the node is in sync", 90)
        assert content(node.api) == content(client)
    finally:
        node.stop()
        if restored:
            restored.stop()
        hub.start()


@pytest.mark.long
def test_three_nodes_and_a_hub_through_a_storm_lose_nothing(hub):
    client = hub.client()
    chance = random.Random(7)
    wires = [Wire(hub.port) for _ in range(3)]
    nodes = [Node().start() for _ in range(3)]
    written, silent = {}, []
    try:
        for node, wire in zip(nodes, wires):
            node.api.post("/v1/spaces/notes/push", {"ops": []})
            node.connect(wire.url, client.key)
        end = time.monotonic() + CHAOS_S
        number = 0
        while time.monotonic() < end:
            who = chance.randrange(3)
            fault = chance.random()
            if fault < 0.02:
                nodes[who].kill()
                nodes[who].start()
            elif fault < 0.03:
                hub.kill()
                time.sleep(chance.random())
                hub.start()
            elif fault < 0.06:
                wires[who].cut()
            elif fault < 0.12:
                wires[who].mend()
            number += 1
            # Some records that all write to, and then others: all versions of one fit into its history.
            identifier = f"r{number // 400}-{chance.randrange(20)}"
            write(nodes[who], identifier, number)
            written[number] = identifier
            for space in nodes[who].status().values() if number % 20 == 0 else ():
                if space["state"] != "in_sync" and not space["reason"]:
                    silent.append(space)
            time.sleep(chance.random() * 0.05)
        for wire in wires:
            wire.mend()
        wait_until(lambda: all(node.is_in_sync() for node in nodes), "all are in sync", 120)
        wait_until(lambda: all(content(node.api) == content(client) for node in nodes), "all hold the same", 60)
        assert silent == []
        # Each text is current, was replaced by somebody who saw it, or is in a list of conflicts.
        seen = {record["text"] for record, _ in content(client).values()}
        for api in (client, *(node.api for node in nodes)):
            seen |= {each["loser"]["doc"]["text"] for each in conflicts(api) if "doc" in each["loser"]}
            for identifier in set(written.values()):
                history = api.get(f"/v1/spaces/notes/records/items/{identifier}/history").json()
                seen |= {version["doc"]["text"] for version in history.get("versions", []) if "doc" in version}
        assert set(written) <= seen, sorted(set(written) - seen)[:10]
    finally:
        for node in nodes:
            node.stop()
        for wire in wires:
            wire.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_device_disk_is_reported_and_the_node_recovers(hub, tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", mount], capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    client = hub.client(email="full@example.org")
    for start in range(0, 200, 50):
        client.push("notes", [{"collection": "items", "id": f"r{number}", "doc": {"text": f"{number} " + "x" * 50_000}}
                              for number in range(start, start + 50)])
    node = Node()
    node.data = mount / "data"
    try:
        node.start()
        write(node, "mine", "written before")
        node.connect(hub.url, client.key)
        wait_until(lambda: node.status()["notes"]["state"] == "waiting" and
                   ("full" in node.status()["notes"]["reason"] or "space" in node.status()["notes"]["reason"]),
                   "the reason")
        assert content(node.api)["mine"][0] == {"text": "written before"}  # reading goes on
        subprocess.run(["mount", "-o", "remount,size=128m", mount], check=True)
        wait_until(lambda: node.is_in_sync() and len(content(node.api)) == 201, "all is there", deadline_s=90)
        assert "mine" in {one["id"] for one in client.all_changes("notes")}
        assert node.stop() == 0
    finally:
        if node.process is not None:
            node.kill()
        subprocess.run(["umount", "-l", mount])


@pytest.mark.alone
def test_an_idle_node_uses_few_resources(hub):
    node = connect(hub, 1, hub.client().key)[0]
    try:
        wait_until(node.is_in_sync, "in sync")
        time.sleep(1)
        used_s = lambda: time.clock_gettime(~node.process.pid << 3 | 2)  # the clock of that process, as clock_getcpuclockid has it

        def measure():
            before, began = used_s(), time.monotonic()
            time.sleep(5)
            return (used_s() - before) / (time.monotonic() - began)

        share = measure()
        for _ in range(2):
            share = min(share, measure()) if share >= 0.002 else share
        status = open(f"/proc/{node.process.pid}/status").read()
        memory_kib = int(status.split("VmRSS:")[1].split()[0])
        if not SLOW:
            assert memory_kib < 25 * 1024, memory_kib
            assert share < 0.002, share
    finally:
        node.stop()


def test_large_documents_come_page_by_page(hub):
    """More than a node takes at once, of documents of nearly the largest kind: no page is too large for it."""
    client = hub.client()
    for number in range(6):
        client.push("notes", [{"collection": "items", "id": str(number), "doc": {"text": "x" * (14 << 20)}}])
    page = client.get("/v1/spaces/notes/changes?limit=5000")
    assert len(page.json()["changes"]) == 3 and page.json()["more"] is True
    node = Node().start()
    try:
        node.api.post("/v1/spaces/notes/push", {"ops": []})
        node.connect(hub.url, client.key)
        wait_until(lambda: node.is_in_sync(["notes"]), "the node has them")
        assert len(content(node.api)) == 6
        assert "sync_failed" not in node.log_text() and "too large" not in node.log_text()
    finally:
        node.stop()
