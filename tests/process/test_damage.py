"""Bits that rot in the file of a hub or of a node: what is said, what goes on, and who heals it."""
import json
import subprocess

import pytest
from harness import BINARY, Hub, cli, wait_until
from node_harness import Node

RECORDS = 300


@pytest.fixture
def hub():
    hub = Hub().stay().start()
    yield hub
    hub.stop()


def rot(store, text):
    """Flips a bit of the text, which must stand in the file once."""
    data = bytearray(store.read_bytes())
    assert data.count(text) == 1, data.count(text)
    data[data.index(text) + 3] ^= 4
    store.write_bytes(data)


def content(api):
    """Documents by id; the damaged ones are None."""
    found = {}
    for change in api.all_changes("notes"):
        if not change["collection"].startswith("syncline."):
            found[change["id"]] = None if change.get("damaged") else change["doc"]
    return found


def write_all(api):
    answer = api.post("/v1/spaces/notes/push", {"ops": [
        {"collection": "items", "id": f"r{number}", "doc": {"text": f"the text of number {number}."}}
        for number in range(RECORDS)]})
    assert answer.status_code == 200, answer.text
    return {f"r{number}": {"text": f"the text of number {number}."} for number in range(RECORDS)}


def test_a_damaged_record_is_named_costs_no_other_and_is_healed_by_a_device(hub, tmp_path):
    key = hub.add_key()["key"]
    has_it, new = Node().start(), Node().start()
    try:
        expected = write_all(has_it.api)
        has_it.connect(hub.url, key)
        wait_until(has_it.is_in_sync, "the node has sent everything")
        has_it.stop()  # else it may heal the record before we have looked
        hub.stop()
        rot(hub.data / "syncline.db", b"the text of number 77.")
        hub.start()

        code, text, _ = cli("verify", "--json", data=hub.data, check=False)
        verdict = json.loads(text)
        assert code == 1 and verdict["damaged_rows"] == 1
        named = verdict["damaged"][0]
        assert (named["table"], named["space"], named["collection"], named["id"]) == ("record", "notes", "items", "r77")
        assert "syncline_damaged_rows 1" in hub.metrics()
        assert '"event":"damaged_row"' in hub.log_text() and '"id":"r77"' in hub.log_text()

        done = subprocess.run([BINARY, "export", "--hub", hub.url, "-o", str(tmp_path / "all.ndjson"), "notes"],
                              capture_output=True, text=True, timeout=120, env={"SYNCLINE_KEY": key})
        assert done.returncode == 0 and "1 records are damaged" in done.stderr, done.stderr
        lines = [json.loads(line) for line in (tmp_path / "all.ndjson").read_text().splitlines()]
        assert sum(1 for line in lines if line.get("damaged")) == 1
        code, text, error = cli("backup", str(tmp_path / "copy.db"), "--json", data=hub.data, check=False)
        assert code == 0 and json.loads(text)["damaged_rows"] == 1

        new.connect(hub.url, key)
        others = {name: doc for name, doc in expected.items() if name != "r77"}
        wait_until(lambda: {name: doc for name, doc in content(new.api).items() if name != "r77"} == others,
                   "a new node has all others")

        has_it.start()
        wait_until(lambda: content(new.api) == expected, "the record comes back to the new node")
        assert content(hub.client()) == expected
        assert cli("verify", data=hub.data)[0] == 0
        assert "syncline_damaged_rows 0" in hub.metrics()
    finally:
        has_it.stop()
        new.stop()


def test_a_damaged_record_of_a_node_comes_again_from_its_hub(hub):
    key = hub.add_key()["key"]
    node = Node().start()
    try:
        expected = write_all(node.api)
        node.connect(hub.url, key)
        wait_until(node.is_in_sync, "the node has sent everything")
        node.stop()
        rot(node.profile / "syncline.db", b"the text of number 77.")
        node.start()
        assert content(node.api)["r77"] is None
        hub.client().push("notes", [{"collection": "items", "id": "another", "doc": {}}])
        expected["another"] = {}
        wait_until(lambda: content(node.api) == expected, "the record comes back with the next pull")
        assert content(hub.client()) == expected
    finally:
        node.stop()


def test_a_damaged_key_is_no_invalid_key(hub):
    client = hub.client()
    hub.stop()
    rot(hub.data / "syncline.db", b'"scopes":"read,')
    hub.start()
    answer = client.get("/v1/me")
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "damaged"
