"""The local APIs of a node, field by field, and what a node refuses."""
import subprocess

import pytest
import requests
from harness import BINARY, Hub, cli, wait_until
from node_harness import Node
from runner_harness import ScriptedHub

# What the published text shows of each answer.
STATUS = {"enabled", "api_key_set", "url", "interval", "connected", "plan", "last_pull_cursor", "last_push_cursor",
          "last_pull_at", "last_push_at", "last_error", "pending_deletes"}
STATUS_CONNECTED = {"email", "cloud_entry_count", "cloud_last_change_at", "cloud_active_timer_id"}
CYCLE = {"enabled", "pulled_up", "pulled_del", "pushed_live", "pushed_del", "duration_ms"}
PENDING = {"sync_id", "customer", "description", "start", "end", "duration_minutes", "task_id", "invoiced", "notes",
           "contract", "updated_at", "from_cloud"}


@pytest.fixture
def node():
    node = Node().start()
    yield node
    node.stop()


def make_pair(hub, email):
    """A connected node and a client of the same account at the hub."""
    client = hub.client(email=email)
    node = Node().start()
    node.connect(hub.url, client.key)
    return node, client


def test_status_without_a_hub(node):
    status = node.api.get("/api/cloud-sync/status").json()
    assert STATUS <= set(status)
    assert not STATUS_CONNECTED & set(status)
    assert (status["enabled"], status["api_key_set"], status["connected"], status["interval"]) == (False, False, False, 300)
    assert status["plan"] is None and status["last_error"] is None and status["pending_deletes"] == 0
    node.api.post("/api/notes", {"title": "here"})
    assert [space["since"] for space in node.status().values()] == [None], "there has been no hub"


def test_all_node_routes_answer_without_a_hub(node):
    api = node.api
    assert api.post("/api/cloud-sync/sync-now").json() == {"enabled": False}
    assert api.get("/api/cloud-sync/active").json() == {"active": False}
    assert api.get("/api/cloud-sync/ai-usage").json() == {
        "total_tokens": 0, "cap": 200000, "request_count": 0, "month": ""}
    assert api.get("/api/cloud-sync/pending").json() == []
    assert api.post("/api/cloud-sync/stop-cloud-timer").status_code == 400
    outcome = api.post("/api/cloud-sync/disconnect").json()
    assert outcome == {"ok": True, "wiped": False, "pull_error": None, "wipe_error": None}
    assert api.post("/api/cloud-sync/disconnect?wipe=true").json()["wipe_error"]


@pytest.mark.parametrize("body", [{}, {"url": "http://127.0.0.1:1"}, {"api_key": "k"}])
def test_connect_requires_url_and_api_key(node, body):
    answer = node.api.post("/api/cloud-sync/connect", body)
    assert answer.status_code == 422 and answer.json()["detail"]


def test_connect_refuses_a_wrong_key_and_a_wrong_url(shared_hub, node):
    nothing_there = ScriptedHub(lambda method, path, body: (404, "{}"))
    for url in (shared_hub.url, nothing_there.url):
        answer = node.api.post("/api/cloud-sync/connect", {"url": url, "api_key": "nobody-has-this-key-0123456789"})
        assert answer.status_code == 401 and answer.json()["detail"] == "Invalid API key or cloud URL"
    assert node.api.get("/api/cloud-sync/status").json()["enabled"] is False
    nothing_there.close()


def test_connect_does_not_blame_the_key_for_a_hub_in_trouble(node):
    in_trouble = ScriptedHub(lambda method, path, body: (503, '{"detail": "the store cannot be used at the moment"}'))
    for url, reason in ((in_trouble.url, "cannot be used"), ("http://127.0.0.1:9", "127.0.0.1:9")):
        answer = node.api.post("/api/cloud-sync/connect", {"url": url, "api_key": "nobody-has-this-key-0123456789"})
        assert answer.status_code == 503 and reason in answer.json()["detail"], answer.text
    assert node.api.get("/api/cloud-sync/status").json()["enabled"] is False
    in_trouble.close()


def test_connect_refuses_the_free_plan(shared_hub, node):
    key = shared_hub.add_key(email="free@example.org")["key"]
    cli("account", "plan", "free@example.org", "free", data=shared_hub.data)
    cli("account", "label", "free@example.org", "free", data=shared_hub.data)
    answer = node.api.post("/api/cloud-sync/connect", {"url": shared_hub.url, "api_key": key})
    assert answer.status_code == 403 and "free" in answer.json()["detail"]


def test_connect_status_sync_and_disconnect(shared_hub):
    client = shared_hub.client(email="kaisho@example.org")
    cli("account", "label", "kaisho@example.org", "pro", data=shared_hub.data)
    client.post("/sync/apply", {"entries": [{"id": "e1", "start": "2026-11-22T09:00:00Z", "end": "2026-11-22T10:00:00Z",
                                             "customer": "Acme", "updated_at": "2026-11-22T10:00:00.000000Z"}]})
    node = Node().start()
    try:
        answer = node.connect(shared_hub.url + "/", client.key)
        assert answer == {"ok": True, "plan": "pro", "dialect": "native", "auto_set_models": {}}, "it has no AI"
        assert node.api.post("/api/cloud-sync/use-kaisho-models").status_code == 409
        # The first pull has run before the answer.
        assert [row["id"] for row in node.api.get("/api/clocks/entries?from=2026-11-22&to=2026-11-22").json()] == ["e1"]
        status = node.api.get("/api/cloud-sync/status").json()
        assert STATUS | STATUS_CONNECTED <= set(status)
        assert status["connected"] and status["plan"] == "pro" and status["url"] == shared_hub.url
        assert status["email"] == "kaisho@example.org" and status["cloud_entry_count"] == 1
        assert status["last_error"] is None and status["last_pull_at"].endswith("Z")

        node.api.post("/api/clocks/quick-book", {"duration": "30m", "customer": "Acme"})
        cycle = node.api.post("/api/cloud-sync/sync-now").json()
        assert CYCLE <= set(cycle) and cycle["enabled"] is True
        wait_until(lambda: client.get("/sync/stats").json()["entry_count"] == 2, "it arrives")

        # Connecting again keeps what a person has set.
        assert node.connect(shared_hub.url, client.key)["auto_set_models"] == {}
        outcome = node.api.post("/api/cloud-sync/disconnect").json()
        assert outcome == {"ok": True, "wiped": False, "pull_error": None, "wipe_error": None}
        assert client.get("/sync/stats").json()["entry_count"] == 2
        assert len(node.api.get("/api/clocks/entries?period=year").json()) == 2
        settings = (node.profile / "settings.yaml").read_text()
        assert "enabled: false" in settings and client.key not in settings
    finally:
        assert node.stop() == 0


def test_a_wipe_needs_a_request_and_a_successful_last_pull(shared_hub):
    node, client = make_pair(shared_hub, "wipe@example.org")
    try:
        node.api.post("/api/inbox", {"title": "keep me"})
        node.api.post("/api/cloud-sync/sync-now")
        # The key is no good any more: the last pull fails, and so nothing may be wiped.
        settings = node.profile / "settings.yaml"
        good = settings.read_text()
        settings.write_text(good.replace(client.key, "nobody-has-this-key-0123456789"))
        wait_until(lambda: node.api.get("/api/cloud-sync/status").json()["last_error"], "it arrives")
        outcome = node.api.post("/api/cloud-sync/disconnect", {"wipe": True}).json()
        assert outcome["wiped"] is False and outcome["pull_error"] and outcome["wipe_error"]
        assert len(client.get("/sync/inbox/changes").json()["entries"]) == 1
        node.connect(shared_hub.url, client.key)
        assert node.api.post("/api/cloud-sync/disconnect", {"wipe": True}).json()["wiped"] is True
        assert client.get("/sync/inbox/changes").json()["entries"] == []
        assert [row["title"] for row in node.api.get("/api/inbox").json()] == ["keep me"]
    finally:
        node.stop()


def test_the_timer_of_another_device(shared_hub):
    node, client = make_pair(shared_hub, "timer@example.org")
    try:
        client.post("/clocks/start", {"customer": "Acme"})
        active = node.api.get("/api/cloud-sync/active").json()
        assert active["active"] is True and active["customer"] == "Acme"
        wait_until(lambda: node.api.get("/api/clocks/active").json()["active"], "it arrives")
        assert node.api.post(f"/api/cloud-sync/stop-cloud-timer?timer_id=other").status_code == 502
        stopped = node.api.post(f"/api/cloud-sync/stop-cloud-timer?timer_id={active['id']}").json()
        assert stopped["id"] == active["id"] and stopped["end"]
        assert node.api.get("/api/clocks/active").json()["active"] is False
        assert node.api.post("/api/cloud-sync/stop-cloud-timer").status_code == 502
    finally:
        node.stop()


def test_triage(shared_hub):
    node, client = make_pair(shared_hub, "triage@example.org")
    try:
        for _ in range(2):
            client.post("/clocks/quick-book", {"duration": "1h", "description": "from the phone", "date": "2026-11-20"})
        client.post("/clocks/quick-book", {"duration": "1h", "customer": "Acme"})
        wait_until(lambda: len(node.api.get("/api/cloud-sync/pending").json()) == 2, "it arrives")
        pending = node.api.get("/api/cloud-sync/pending").json()
        assert all(set(entry) == PENDING and entry["from_cloud"] is True for entry in pending)
        assert pending[0]["duration_minutes"] == 60
        start = pending[0]["start"]
        triage = lambda *entries: node.api.post("/api/cloud-sync/triage", {"entries": list(entries)}).json()
        assert triage({"start": start}) == {"updated": 0}
        assert triage({"start": start, "customer": None}) == {"updated": 0}
        assert triage({"start": start, "customer": "Acme", "task_id": "T-142"}, {"start": start, "customer": "Beta"}) \
            == {"updated": 2}
        assert node.api.get("/api/cloud-sync/pending").json() == []
        customers = lambda: sorted(row["customer"] or "" for row in client.get("/sync/changes").json()["entries"])
        wait_until(lambda: customers() == ["Acme", "Acme", "Beta"], "it arrives")
        assert node.api.post("/api/cloud-sync/triage", {}).status_code == 422
    finally:
        node.stop()


def test_models_of_a_hub_with_ai_are_set_where_none_is():
    hub = Hub(arguments=["--set", "ai.url=http://127.0.0.1:9/v1", "--set", "ai.model=m"]).start()
    node = Node().start()
    try:
        answer = node.connect(hub.url, hub.client().key)
        assert answer["plan"] == "pro"
        assert answer["auto_set_models"] == {"advisor_model": "kaisho:advisor", "cron_model": "kaisho:cron"}
        assert node.api.post("/api/cloud-sync/use-kaisho-models").status_code == 200
        assert node.api.get("/api/cloud-sync/status").json()["plan"] == "pro"
    finally:
        node.stop()
        hub.stop()


def test_kaisho_models(node):
    (node.profile / "settings.yaml").write_text("# mine\nai:\n  advisor_model: own  # by hand\n")
    (node.profile / "jobs.yaml").write_text("jobs:\n  - name: a\n    model: old\n  - name: b  # no model\n")
    first = node.api.post("/api/cloud-sync/use-kaisho-models").json()
    assert first == {"advisor_model": "kaisho:advisor", "cron_model": "kaisho:cron", "advisor_changed": True,
                     "jobs_changed": 2}
    assert node.api.post("/api/cloud-sync/use-kaisho-models").json() == first | {
        "advisor_changed": False, "jobs_changed": 0}
    assert "# mine" in (node.profile / "settings.yaml").read_text()
    assert "# by hand" in (node.profile / "settings.yaml").read_text()
    assert "# no model" in (node.profile / "jobs.yaml").read_text()


def test_a_broken_settings_file_keeps_the_last_good_one(shared_hub):
    node, client = make_pair(shared_hub, "broken@example.org")
    try:
        settings = node.profile / "settings.yaml"
        good = settings.read_text()
        settings.write_text(good + "\nai:\n  cron_model: [\n")
        status = node.api.get("/api/cloud-sync/status").json()
        assert status["connected"] is True and status["last_error"].startswith("settings.yaml:")
        answer = node.api.post("/api/cloud-sync/connect", {"url": shared_hub.url, "api_key": client.key})
        assert answer.status_code == 409 and "fix the file first" in answer.json()["detail"]
        assert settings.read_text() != good
        settings.write_text(good)
        assert node.api.get("/api/cloud-sync/status").json()["last_error"] is None
    finally:
        node.stop()


@pytest.mark.parametrize("section,fields", [("inbox", {"title": "a"}), ("tasks", {"title": "a"}),
                                            ("notes", {"title": "a", "tags": ["x"]}), ("projects", {"name": "a"})])
def test_rows_can_be_created_changed_and_deleted(node, section, fields):
    made = node.api.post(f"/api/{section}", fields)
    assert made.status_code == 201
    path = f"/api/{section}/{made.json()['id']}"
    name = "name" if section == "projects" else "title"
    assert node.api.patch(path, {name: "b"}).json()[name] == "b"
    assert node.api.get(path).json()[name] == "b"
    assert node.api.get(f"/api/{section}").json()[0]["id"] == made.json()["id"]
    assert node.api.call("DELETE", path).status_code == 204
    assert node.api.get(path).status_code == 404 and node.api.get(f"/api/{section}").json() == []


def test_customers(node):
    assert node.api.post("/api/customers", {"name": "Acme"}).status_code == 201
    assert node.api.post("/api/customers", {"name": "Acme"}).status_code == 409
    assert node.api.patch("/api/customers/Acme", {"contracts": [{"name": "Q2"}]}).status_code == 200
    assert node.api.get("/api/customers").json() == [{"name": "Acme", "contracts": [{"name": "Q2"}]}]
    assert node.api.call("DELETE", "/api/customers/Acme").status_code == 204
    assert node.api.get("/api/customers").json() == []


def test_agent_sync_routes_give_the_published_answers(shared_hub):
    node, client = make_pair(shared_hub, "agent@example.org")
    try:
        operation = {"table": "episodes", "record_id": "ep_abc123", "operation": "upsert",
                     "data": {"objective": "Debugged API issue", "outcome": "success", "lessons": ["Check logs first"],
                              "created_at": "2024-01-15T10:30:00Z", "local_updated_at": "2024-01-15T10:30:00Z"}}
        pushed = node.api.post("/sync/push", {"agent_id": "claire", "operations": [operation], "limit": 100}).json()
        assert pushed["success"] is True
        assert {"pushed": 1, "failed": 0, "remaining": 0}.items() <= pushed["data"].items()
        result = pushed["data"]["results"][0]
        assert {"record_id": "ep_abc123", "status": "synced", "remote_id": "cloud_ep_abc123"}.items() <= result.items()

        client.push("kernle%2Fclaire", [{"collection": "notes", "id": "n1", "doc": {"content": "from the hub"}}])
        # The live link is opened anew when a space is added.
        wait_until(lambda: node.api.get("/sync/status?agent_id=claire").json()["data"]["status"] == "connected",
                   "the link stands")
        status = node.api.get("/sync/status?agent_id=claire").json()
        assert status["success"] is True
        assert {"agent_id", "pending_operations", "last_push", "last_pull", "remote_changes_available", "status"} \
            <= set(status["data"])
        assert status["data"]["agent_id"] == "claire"
        wait_until(lambda: node.api.get("/memory/notes/n1?agent_id=claire").status_code == 200, "it arrives")
        pulled = node.api.post("/sync/pull", {"agent_id": "claire", "full": True}).json()["data"]
        assert pulled["pulled"] == 2 and pulled["tables"] == {"episodes": 1, "notes": 1} and pulled["last_sync"]

        node.api.post("/memory/notes?agent_id=claire", {"content": "made here"})
        full = node.api.post("/sync/full", {"agent_id": "claire"}).json()["data"]
        assert set(full) == {"pull", "push", "conflicts_resolved", "sync_completed_at"}
        assert set(full["pull"]) == set(full["push"]) == {"records", "tables"}
        wait_until(lambda: len(client.all_changes("kernle%2Fclaire")) == 3, "it arrives")
        assert node.api.post("/sync/push", {}).status_code == 400
    finally:
        node.stop()


def test_memories_are_found(node):
    made = node.api.post("/memory/notes?agent_id=claire", {"content": "The lighthouse keeper"}).json()
    path = f"/memory/notes/{made['id']}?agent_id=claire"
    assert node.api.patch(path, {"tags": ["sea"]}).json()["tags"] == ["sea"]
    hits = node.api.get("/memory/search?agent_id=claire&q=lighthouse").json()["results"]
    assert [hit["record"]["id"] for hit in hits] == [made["id"]]
    assert node.api.call("DELETE", path).status_code == 204
    assert node.api.get("/memory/notes?agent_id=claire").json()["records"] == []
    assert node.api.get("/memory/nothing?agent_id=claire").status_code == 404


def test_requests_from_other_sites_are_rejected(node):
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        assert requests.get(node.url + "/profiles", headers=headers, timeout=10).status_code == 403
    own = requests.get(node.url + "/profiles", headers={"Origin": node.url}, timeout=10)
    assert own.status_code == 200


def test_a_node_listens_on_loopback_only():
    code, _, error = cli("node", "--listen", "0.0.0.0:0", data="/tmp/never-made", check=False)
    assert code == 2 and "loopback only" in error


def test_a_second_node_on_the_same_directory_is_refused(node):
    second = subprocess.run([BINARY, "node", "--data", str(node.data), "--listen", "127.0.0.1:0"], capture_output=True,
                            text=True, timeout=30)
    assert second.returncode == 15 and "in use by another syncline process" in second.stderr


def test_profiles(node):
    assert node.api.post("/profiles", {"name": "work"}).status_code == 200
    assert node.api.post("/profiles", {"name": "../x"}).status_code == 400
    node.api.post("/api/inbox?profile=work", {"title": "of work"})
    assert node.api.get("/api/inbox").json() == []
    assert node.api.post("/profiles/work/use").status_code == 200
    assert [row["title"] for row in node.api.get("/api/inbox").json()] == ["of work"]
    assert node.api.call("DELETE", "/profiles/work").status_code == 409
    kept = node.api.call("DELETE", "/profiles/default").json()["kept_in"]
    assert (node.data / "removed").exists() and kept.startswith(str(node.data))
    assert [each["profile"] for each in node.api.get("/profiles").json()["profiles"]] == ["work"]
