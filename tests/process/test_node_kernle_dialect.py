"""A node at the backend that Kernle publishes, which knows nothing of /v1, and at our own hub's /kernle."""
import time

import pytest
from harness import wait_until
from originals import KernleBackend


@pytest.fixture
def backend():
    backend = KernleBackend()
    yield backend
    backend.stop()


def add(node, agent, table, **fields):
    answer = node.api.post(f"/memory/{table}?agent_id={agent}", fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def memory(node, agent, table):
    answer = node.api.get(f"/memory/{table}?agent_id={agent}")
    assert answer.status_code == 200, answer.text
    return {record["id"]: record for record in answer.json()["records"]}


def full(node, agent="claire"):
    answer = node.api.post("/sync/full", {"agent_id": agent})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_two_devices_sync_through_kernles_backend(backend, nodes):
    a, b = nodes
    note = add(a, "claire", "notes", content="from a", tags=["one"])
    assert a.connect(backend.url, backend.key)["dialect"] == "kernle"
    assert ("claire", "notes", note) in backend.records
    b.connect(backend.url, backend.key)
    full(b)
    assert memory(b, "claire", "notes")[note]["content"] == "from a"

    # Both add a tag, b also changes the text, later.
    backend.is_down = True
    a.api.patch(f"/memory/notes/{note}?agent_id=claire", {"tags": ["one", "of a"]})
    time.sleep(0.01)
    b.api.patch(f"/memory/notes/{note}?agent_id=claire", {"content": "from b", "tags": ["one", "of b"]})
    backend.is_down = False
    for node in (a, b, a, b):
        full(node)
    for node in nodes:
        record = memory(node, "claire", "notes")[note]
        assert record["content"] == "from b" and sorted(record["tags"]) == ["of a", "of b", "one"]
    stored = backend.records[("claire", "notes", note)]["data"]
    assert stored["content"] == "from b" and sorted(stored["tags"]) == ["of a", "of b", "one"]
    # Then there is rest: what comes twice because a pull looks back changes nothing.
    pushes = backend.requests.count(("POST", "/sync/push"))
    for node in nodes:
        full(node)
    assert backend.requests.count(("POST", "/sync/push")) == pushes
    profile = a.api.get("/profiles").json()["profiles"][0]
    assert profile["dialect"] == "kernle" and any("only the memory of agents" in limit for limit in profile["limits"])
    assert a.status()["kaisho"]["reason"] == "stays on this device: the hub speaks kernle only"


def test_more_changes_than_kernles_backend_delivers_at_once(backend, nodes):
    a, b = nodes
    ops = [{"collection": "notes", "id": f"n{count}", "doc": {"content": f"note {count}"}} for count in range(1500)]
    for start in range(0, len(ops), 500):
        assert a.api.post("/v1/spaces/kernle%2Fclaire/push", {"ops": ops[start:start + 500]}).status_code == 200
    a.connect(backend.url, backend.key)
    assert len(backend.records) == 1500
    add(b, "claire", "episodes", objective="of b", outcome="done")
    b.connect(backend.url, backend.key)
    full(b)
    assert len(memory(b, "claire", "notes")) >= 100
    head = b.api.get("/v1/spaces/kernle%2Fclaire/changes?limit=2000").json()
    assert len([one for one in head["changes"] if one["collection"] == "notes"]) == 1500


def test_records_erased_by_kernles_backend_are_kept_as_conflicts(backend, nodes):
    node = nodes[0]
    note = add(node, "claire", "notes", content="one")
    node.connect(backend.url, backend.key)
    backend.records[("claire", "notes", note)]["deleted"] = True  # by another device, and nobody was told
    node.api.patch(f"/memory/notes/{note}?agent_id=claire", {"content": "two"})
    for _ in range(2):
        full(node)
    assert note not in memory(node, "claire", "notes")
    lost = node.api.get("/v1/spaces/kernle%2Fclaire/conflicts").json()["conflicts"]
    assert "two" in [conflict["loser"].get("doc", {}).get("content") for conflict in lost]
    pushes = backend.requests.count(("POST", "/sync/push"))
    full(node)
    assert backend.requests.count(("POST", "/sync/push")) == pushes


def test_an_answer_without_counts_acknowledges_nothing(backend, nodes):
    node = nodes[0]
    node.connect(backend.url, backend.key)
    backend.forgets_to_count = True
    add(node, "claire", "notes", content="one")
    wait_until(lambda: "what was stored" in node.status()["kernle/claire"]["reason"], "the reason")
    assert node.status()["kernle/claire"]["pending"] == 1
    backend.forgets_to_count = False
    wait_until(lambda: node.status()["kernle/claire"]["state"] == "in_sync", "in sync")


def test_changes_rejected_by_kernles_backend_are_listed_and_kept(backend, nodes):
    node = nodes[0]
    good = add(node, "claire", "notes", content="good")
    bad = add(node, "claire", "notes", content="bad", unknown_column=1)
    node.connect(backend.url, backend.key)
    assert ("claire", "notes", good) in backend.records and ("claire", "notes", bad) not in backend.records
    letters = node.api.get("/sync/deadletters?agent_id=claire").json()
    assert "Database error" in str(letters) or "refused" in node.status()["kernle/claire"]["reason"]
    assert bad in memory(node, "claire", "notes")


@pytest.mark.long
def test_an_expired_session_is_renewed_and_a_revoked_key_is_reported(backend, nodes):
    node = nodes[0]
    add(node, "claire", "notes", content="one")
    node.connect(backend.url, backend.key)
    logins = backend.requests.count(("POST", "/auth/login"))
    backend.tokens.clear()
    wait_until(lambda: node.api.post("/sync/full", {"agent_id": "claire"}).status_code == 200, "a new session",
               deadline_s=20)
    assert backend.requests.count(("POST", "/auth/login")) > logins
    backend.tokens.clear()
    backend.key = "knl_sk_another"
    second = add(node, "claire", "notes", content="two")
    wait_until(lambda: node.status()["kernle/claire"]["state"] == "reauth", "the state", deadline_s=20)
    assert "does not accept the key" in node.status()["kernle/claire"]["reason"]
    assert second in memory(node, "claire", "notes")


def test_a_node_syncs_with_our_hub_in_kernles_dialect(shared_hub, nodes):
    a, b = nodes
    key = shared_hub.client(email="bob@example.org").key
    notes = [add(a, "claire", "notes", content=f"note {count}", tags=["one"]) for count in range(3)]
    for node in nodes:
        assert node.connect(shared_hub.url + "/kernle", key)["dialect"] == "kernle"
    full(b)
    assert set(memory(b, "claire", "notes")) == set(notes)
    a.api.delete(f"/memory/notes/{notes[0]}?agent_id=claire")
    b.api.patch(f"/memory/notes/{notes[1]}?agent_id=claire", {"tags": ["one", "of b"]})
    a.api.patch(f"/memory/notes/{notes[1]}?agent_id=claire", {"tags": ["one", "of a"]})
    for node in (a, b, a, b):
        full(node)
    for node in nodes:
        found = memory(node, "claire", "notes")
        assert set(found) == set(notes[1:]) and sorted(found[notes[1]]["tags"]) == ["of a", "of b", "one"]
