"""The hub's audit log: what is in it after real requests and commands, after kill -9, and after somebody changed it."""
import json
import sqlite3
import threading
import time

import pytest
import requests
from harness import Client, Hub, cli, cli_json

BROKEN = 18  # the exit code
PASSWORD = "correct horse"


def entries(hub, *arguments):
    return cli_json("audit", "list", "--limit", "1000", *arguments, data=hub.data)["entries"]


def actions(hub, *arguments):
    return [entry["action"] for entry in reversed(entries(hub, *arguments))]


def verify(hub):
    """The exit code, and the verdict."""
    code, out, _ = cli("audit", "verify", "--json", data=hub.data, check=False)
    return code, json.loads(out)


def set_password(hub, tmp_path, email="ann@example.org"):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    cli("account", "password", email, "--password-file", str(file), data=hub.data)


def log_in(hub, password=PASSWORD, email="ann@example.org", **options):
    return requests.post(f"{hub.url}/auth/login", json={"email": email, "password": password}, timeout=60, **options)


def test_commands_and_requests_are_listed_by_a_running_hub_and_a_stopped_one(hub, tmp_path):
    key = hub.add_key(label="laptop", scopes="read,write,keys")
    set_password(hub, tmp_path)
    assert log_in(hub).status_code == 200
    assert log_in(hub, "wrong horse").status_code == 401
    Client(hub.url, key["key"]).post("/v1/keys", {"label": "phone", "scopes": ["read"]})
    Client(hub.url, key["key"]).delete("/sync/entries")
    cli("key", "revoke", "k1", data=hub.data)
    expected = ["account.created", "key.created", "password.set", "session.opened", "session.refused", "key.created",
                "space.wiped", "key.revoked"]
    assert actions(hub) == expected
    newest, *_, oldest = entries(hub)
    assert (oldest["number"], oldest["actor"], oldest["account"]) == (1, "operator", "ann@example.org")
    assert (newest["action"], newest["actor"], newest["target"], newest["address"]) == ("key.revoked", "operator", "k1", None)
    phone = entries(hub, "--action", "key.created")[0]
    assert (phone["actor"], phone["key"], phone["label"], phone["address"]) == ("ann@example.org", "k1", "laptop",
                                                                                "127.0.0.1")
    assert verify(hub)[1]["ok"]
    assert hub.stop() == 0
    assert actions(hub) == expected
    code, verdict = verify(hub)
    assert code == 0 and (verdict["entries"], verdict["first"], verdict["last"]) == (len(expected), 1, len(expected))
    cli("account", "plan", "ann@example.org", "team", data=hub.data)
    assert actions(hub) == [*expected, "account.plan"], "a command without a hub writes it, too"
    hub.start()
    assert actions(hub) == [*expected, "account.plan"]


def test_lists_are_filtered_and_continue(hub):
    hub.add_key()
    hub.add_key(email="bob@example.org")
    since = cli_json("audit", "list", data=hub.data)["entries"][0]["at"]
    for number in range(3):
        hub.add_key(label=f"more {number}")
    assert actions(hub, "--account", "bob@example.org") == ["account.created", "key.created"]
    assert actions(hub, "--action", "account") == ["account.created", "account.created"]
    assert len(entries(hub, "--since", since)) == 4
    page = cli_json("audit", "list", "--limit", "2", data=hub.data)
    rest = cli_json("audit", "list", "--after", str(page["next"]), data=hub.data)
    assert [entry["number"] for entry in page["entries"] + rest["entries"]] == [7, 6, 5, 4, 3, 2, 1]
    assert rest["next"] is None
    text = cli("audit", "list", data=hub.data)[1]
    assert text.startswith("NUMBER") and "key.created" in text
    assert cli("audit", "list", "--since", "yesterday", data=hub.data, check=False)[0] == 2
    for words in (["audit"], ["audit", "list"], ["audit", "verify"]):
        assert "Example" in cli(*words, "--help")[1]


def test_settings_that_commands_change_are_written_down(hub, tmp_path):
    hub.add_key()
    webhook = cli_json("webhook", "add", "https://app.example.org/hook", "--account", "ann@example.org", "--events",
                       "record.changed", data=hub.data)
    cli("webhook", "rotate", webhook["id"], data=hub.data)
    cli("webhook", "remove", webhook["id"], data=hub.data)
    cli("account", "invite", "bob@example.org", data=hub.data)
    cli("account", "role", "bob@example.org", "admin", data=hub.data)
    cli("backup", str(tmp_path / "backup.db"), data=hub.data)
    cli("clock", "accept", data=hub.data)
    cli("key", "list", data=hub.data)
    cli("verify", data=hub.data)
    assert actions(hub) == ["account.created", "key.created", "webhook.created", "webhook.secret_rotated",
                            "webhook.removed", "account.created", "account.invited", "account.role", "store.backed_up",
                            "clock.accepted"]
    assert {entry["actor"] for entry in entries(hub)} == {"operator"}
    assert webhook["secret"] not in json.dumps(entries(hub))

    restored = Hub(data=tmp_path / "restored")
    cli("restore", str(tmp_path / "backup.db"), data=restored.data)
    assert actions(restored)[-1] == "store.restored" and verify(restored)[0] == 0


def test_only_admins_read_it_over_the_network(hub):
    admin = hub.client(email="root@example.org", scopes="admin")
    member = hub.client(email="ann@example.org", scopes="read,write,keys")
    page = admin.get("/v1/admin/audit?limit=2").json()
    assert [entry["action"] for entry in page["entries"]] == ["key.created", "account.created"]
    more = admin.get(f"/v1/admin/audit?limit=1000&after={page['next']}").json()
    assert more["entries"][-1]["number"] == 1 and more["next"] is None
    assert member.get("/v1/admin/audit").status_code == 403
    assert requests.get(f"{hub.url}/v1/admin/audit", timeout=30).status_code == 401


def test_the_client_behind_a_trusted_proxy_is_named(tmp_path):
    hub = Hub(arguments=["--set", "proxy.trusted=127.0.0.1"]).start()
    try:
        hub.add_key()
        set_password(hub, tmp_path)
        for password in (PASSWORD, "wrong horse"):
            log_in(hub, password, headers={"X-Forwarded-For": "203.0.113.9"})
        assert [entry["address"] for entry in entries(hub, "--action", "session")] == ["203.0.113.9"] * 2
    finally:
        assert hub.stop() == 0


def test_a_thousand_failed_logins_leave_few_entries(hub, tmp_path):
    hub.add_key()
    set_password(hub, tmp_path)
    before = len(entries(hub))
    refused = 0
    with requests.Session() as session:
        for number in range(1000):
            email = "ann@example.org" if number % 2 else f"nobody{number}@example.org"
            answer = session.post(f"{hub.url}/auth/login", json={"api_key": "sl_wrong"} if number % 4 else
                                  {"email": email, "password": "wrong"}, timeout=60)
            refused += answer.status_code in (401, 429)
    assert refused == 1000
    written = entries(hub)[:-before]
    assert 10 <= len(written) < 60, len(written)
    assert {entry["action"] for entry in written} == {"session.refused"}
    assert {entry["outcome"] for entry in written} == {"refused"}
    assert "refusal 1000 of this network within the hour" in written[0]["detail"]
    assert log_in(hub).status_code in (200, 429)
    assert verify(hub)[1]["ok"]


@pytest.mark.long
def test_an_act_and_its_entry_survive_kill_9_together(hub):
    maker = hub.client(scopes="read,keys")
    acknowledged = set()

    def make(url, stop):
        client = Client(url, maker.key)
        while not stop.is_set():
            try:
                made = client.post("/v1/keys", {"label": "made", "scopes": ["read"]}, timeout=10)
                acknowledged.add(made.json()["id"])
                revoked = client.delete(f"/v1/keys/{made.json()['id']}", timeout=10)
                assert revoked.status_code == 204
            except (requests.RequestException, ValueError, KeyError):
                return

    for round_ in range(6):
        stop = threading.Event()
        threads = [threading.Thread(target=make, args=(hub.url, stop)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.2 + 0.07 * round_)
        hub.kill()
        stop.set()
        for thread in threads:
            thread.join()
        hub.start()
        keys = [key for key in cli_json("key", "list", data=hub.data)["keys"] if key["label"] == "made"]
        log = everything(hub)
        created = {entry["target"] for entry in log if entry["action"] == "key.created" and entry["label"] == "test"}
        revoked = {entry["target"] for entry in log if entry["action"] == "key.revoked"}
        assert {key["id"] for key in keys} == created, "a key without an entry, or an entry without a key"
        assert {key["id"] for key in keys if key["revoked_at"]} == revoked
        assert acknowledged <= created
        assert verify(hub)[1]["ok"]
    assert len(acknowledged) > 10


def everything(hub):
    log, after = [], []
    while True:
        page = cli_json("audit", "list", "--limit", "1000", *after, data=hub.data)
        log += page["entries"]
        if page["next"] is None:
            return log
        after = ["--after", str(page["next"])]


@pytest.mark.parametrize("change,fault,at", [
    ("UPDATE audit SET entry = replace(entry, 'k2', 'k3') WHERE number = 3", "entry 4 does not match the entry before it", 4),
    ("DELETE FROM audit WHERE number = 3", "entries 3 to 3 are missing", 4),
    ("DELETE FROM audit WHERE number > 4", "entries 5 to 6 at the end are missing", 5),
    ("DELETE FROM audit WHERE number < 3", "entries 1 to 2 are missing", 3),
    ("DELETE FROM audit", "entries 1 to 6 at the end are missing", 1),
    ("DELETE FROM audit_end", "the note where the log ends is missing", 6),
])
def test_tampering_with_the_file_is_noticed_and_stays_so(hub, change, fault, at):
    for number in range(5):
        hub.add_key(label=f"key {number}")
    assert verify(hub)[1]["entries"] == 6
    assert hub.stop() == 0
    database = sqlite3.connect(hub.data / "syncline.db")
    database.execute(change)
    database.commit()
    database.close()
    code, verdict = verify(hub)
    assert code == BROKEN and not verdict["ok"], verdict
    assert verdict["fault"].startswith(fault) and verdict["fault_at"] == at
    code, _, error = cli("audit", "verify", data=hub.data, check=False)
    assert code == BROKEN and fault in error
    hub.start()
    hub.add_key(label="later")
    code, verdict = verify(hub)
    assert code == BROKEN, "going on does not cover it up"
    assert Client(hub.url, hub.add_key()["key"]).get("/v1/me").status_code == 200, "the hub works all the same"
