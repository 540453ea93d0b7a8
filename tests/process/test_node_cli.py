"""The command line of a device, also under the name that Kernle's documents use."""
import csv
import datetime
import http.server
import io
import json
import os
import re
import subprocess
import threading
import zoneinfo

import pytest
from harness import BINARY, Hub, cli, cli_json, wait_until
from node_harness import Node


def runner_of(program, directory):
    environment = os.environ | {"SYNCLINE_NODE_DATA": str(directory / "device")}

    def run(line, **more):
        done = subprocess.run([str(program), *line.split()], capture_output=True, text=True, timeout=120,
                              env=environment | more)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def kernle(tmp_path):
    """Runs the published command lines through a symlink of that name."""
    link = tmp_path / "kernle"
    link.symlink_to(BINARY)
    return runner_of(link, tmp_path)


@pytest.fixture
def syncline(tmp_path):
    """Runs command lines of the program itself on the same device."""
    return runner_of(BINARY, tmp_path)


def log_in(hub, kernle, email):
    client = hub.client(email=email)
    code, out, error = kernle(f"auth login --backend-url {hub.url}", KERNLE_AUTH_TOKEN=client.key)
    assert code == 0, error
    return client


def test_the_published_lines_without_a_running_node(shared_hub, kernle, syncline):
    client = log_in(shared_hub, kernle, "claire@example.org")
    assert kernle("-a claire sync push")[:2] == (0, "✓ No pending changes to push\n")
    assert kernle("sync pull -a claire")[:2] == (0, "✓ Already up to date\n")

    client.push("kernle%2Fclaire", [{"collection": "notes", "id": "n1", "doc": {"content": "from elsewhere"}}])
    code, out, _ = kernle("-a claire sync pull --full")
    assert code == 0 and out.startswith("✓ Pulled 1 change\n  From: claire\n")
    assert syncline("memory add notes content=mine --agent claire")[0] == 0
    code, out, error = kernle("-a claire sync full")
    assert code == 0 and "Running full bidirectional sync..." in error
    assert out.splitlines()[0] == "Step 1: Pulling..." and out.splitlines()[-1] == "✓ Full sync complete"
    assert len(client.all_changes("kernle%2Fclaire")) == 2

    code, _, error = kernle("sync pull -a clare")
    assert code == 3 and "did you mean 'claire'?" in error, error
    code, out, error = kernle("-a claire sync status")
    assert "no node runs on this device" in error
    lines = out.splitlines()
    assert code == 0 and lines[:2] == ["Sync Status", "=" * 50]
    assert "📦 Local project: claire" in lines and "🟢 Pending operations: 0" in lines


def test_json_is_one_document_with_the_published_names(shared_hub, kernle, syncline):
    log_in(shared_hub, kernle, "json@example.org")
    for line, names in (
            ("status", {"version", "local_stack_id", "namespaced_stack_id", "user_id", "pending_operations",
                        "dead_letter_count", "pull_recovery_queue", "last_sync_time", "local_storage_online",
                        "backend_url", "backend_connected", "connection_status", "authenticated", "local_agent_id",
                        "namespaced_agent_id"}),
            ("push", {"version", "synced", "local_project", "namespaced_id", "conflicts", "conflict_snapshot"}),
            ("pull", {"version", "pulled", "conflicts", "conflict_envelopes", "conflict_snapshot", "has_more",
                      "poisoned_new", "poisoned_pending", "recovered_from_quarantine", "recovery_state",
                      "failed_operations", "local_project", "namespaced_id"}),
            ("full", {"success", "data"}),
            ("conflicts", {"version", "conflicts", "count"})):
        code, out, _ = kernle(f"-a claire sync {line} --json")
        assert code == 0 and names <= set(json.loads(out)), line
    code, out, _ = syncline("-a claire sync deadletters --json")
    assert code == 0 and "dead_letters" in json.loads(out)


def test_exit_codes_when_there_is_no_hub(shared_hub, kernle):
    assert kernle("-a claire sync status")[0] == 0
    for line in ("push", "pull", "full"):
        code, _, error = kernle(f"-a claire sync {line}")
        assert code != 0 and "not connected to a hub" in error, line
    assert kernle("-a claire sync nonsense")[0] == 2
    code, _, error = kernle("sync push")
    assert code == 2 and "-a AGENT" in error
    code, out, error = kernle("-a claire sync status")
    assert code == 0 and "Connect this device: kernle auth login" in out and "syncline" not in out + error


def test_the_agent_may_be_set_in_the_environment(kernle):
    code, out, _ = kernle("sync status", KERNLE_AGENT_ID="claire")
    assert code == 0 and "📦 Local project: claire" in out
    assert "📦 Local project: bob" in kernle("sync status -a bob", KERNLE_AGENT_ID="claire")[1]


def test_a_login_needs_a_backend_that_the_environment_may_name(shared_hub, kernle):
    key = shared_hub.client(email="login@example.org").key
    code, _, error = kernle("auth login", KERNLE_AUTH_TOKEN=key)
    assert code == 2 and error.startswith("kernle: no backend given; use --backend-url URL")
    code, _, error = kernle("auth login", KERNLE_BACKEND_URL=shared_hub.url)
    assert code == 2 and error.startswith("kernle: no API key given; use --api-key KEY")
    assert kernle(f"auth login -k {key}", KERNLE_BACKEND_URL=shared_hub.url)[0] == 0


def test_a_search_takes_several_words(kernle, syncline):
    assert syncline("-a seeker memory add notes content=gateway-logs")[0] == 0
    assert syncline("-a seeker memory add notes content=gateway-only")[0] == 0
    code, out, error = kernle("-a seeker search gateway logs --json")
    assert code == 0 and "gateway-logs" in out and "gateway-only" not in out, (out, error)


def test_full_fails_when_a_phase_failed(kernle, syncline):
    away = Hub().start()
    log_in(away, kernle, "gone@example.org")
    away.stop()
    assert syncline("-a claire memory add notes content=kept")[0] == 0
    code, _, error = kernle("-a claire sync full")
    assert code != 0 and error
    code, out, _ = kernle("-a claire sync status --json")
    status = json.loads(out)
    assert code == 0 and status["pending_operations"] == 1 and status["backend_connected"] is False


def test_time_tracking_commands_of_a_device(shared_hub):
    client = shared_hub.client(email="clock@example.org")
    node = Node().start()
    try:
        node.connect(shared_hub.url, client.key)
        started = cli_json("timer", "start", "-c", "Acme", "-d", "work", data=node.data)
        assert started["customer"] == "Acme"
        assert cli_json("timer", "status", data=node.data)["id"] == started["id"]
        assert cli("timer", "start", data=node.data, check=False)[0] == 4
        assert cli_json("timer", "stop", data=node.data)["end"]
        today = datetime.datetime.now(datetime.UTC).date().isoformat()  # else the entry ends now: after midnight, yesterday's
        booked = cli_json("book", "1h30m", "-c", "Acme", "--date", today, data=node.data)
        assert booked["duration_minutes"] == 90
        assert len(cli_json("entry", data=node.data)["entries"]) == len(cli_json("entries", data=node.data)["entries"]) == 2
        client.post("/clocks/quick-book", {"duration": "1h"})
        wait_until(lambda: len(cli_json("triage", data=node.data)["entries"]) == 1, "the entry waits for a customer")
        waiting = cli_json("triage", data=node.data)["entries"][0]["sync_id"]
        code, _, said = cli("triage", "unknown", "-c", "Acme", data=node.data, check=False)
        assert code == 3 and "'unknown' waits for a customer" in said
        assert cli("triage", waiting, data=node.data, check=False)[0] == 2, "nothing to change"
        assert cli_json("triage", waiting, "-c", "Acme", data=node.data) == {"updated": 1}
    finally:
        node.stop()


def test_profiles_and_all_their_spaces(shared_hub):
    client = shared_hub.client(email="profiles@example.org")
    node = Node().start()
    try:
        cli("profile", "add", "work", data=node.data)
        subprocess.run([BINARY, "login", shared_hub.url, "--key", client.key, "--profile", "work", "--data", str(node.data)],
                       check=True, capture_output=True, timeout=60)
        status = cli_json("sync", "status", data=node.data)
        assert [each["profile"] for each in status["profiles"]] == ["default", "work"]
        assert status["profiles"][1]["spaces"][0]["state"] in {"in_sync", "syncing", "waiting"}
        code, out, _ = cli("sync", "status", data=node.data)
        assert "* default  not connected" in out and f"  work  {shared_hub.url}" in out
        assert re.search(r"^    (Current: Everything is in sync|Behind: Fetching|Sending: Sending) ?", out, re.MULTILINE), out
        cli("profile", "use", "work", data=node.data)
        assert cli("profile", "remove", "work", data=node.data, check=False)[0] == 4
        assert cli("profile", "remove", "default", data=node.data)[0] == 0
    finally:
        node.stop()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_days_of_a_device_are_those_of_its_zone(zone):
    node = Node().start()
    try:
        now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for name, start in (("today", midnight), ("yesterday", midnight - datetime.timedelta(minutes=1))):
            end = start + datetime.timedelta(seconds=30)
            answer = node.api.post("/api/clocks/start", {"description": name, "start": start.isoformat(),
                                                         "end": end.isoformat()})
            assert answer.status_code == 201, answer.text

        def listed(*arguments, environment=None):
            done = subprocess.run([BINARY, "entry", "--json", "--data", str(node.data), *arguments], text=True,
                                  capture_output=True, timeout=60, env=os.environ | (environment or {}))
            assert done.returncode == 0, done.stderr
            return {entry["description"] for entry in json.loads(done.stdout)["entries"]}

        assert listed("--zone", zone) == {"today"}
        assert listed(environment={"TZ": zone}) == {"today"}
        day = (midnight - datetime.timedelta(days=40)).date().isoformat()
        assert cli("book", "1h", "--zone", zone, data=node.data, check=False)[0] == 2, "a zone of no day"
        booked = cli_json("book", "1h", "--date", day, "--zone", zone, data=node.data)
        start = datetime.datetime.fromisoformat(booked["start"]).astimezone(zoneinfo.ZoneInfo(zone))
        assert start.date().isoformat() == day and start.hour == 12
        sums = cli_json("entries", "--sums", "--period", "year", "--zone", zone, data=node.data)
        worked = {row["date"]: row["seconds"] for row in sums["days"]}
        yesterday = (midnight - datetime.timedelta(days=1)).date().isoformat()
        if day[:4] == yesterday[:4]:
            assert worked == {day: 3600, yesterday: 30, midnight.date().isoformat(): 30} and sums["seconds"] == 3660
        text = cli("entries", "--sums", "--from", day, "--to", day, "--zone", zone, data=node.data)[1]
        assert "1:00:00" in text and f"zone: {zone}" in text, text
        csv_text = cli("entries", "--csv", "--from", day, "--zone", zone, data=node.data)[1]
        rows = list(csv.DictReader(io.StringIO(csv_text)))
        assert [row["date"] for row in rows] == [midnight.date().isoformat(), yesterday, day]
        assert rows[2]["duration_minutes"] == "60" and datetime.datetime.fromisoformat(rows[2]["start"]) == start
        assert cli("entries", "--csv", "--json", data=node.data, check=False)[0] == 2
        code, _, error = cli("entry", "--zone", "Europe/Berlim", data=node.data, check=False)
        assert code == 2 and "unknown zone 'Europe/Berlim'" in error
    finally:
        node.stop()


def test_login_tells_what_is_wrong(shared_hub, syncline):
    code, _, error = syncline(f"login {shared_hub.url}", SYNCLINE_KEY="sl_k1_wrong")
    assert code == 5 and "does not accept the key" in error
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        code, _, error = syncline(f"login http://127.0.0.1:{other.server_port}", SYNCLINE_KEY="sl_k1_wrong")
        assert code in (3, 6) and "does not accept the key" not in error, (code, error)
        other.shutdown()
    code, _, error = syncline(f"login http://127.0.0.1:{other.server_port}", SYNCLINE_KEY="sl_k1_wrong")
    assert code == 6 and "connect" in error.lower(), (code, error)


def test_login_refuses_a_key_that_cannot_sync(shared_hub, syncline, tmp_path):
    for scopes, missing in (("write", "read"), ("read", "write"), ("commands:submit", "read")):
        key = shared_hub.add_key(scopes=scopes, label=scopes)["key"]
        code, _, error = syncline(f"login {shared_hub.url}", SYNCLINE_KEY=key)
        assert code == 5 and missing in error and "accept the key" not in error, (scopes, code, error)
    settings = tmp_path / "device/profiles/default/settings.yaml"
    assert not settings.exists() or "sl_k" not in settings.read_text(), "nothing of the attempts is kept"


def test_login_names_a_plan_without_sync(syncline, tmp_path):
    hub = Hub(data=tmp_path / "hub", arguments=["--set", "plans.enforce=true"]).start()
    try:
        cli("account", "add", "free@example.org", "--plan", "free", data=hub.data)
        key = cli_json("key", "add", "--account", "free@example.org", "--label", "x", "--scopes", "read,write",
                       data=hub.data)["key"]
        code, _, error = syncline(f"login {hub.url}", SYNCLINE_KEY=key)
        assert code == 5 and "plan" in error and "accept the key" not in error, (code, error)
    finally:
        assert hub.stop() == 0
