"""The command line: beside a running hub and without one, for people and for scripts."""
import base64
import hashlib
import json
import re
import sqlite3
import subprocess
from email.utils import parsedate_to_datetime

import pytest
import requests
from harness import BINARY, Client, Hub, cli, cli_json


@pytest.fixture(params=["hub running", "hub stopped"])
def data(request, tmp_path):
    hub = Hub(data=tmp_path / "data")
    cli_json("account", "add", "Ann@Example.org", "--plan", "pro", data=hub.data)
    if request.param == "hub running":
        hub.start()
    yield hub.data
    assert hub.stop() in (0, None)


def test_accounts(data):
    assert cli_json("account", "add", "bob@example.org", "--plan", "free", data=data)["account"] == "bob@example.org"
    assert cli("account", "add", "bob@example.org", "--plan", "free", data=data, check=False)[0] == 4
    assert cli("account", "add", "nobody", "--plan", "free", data=data, check=False)[0] == 2
    assert cli("account", "add", "c@example.org", "--plan", "gold", data=data, check=False)[0] == 2
    assert cli_json("account", "plan", "bob@example.org", "team", data=data)["plan"] == "team"
    listed = cli_json("account", "list", data=data)["accounts"]
    assert [row["account"] for row in listed] == ["ann@example.org", "bob@example.org"]
    assert cli("account", "remove", "bob@example.org", data=data, check=False)[0] == 2, "wants --yes"
    cli("account", "remove", "bob@example.org", "--yes", data=data)
    assert cli("account", "plan", "bob@example.org", "pro", data=data, check=False)[0] == 3


def test_keys(data):
    made = cli_json("key", "add", "--account", "ann@example.org", "--label", "laptop", "--scopes", "read,write", data=data)
    assert made["key"].startswith("sl_") and made["id"]
    given = cli_json("key", "add", "--account", "ann@example.org", "--label", "old app", "--scopes", "read", "--token",
                     "sk-0123456789abcdef", data=data)
    assert given["key"] == "sk-0123456789abcdef"
    assert cli("key", "add", "--account", "ann@example.org", "--label", "x", "--scopes", "all", data=data,
               check=False)[0] == 2
    cli("key", "revoke", made["id"], data=data)
    rows = cli_json("key", "list", "--account", "ann@example.org", data=data)["keys"]
    assert [(row["id"], row["revoked_at"] is not None) for row in rows] == [(made["id"], True), (given["id"], False)]
    assert all("key" not in row and "hash" not in row for row in rows)
    assert cli("key", "revoke", "k999", data=data, check=False)[0] == 3
    assert made["label"] in cli("key", "list", data=data)[1]


def test_roles(data):
    roles = {row["account"]: row["role"] for row in cli_json("account", "list", data=data)["accounts"]}
    assert list(roles.values()).count("admin") == 1
    admin = next(email for email, role in roles.items() if role == "admin")
    cli("account", "add", "carl@example.org", "--plan", "pro", data=data)
    key = ["key", "add", "--account", "carl@example.org", "--label", "x", "--scopes", "admin"]
    code, _, error = cli(*key, data=data, check=False)
    assert code == 2 and "account role carl@example.org admin" in error
    assert cli_json("account", "role", "carl@example.org", "admin", data=data)["role"] == "admin"
    assert cli_json(*key, data=data)["scopes"] == ["admin"]
    cli("account", "role", "carl@example.org", "member", data=data)
    code, _, error = cli("account", "role", admin, "member", data=data, check=False)
    assert code != 0 and "the only admin" in error
    assert cli("account", "role", admin, "owner", data=data, check=False)[0] == 2


def test_an_invitation_adds_the_account_and_sets_a_password_once(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    data = hub.data
    cli("account", "add", "ann@example.org", "--plan", "pro", data=data)
    invited = cli_json("account", "invite", "dora@example.org", "--plan", "pro", data=data)
    assert invited["plan"] == "pro" and invited["role"] == "member"
    again = cli_json("account", "invite", "dora@example.org", data=data)
    assert again["invitation"] != invited["invitation"] and again["plan"] == "pro"
    try:
        chosen = {"token": again["invitation"], "password": "correct horse"}
        assert requests.post(hub.url + "/auth/reset-password", json=chosen, timeout=10).status_code == 200
        for token in (again["invitation"], invited["invitation"]):
            assert requests.post(hub.url + "/auth/reset-password", json={**chosen, "token": token},
                                 timeout=10).status_code == 401
        login = {"email": "dora@example.org", "password": "correct horse"}
        answer = requests.post(hub.url + "/auth/login", json=login, timeout=10)
        assert answer.status_code == 200
        assert parsedate_to_datetime(answer.headers["Date"]).year >= 2026
        session = Client(hub.url, answer.json()["access_token"])
        session.get("/v1/me")
        assert session.get("/v1/sessions").json()["sessions"][0]["current"]
        assert set(session.get("/v1/me").json()["key"]["scopes"]) >= {"read", "write", "keys", "commands:approve"}
    finally:
        hub.stop()


def test_links_begin_with_the_public_url_of_the_hub_and_lead_to_a_page(tmp_path):
    data = tmp_path / "data"
    cli("account", "add", "ann@example.org", "--plan", "pro", data=data)
    assert "link" not in cli_json("account", "invite", "dora@example.org", data=data)
    (data / "hub.yaml").write_text("hub:\n  public_url: HTTPS://Hub.example.org:443/\n")
    invited = cli_json("account", "invite", "dora@example.org", data=data)
    assert invited["link"] == "https://hub.example.org/set-password#" + invited["invitation"]
    hub = Hub(data=data, arguments=["--set", "hub.public_url=http://localhost:8080"]).start()
    try:
        reset = cli_json("account", "reset", "ann@example.org", data=data)
        assert reset["link"] == "http://localhost:8080/set-password#" + reset["reset_token"]
        page = requests.get(hub.url + "/set-password", timeout=10)
        script = page.text.split("<script>")[1].split("</script>")[0]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    finally:
        hub.stop()
    (data / "hub.yaml").write_text("hub:\n  public_url: hub.example.org\n")
    code, _, error = cli("account", "invite", "eve@example.org", data=data, check=False)
    assert code == 2 and "hub.public_url must be like" in error
    assert "eve@" not in cli("account", "list", data=data)[1]
    code, _, error = cli("hub", data=data, check=False)
    assert code == 2 and "hub.public_url must be like" in error
    code, out, _ = cli("doctor", data=data, check=False)
    assert code != 0 and "hub.public_url must be like" in out


def test_errors_are_json_on_standard_error_when_asked(data):
    code, out, err = cli("key", "revoke", "k999", "--json", data=data, check=False)
    assert (code, out) == (3, "")
    assert json.loads(err)["code"] == "not_found"
    assert json.loads(cli("key", "revok", "--json", check=False)[2])["code"] == "invalid_argument"
    assert "did you mean 'revoke'" in cli("key", "revok", check=False)[2]
    assert "did you mean 'revoke'" in cli("keys", "revok", check=False)[2]


@pytest.mark.parametrize("words, expected", [
    (("-a", "claire"), "no command given; see 'syncline --help'"),
    (("acount", "list"), "unknown command 'acount'; did you mean 'account'?"),
    (("foo",), "unknown command 'foo'; see 'syncline --help'"),
    (("account",), "no command given; see 'syncline account --help'"),
    (("-a", "claire", "sync", "pusj"), "unknown command 'pusj'; did you mean 'push'?"),
    (("clock", "acept"), "unknown command 'acept'; did you mean 'accept'?"),
    (("hub", "extra"), "unexpected argument 'extra'; see 'syncline hub --help'"),
    (("hub", "--nope=hidden"), "unknown option '--nope'; see 'syncline hub --help'"),
    (("--passphrase", "hidden", "account"), "unknown option '--passphrase'; see 'syncline account --help'"),
    (("sl_hidden",), "unknown command '***'; see 'syncline --help'"),
    (("account", "list", "--data"), "--data needs a value; see 'syncline account list --help'"),
    (("command", "list", "--limit", "x"), "--limit: expected a whole number, not 'x'; "),
    (("command", "run", "--timeout", "0", "x"), "--timeout: expected a whole number from 1 to 86400, not '0'; "),
    (("tail", "--count", "0"), "--count: expected a whole number of at least 1, not '0'; "),
    (("conflict", "show", "x"), "ID: expected a whole number, not 'x'; "),
    (("command", "list", "--status", "new"),
     "--status: expected held, pending, processing, completed or failed, not 'new'; "),
])
def test_a_wrong_argument_is_named_with_what_was_expected(words, expected):
    code, _, err = cli(*words, check=False)
    assert code == 2 and err.startswith("syncline: " + expected), err


def test_a_store_that_cannot_be_opened_is_named(tmp_path):
    store = tmp_path / "data/syncline.db"
    store.mkdir(parents=True)
    for command in (["account", "list", "--data", str(store.parent)],
                    ["hub", "--listen", "127.0.0.1:0", "--data", str(store.parent)]):
        said = cli(*command, check=False)[2]
        assert f"syncline: {store}: " in said and "unable to open" in said, said


def test_conflicts_and_spaces(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    laptop, phone = hub.client(label="laptop"), hub.client(label="phone")
    laptop.push("s", [{"collection": "c", "id": "1", "updated_at": "2026-01-01T00:00:00Z", "doc": {"v": "laptop"}}])
    phone.push("s", [{"collection": "c", "id": "1", "updated_at": "2026-01-02T00:00:00Z", "doc": {"v": "phone"}}])
    listed = cli_json("conflict", "list", data=hub.data)["conflicts"]
    assert listed[0]["loser"]["doc"] == {"v": "laptop"} and listed[0]["loser_key_label"] == "laptop"
    assert cli_json("conflict", "show", listed[0]["id"], data=hub.data)["winner"]["doc"] == {"v": "phone"}
    assert cli_json("conflict", "restore", listed[0]["id"], data=hub.data)["state"] == "restored"
    assert laptop.get("/v1/spaces/s/records/c/1").json()["doc"] == {"v": "laptop"}
    assert cli("conflict", "restore", listed[0]["id"], data=hub.data, check=False)[0] == 4
    assert cli("conflict", "show", "99", data=hub.data, check=False)[0] == 3
    code, _, said = cli("conflict", "list", "--state", "foo", data=hub.data, check=False)
    assert code == 2 and "'foo' is no state; use open, restored, dismissed or all" in said
    assert cli_json("conflict", "list", "--state", "restored", data=hub.data)["conflicts"][0]["state"] == "restored"
    hub.stop()
    space = cli_json("space", "list", data=hub.data)["spaces"][0]
    assert (space["account"], space["name"], space["records"]) == ("ann@example.org", "s", 1)
    assert cli_json("conflicts", "list", "--state", "restored", data=hub.data)["conflicts"] != [], "the plural is an alias"


def test_a_backup_while_the_hub_runs_and_a_restore_with_a_new_epoch(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    client = hub.client()
    before = client.push("s", [{"collection": "c", "id": "1", "doc": {}}])["cursor"]
    kaisho = {"updated_at": "2026-11-22T09:00:00Z"}
    client.post("/sync/notes/apply", {"entries": [{"id": "in the backup", **kaisho}]})
    copy = tmp_path / "copy.db"
    code, _, error = cli("backup", str(tmp_path / "none/copy.db"), data=hub.data, check=False)
    assert code == 3 and "No such file or directory" in error, (code, error)
    cli("backup", str(copy), data=hub.data)
    assert copy.stat().st_mode & 0o077 == 0, "it holds the documents of all accounts"
    client.push("s", [{"collection": "c", "id": "2", "doc": {}}])
    client.post("/sync/notes/apply", {"entries": [{"id": "after it", **kaisho}]})
    note_cursor = client.get("/sync/notes/changes").json()["cursor"]
    assert cli("backup", str(copy), data=hub.data, check=False)[0] == 4
    hub.stop()
    restored = tmp_path / "restored"
    cli_json("restore", str(copy), data=restored)
    assert cli("restore", str(copy), data=restored, check=False)[0] == 4
    second = Hub(data=restored).start()
    again = Client(second.url, client.key)
    answer = again.get(f"/v1/spaces/s/changes?since={before}")
    assert (answer.status_code, answer.json()["code"]) == (410, "epoch_changed")
    assert [record["id"] for record in again.all_changes("s")] == ["1"]
    again.post("/sync/notes/apply", {"entries": [{"id": f"since {n}", **kaisho} for n in range(3)]})
    assert len(again.get(f"/sync/notes/changes?since={note_cursor}").json()["entries"]) == 4, "from the beginning"
    assert second.stop() == 0
    assert cli_json("verify", data=restored)["ok"]


def test_a_failed_restore_leaves_no_directory(tmp_path):
    text = tmp_path / "letter.txt"
    text.write_text("dear")
    assert cli("restore", str(text), data=tmp_path / "new", check=False)[0] == 10
    assert cli("restore", str(tmp_path / "none"), data=tmp_path / "new", check=False)[0] == 3
    assert not (tmp_path / "new").exists()
    (tmp_path / "mine").mkdir()
    assert cli("restore", str(text), data=tmp_path / "mine", check=False)[0] == 10
    assert (tmp_path / "mine").exists(), "it was there before"


def test_verify_accepts_raised_timestamps_and_deleted_rows(hub, tmp_path):
    client = hub.client()
    row = {"id": "n1", "title": "t", "updated_at": "2099-01-01T00:00:00Z", "created_at": "2026-11-22T00:00:00Z"}
    gone = {**row, "id": "n2", "updated_at": "2026-11-22T00:00:00Z", "deleted_at": "2026-11-22T00:00:00Z"}
    assert client.post("/sync/notes/apply", {"entries": [row, gone]}).json()["inserted"] == 2
    assert cli_json("verify", data=hub.data) == {"ok": True, "problems": [], "damaged_rows": 0, "damaged": []}
    cli_json("backup", str(tmp_path / "copy.db"), data=hub.data)


def test_every_start_failure_has_its_own_message_and_exit_code(tmp_path):
    def start(data, *arguments):
        done = subprocess.run([BINARY, "hub", "--data", str(data), *arguments], capture_output=True, text=True, timeout=30)
        assert done.stdout == "" and len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.returncode

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear")
    assert start(foreign, "--listen", "127.0.0.1:0") == 10
    assert sorted(path.name for path in foreign.iterdir()) == ["letter.txt"]

    hub = Hub(data=tmp_path / "data").start()
    assert start(tmp_path / "other", "--listen", f"127.0.0.1:{hub.port}") == 12
    assert start(hub.data, "--listen", "127.0.0.1:0") == 15
    hub.stop()

    with sqlite3.connect(hub.data / "syncline.db") as database:
        database.execute("PRAGMA user_version = 99")
    assert start(hub.data, "--listen", "127.0.0.1:0") == 11
    assert start(tmp_path / "other", "--listen", "nonsense") == 2
    cli("account", "add", "a@example.org", "--plan", "pro", data=tmp_path / "mark")
    (tmp_path / "mark" / "syncline.db-commit").unlink()
    (tmp_path / "mark" / "syncline.db-commit").mkdir()
    assert start(tmp_path / "mark", "--listen", "127.0.0.1:0") == 14
    assert "syncline.db-commit: Is a directory" in cli("account", "list", data=tmp_path / "mark", check=False)[2]
    assert cli("account", "list", data=tmp_path / "none", check=False)[0] == 3
    assert not (tmp_path / "none").exists()


def test_config_show_lists_the_origin_of_settings(tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "hub.yaml").write_text("rate_limit: 7\n")
    monkeypatch.setenv("SYNCLINE_LOG_LEVEL", "warning")
    rows = {row["key"]: row for row in cli_json("config", "show", "--origin", "--listen", "127.0.0.1:1", data=data)["settings"]}
    assert rows["listen"]["origin"] == "flag"
    assert rows["log.level"]["origin"] == "environment SYNCLINE_LOG_LEVEL"
    assert rows["rate_limit"]["origin"].endswith("hub.yaml:1")
    assert rows["history.days"]["origin"] == "default"
    (data / "hub.yaml").write_text("rate_limt: 7\n")
    assert cli("config", "show", data=data, check=False)[0] == 2


def test_a_history_shorter_than_the_undo_of_a_wipe_is_raised_and_logged(tmp_path):
    hub = Hub(data=tmp_path / "data", arguments=["--set", "history.days=3"]).start()
    assert '"event":"history_days_raised","setting":3,"days":7' in hub.log_text()
    hub.stop()


def test_doctor_says_in_words_what_verify_found(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    hub.client().push("s", [{"collection": "c", "id": "1", "doc": {"text": "as it was"}}])
    hub.stop()
    with sqlite3.connect(hub.data / "syncline.db") as database:
        (row,) = database.execute("SELECT row FROM record WHERE instr(row, CAST('as it was' AS BLOB))").fetchone()
        database.execute("UPDATE record SET row = ? WHERE row = ?", (row.replace(b"as it was", b"otherwise"), row))
    code, out, _ = cli("doctor", data=hub.data, check=False)
    line = next(line for line in out.splitlines() if line.startswith("store "))
    assert code == 1 and "failed" in line and "'syncline verify' lists the damage" in line and '"' not in line, line
    assert re.match(r"store +failed +\w", line), line


def test_a_list_without_members_is_none(data):
    assert cli("verify", data=data)[1] == "ok: true\nproblems: none\ndamaged rows: 0\ndamaged: none\n"


def test_doctor_reports_problems(data):
    checks = {row["check"]: row["state"] for row in cli_json("doctor", data=data)["checks"]}
    assert checks["store"] == "ok" and checks["data directory"] == "ok"
    assert cli("doctor", data=str(data) + "-none", check=False)[0] == 1
