"""A node at the cloud that Kaisho publishes, which knows nothing of /v1, and at our own hub's /kaisho."""
import time
import uuid
from datetime import timedelta

import pytest
from harness import Hub, wait_until
from originals import KaishoCloud, millis, now


DAY = timedelta(days=1)


@pytest.fixture
def cloud():
    cloud = KaishoCloud()
    yield cloud
    cloud.stop()


def sync(node):
    answer = node.api.post("/api/cloud-sync/sync-now", {})
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(node, section):
    answer = node.api.get(f"/api/{section}")
    assert answer.status_code == 200, answer.text
    return {row["id"]: row for row in answer.json()}


def clock(node, **fields):
    """Books an entry; returns its id."""
    entry = {"start": "2026-11-22T08:00:00Z", "end": "2026-11-22T09:00:00Z", **fields}
    identifier = str(uuid.uuid4())
    answer = node.api.post("/v1/spaces/kaisho/push",
                           {"ops": [{"collection": "entries", "id": identifier, "doc": entry}]})
    assert answer.status_code == 200, answer.text
    return identifier


def entry_of(node, identifier):
    """The entry as the device shows it; None if it does not."""
    entries = node.api.get("/api/clocks/entries?from=2020-01-01&to=2100-01-01").json()
    return next((entry for entry in entries if entry["id"] == identifier), None)


def test_two_devices_sync_through_kaishos_cloud(cloud, nodes):
    a, b = nodes
    entry = clock(a, description="before there was a cloud", customer="Acme")
    task = a.api.post("/api/tasks", {"title": "write", "customer": "Acme"}).json()["id"]
    assert a.connect(cloud.url + "/", cloud.key)["dialect"] == "kaisho"
    assert cloud.rows["entries"][entry]["description"] == "before there was a cloud"
    assert cloud.rows["tasks"][task]["title"] == "write"

    b.connect(cloud.url, cloud.key)
    assert entry_of(b, entry)["customer"] == "Acme" and rows(b, "tasks")[task]["title"] == "write"
    assert cloud.acked >= {entry, task}

    # What is written goes out by itself, what others wrote comes with the next cycle.
    b.api.patch(f"/api/tasks/{task}", {"title": "rewrite"})
    wait_until(lambda: cloud.rows["tasks"][task]["title"] == "rewrite", "the change at the cloud")
    assert sync(a)["pulled_up"] == 1
    assert rows(a, "tasks")[task]["title"] == "rewrite"

    a.api.delete(f"/api/clocks/{entry}")
    wait_until(lambda: cloud.rows["entries"][entry].get("deleted_at"), "the deletion at the cloud")
    assert sync(b)["pulled_del"] == 1
    assert entry_of(b, entry) is None

    for node in nodes:
        wait_until(lambda node=node: node.status()["kaisho"]["state"] == "in_sync", "rest")
        status = node.api.get("/api/cloud-sync/status").json()
        assert status["connected"] and status["dialect"] == "kaisho" and status["plan"] == "pro"
        assert status["last_pull_cursor"].startswith("20")
        assert any("only time tracking" in limit for limit in status["limits"])


def test_the_later_of_two_edits_wins_and_the_other_is_kept(cloud, nodes):
    a, b = nodes
    note = a.api.post("/api/notes", {"title": "first"}).json()["id"]
    a.connect(cloud.url, cloud.key)
    b.connect(cloud.url, cloud.key)
    cloud.is_down = True
    a.api.patch(f"/api/notes/{note}", {"title": "of a"})
    time.sleep(0.01)
    b.api.patch(f"/api/notes/{note}", {"title": "of b"})
    wait_until(lambda: "503" in a.status()["kaisho"]["reason"], "the reason")
    assert a.status()["kaisho"]["pending"] == 1
    cloud.is_down = False
    sync(b)
    sync(a)  # pulls first, and finds a later edit
    sync(b)
    assert rows(a, "notes")[note]["title"] == rows(b, "notes")[note]["title"] == "of b"
    assert cloud.rows["notes"][note]["title"] == "of b"
    lost = a.api.get("/v1/spaces/kaisho/conflicts").json()["conflicts"]
    assert [conflict["loser"]["doc"]["title"] for conflict in lost] == ["of a"]
    assert a.status()["kaisho"]["pending"] == 0


def test_a_sync_with_nothing_new_changes_nothing(cloud, nodes):
    a, b = nodes
    for count in range(3):
        a.api.post("/api/inbox", {"title": f"thing {count}"})
    a.connect(cloud.url, cloud.key)
    b.connect(cloud.url, cloud.key)
    before = {identifier: dict(row) for identifier, row in cloud.rows["inbox"].items()}
    heads = [node.api.get("/v1/spaces/kaisho/changes?limit=100").json()["cursor"] for node in nodes]
    for _ in range(3):
        for node in nodes:
            assert sync(node)["pushed_live"] == 0
    assert cloud.rows["inbox"] == before
    assert [node.api.get("/v1/spaces/kaisho/changes?limit=100").json()["cursor"] for node in nodes] == heads


def test_timers_of_two_devices(cloud, nodes):
    a, b = nodes
    a.connect(cloud.url, cloud.key)
    b.connect(cloud.url, cloud.key)
    first = a.api.post("/api/clocks/start", {"description": "first"}).json()["id"]
    wait_until(lambda: (cloud.running() or {}).get("id") == first, "the timer at the cloud")
    a.api.patch(f"/api/clocks/{first}", {"notes": "typed while it runs"})
    wait_until(lambda: cloud.rows["entries"][first]["notes"] == "typed while it runs", "its notes at the cloud")

    # b has not heard of it, and starts another one later.
    second = b.api.post("/api/clocks/start", {"description": "second"}).json()["id"]
    wait_until(lambda: (cloud.running() or {}).get("id") == second, "the later timer at the cloud")
    for node in (b, a, b, a):
        sync(node)
    for node in nodes:
        assert entry_of(node, first)["end"] and entry_of(node, first)["notes"] == "typed while it runs"
        assert entry_of(node, second)["end"] is None
    assert cloud.running()["id"] == second
    b.api.post("/api/clocks/stop", {})
    wait_until(lambda: cloud.running() is None, "the stop at the cloud")
    sync(a)
    assert entry_of(a, second)["end"]


def test_a_timer_started_offline_keeps_its_notes(cloud, nodes):
    node = nodes[0]
    timer = node.api.post("/api/clocks/start", {"description": "alone"}).json()["id"]
    node.api.patch(f"/api/clocks/{timer}", {"notes": "from before"})
    node.connect(cloud.url, cloud.key)
    assert cloud.rows["entries"][timer]["notes"] == "from before"
    for _ in range(2):
        sync(node)
    assert entry_of(node, timer)["notes"] == "from before"
    assert node.status()["kaisho"]["pending"] == 0


def put_entry(cloud, **fields):
    """As another device's row stands at the cloud; returns its id."""
    identifier = str(uuid.uuid4())
    cloud.rows["entries"][identifier] = {
        "id": identifier, "customer": None, "description": "", "start": millis(now()), "end": millis(now()),
        "task_id": None, "contract": None, "notes": "", "invoiced": False, "deleted_at": None, "updated_at": now(),
        **fields}
    return identifier


def test_phone_entries_are_pending_until_they_have_a_customer(cloud, nodes):
    put_entry(cloud, description="from the phone")
    node = nodes[0]
    node.connect(cloud.url, cloud.key)
    pending = node.api.get("/api/cloud-sync/pending").json()
    assert [entry["description"] for entry in pending] == ["from the phone"]
    answer = node.api.post("/api/cloud-sync/triage",
                           {"entries": [{"start": pending[0]["start"], "customer": "Acme"}]})
    assert answer.json() == {"updated": 1}
    wait_until(lambda: cloud.rows["entries"][pending[0]["sync_id"]]["customer"] == "Acme", "the customer at the cloud")


def test_one_row_that_the_cloud_cannot_store_does_not_block_others(cloud, nodes):
    a, b = nodes
    ops = [{"collection": "notes", "id": f"n{count}", "doc": {"title": f"note {count}"}} for count in range(1300)]
    for start in range(0, len(ops), 400):
        assert a.api.post("/v1/spaces/kaisho/push", {"ops": ops[start:start + 400]}).status_code == 200
    bad = clock(a, description="breaks the service")
    project = a.api.post("/api/projects", {"name": "unknown to 1.7.3"}).json()["id"]
    a.connect(cloud.url, cloud.key)
    assert len(cloud.rows["notes"]) == 1300
    b.connect(cloud.url, cloud.key)
    assert len(rows(b, "notes")) == 1300 and project not in rows(b, "projects")
    assert bad not in cloud.rows["entries"]
    wait_until(lambda: "rejected 1 change" in a.status()["kaisho"]["reason"], "the rejected change in the status")
    # Once it can be stored it goes out.
    a.api.patch(f"/api/clocks/{bad}", {"description": "mended"})
    wait_until(lambda: bad in cloud.rows["entries"], "the mended entry at the cloud")
    wait_until(lambda: a.status()["kaisho"]["state"] == "in_sync", "rest")


def test_more_rows_of_one_millisecond_than_a_page_do_not_block_sync(cloud, nodes):
    stamp = now()
    for count in range(cloud.ROWS_MAX + 100):
        put_entry(cloud, description=f"import {count}", updated_at=stamp)
    later = put_entry(cloud, description="later")
    node = nodes[0]
    node.api.post("/api/notes", {"title": "goes out all the same"})
    node.connect(cloud.url, cloud.key)
    assert [row["title"] for row in cloud.rows["notes"].values()] == ["goes out all the same"]
    assert entry_of(node, later)
    asked = len([path for _, path in cloud.requests if path == "/sync/changes"])
    assert sync(node)["error"] is None
    assert len([path for _, path in cloud.requests if path == "/sync/changes"]) == asked + 1
    assert "rows_cannot_be_read" in node.log_text()


def test_a_restarted_device_handles_an_older_cloud_version(cloud, nodes):
    node = nodes[0]
    note = node.api.post("/api/notes", {"title": "new"}).json()["id"]
    node.connect(cloud.url, cloud.key)
    wait_until(lambda: node.status()["kaisho"]["state"] == "in_sync", "in sync")
    node.stop()
    # The cloud was restored, and another desktop brought the version before; its cursor is that of a new row.
    old = dict(cloud.rows["notes"][note], title="old", updated_at=cloud.rows["notes"][note]["updated_at"] - DAY)
    cloud.rows["notes"][note] = old
    cloud.changes = lambda name, query: (200, {"cursor": millis(now()), "has_more": False, "entries": (
        [cloud.shown(old)] if name == "notes" else [])})
    node.start()
    wait_until(lambda: cloud.rows["notes"][note]["title"] == "new", "the newer version at the cloud")
    assert rows(node, "notes")[note]["title"] == "new" and sync(node)["error"] is None


def test_the_end_of_one_timer_and_the_start_of_the_next_in_one_push(cloud, nodes):
    node = nodes[0]
    node.connect(cloud.url, cloud.key)
    first = node.api.post("/api/clocks/start", {"description": "first"}).json()["id"]
    wait_until(lambda: (cloud.running() or {}).get("id") == first, "the timer at the cloud")
    cloud.is_down = True
    node.api.post("/api/clocks/stop", {})
    second = node.api.post("/api/clocks/start", {"description": "second"}).json()["id"]
    node.api.patch(f"/api/clocks/{first}", {"notes": "written afterwards"})
    cloud.is_down = False
    wait_until(lambda: (cloud.running() or {}).get("id") == second, "the second timer at the cloud")
    for _ in range(2):
        sync(node)
    assert entry_of(node, first)["notes"] == cloud.rows["entries"][first]["notes"] == "written afterwards"


def test_successive_edits_of_one_device_cause_no_conflict(cloud, nodes):
    node = nodes[0]
    node.connect(cloud.url, cloud.key)
    note = node.api.post("/api/notes", {"title": "v0"}).json()["id"]
    for version in range(1, 4):
        wait_until(lambda: note in cloud.rows["notes"], "the note at the cloud")
        node.api.patch(f"/api/notes/{note}", {"title": f"v{version}"})
        wait_until(lambda version=version: cloud.rows["notes"][note]["title"] == f"v{version}", "the edit at the cloud")
    assert node.api.get("/v1/spaces/kaisho/conflicts").json()["conflicts"] == []


def test_a_resource_may_be_missing_temporarily_or_appear_later(cloud, nodes):
    a, b = nodes
    note = a.api.post("/api/notes", {"title": "one"}).json()["id"]
    project = a.api.post("/api/projects", {"name": "older than the resource"}).json()["id"]
    a.connect(cloud.url, cloud.key)
    changes = cloud.GET_sync_notes_changes
    cloud.GET_sync_notes_changes = lambda query, body: (404, {"error": "a proxy in trouble"})
    a.api.patch(f"/api/notes/{note}", {"title": "two"})
    a.api.post("/api/tasks", {"title": "meanwhile"})
    wait_until(lambda: "404" in a.status()["kaisho"]["reason"], "the reason")
    cloud.GET_sync_notes_changes = changes
    wait_until(lambda: cloud.rows["notes"][note]["title"] == "two", "the note at the cloud")

    cloud.add_resource("projects", "_projects")
    sync(a)
    assert cloud.rows["projects"][project]["name"] == "older than the resource"
    b.connect(cloud.url, cloud.key)
    assert project in rows(b, "projects")


def test_rows_unsupported_by_the_cloud_are_not_pending(cloud, nodes):
    node = nodes[0]
    node.api.post("/api/projects", {"name": "unknown to 1.7.3"})
    node.connect(cloud.url, cloud.key)
    wait_until(lambda: node.status()["kaisho"]["state"] == "in_sync", "rest")
    assert node.status()["kaisho"]["pending"] == 0
    before = len(cloud.requests)
    time.sleep(3)  # whatever waited would be tried again after two seconds, a fifth more or less
    assert len(cloud.requests) <= before + 1  # the status asks for the account
    node.stop()
    node.start()
    wait_until(lambda: node.status()["kaisho"]["state"] == "in_sync", "rest after a restart")
    assert node.status()["kaisho"]["pending"] == 0


def test_moving_from_kaishos_cloud_to_a_hub(cloud, nodes):
    a, b = nodes
    a.api.post("/api/notes", {"title": "kept"})
    project = a.api.post("/api/projects", {"name": "kept too"}).json()["id"]
    a.connect(cloud.url, cloud.key)
    hub = Hub().start()
    try:
        client = hub.client(email="ann@example.org")
        assert a.connect(hub.url, client.key)["dialect"] == "native"
        b.connect(hub.url, client.key)
        wait_until(lambda: project in rows(b, "projects"), "all of it at the own hub")
        assert [row["title"] for row in rows(b, "notes").values()] == ["kept"]
        assert a.api.get("/api/cloud-sync/status").json()["limits"] == []
    finally:
        hub.stop()


def test_disconnect_wipes_the_cloud_only_after_a_successful_pull(cloud, nodes):
    node = nodes[0]
    note = node.api.post("/api/notes", {"title": "stays here"}).json()["id"]
    node.connect(cloud.url, cloud.key)
    assert node.api.post("/api/cloud-sync/disconnect", {"wipe": True}).json() == {
        "ok": True, "wiped": True, "pull_error": None, "wipe_error": None}
    assert cloud.rows["notes"] == {} and note in rows(node, "notes")


def test_a_node_syncs_with_our_hub_in_kaishos_dialect(shared_hub, nodes):
    """Below /kaisho a hub speaks Kaisho's API alone, with other cursors and stamps than the original."""
    a, b = nodes
    key = shared_hub.client(email="ann@example.org").key
    entry = clock(a, description="one", customer="Acme")
    project = a.api.post("/api/projects", {"name": "kept"}).json()["id"]
    for node in nodes:
        assert node.connect(shared_hub.url + "/kaisho", key)["dialect"] == "kaisho"
    assert entry_of(b, entry)["customer"] == "Acme" and project in rows(b, "projects")

    timer = a.api.post("/api/clocks/start", {"description": "runs"}).json()["id"]
    a.api.patch(f"/api/clocks/{timer}", {"notes": "typed"})
    wait_until(lambda: a.status()["kaisho"]["pending"] == 0, "the timer at the hub")
    later = b.api.post("/api/clocks/start", {"description": "runs instead"}).json()["id"]
    for node in (b, a, b, a):
        sync(node)
    for node in nodes:
        assert entry_of(node, timer)["end"] and entry_of(node, timer)["notes"] == "typed"
        assert entry_of(node, later)["end"] is None
    a.api.delete(f"/api/projects/{project}")
    sync(a)
    assert sync(b)["pulled_del"] == 1 and project not in rows(b, "projects")
    for _ in range(2):
        for node in nodes:
            report = sync(node)
            assert report["pushed_live"] == report["pushed_del"] == 0
    for node in nodes:
        assert node.status()["kaisho"]["conflicts"] == 0
