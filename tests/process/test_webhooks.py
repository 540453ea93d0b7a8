"""Webhooks of a real hub, received with the published library of Standard Webhooks."""
import json
import queue
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from harness import BINARY, Client, Hub, SLOW, cli, cli_json, free_port, wait_until
from kernle_devices import Home

RECEIVER = Path(__file__).parent / "receiver"


class Receiver:
    def __init__(self, port, secret, mode="ok"):
        self.process = subprocess.Popen(["node", "receiver.mjs", str(port), secret, mode], cwd=RECEIVER, text=True,
                                        stdout=subprocess.PIPE)
        assert "listening" in self.process.stdout.readline()
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.seen = []

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def all_seen(self):
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return self.seen

    def wait_for(self, count):
        wait_until(lambda: len(self.all_seen()) >= count, f"{count} messages, not {len(self.seen)}")
        return self.seen

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start_receiver():
    started = []

    def start(*arguments):
        started.append(Receiver(*arguments))
        return started[-1]

    yield start
    for receiver in started:
        receiver.stop()


def start_hub(*more, retries="1,1,1,1,1,1,1,1,1"):
    settings = [f"webhooks.retry_seconds={retries}", "webhooks.timeout_seconds=2", *more]
    return Hub(arguments=[word for setting in settings for word in ("--set", setting)]).start()


@pytest.fixture
def hooked_hub():
    hub = start_hub("webhooks.allow=127.0.0.0/8")
    yield hub
    if hub.process is not None:
        assert hub.stop() == 0, hub.log_text()[-3000:]
    assert "whsec_" not in hub.log_text()


def subscribe(client, port, *events):
    answer = client.post("/webhooks", {"webhook_url": f"http://127.0.0.1:{port}/hook", "events": list(events)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def subscribe_at(client, url):
    return client.post("/webhooks", {"webhook_url": url, "events": ["memory.created"]})


def deliveries(client, webhook):
    return client.get(f"/webhooks/{webhook['id']}/deliveries").json()["deliveries"]


def test_the_published_library_verifies_each_event(hooked_hub, start_receiver):
    client = hooked_hub.client()
    port = free_port()
    webhook = subscribe(client, port, "sync.completed", "memory.created", "conflict.detected")
    receiver = start_receiver(port, webhook["secret"])
    home, other = (Home(hooked_hub.url, client.key, "claire", ahead) for ahead in (0, -60))
    record_id = home.put("notes", "later")
    other.put("notes", "earlier", record_id)
    home.push()
    other.push()
    seen = receiver.wait_for(4)
    assert all(message["verified"] for message in seen), seen
    assert [message["body"]["type"] for message in seen] == ["memory.created", "sync.completed", "conflict.detected",
                                                            "sync.completed"]
    assert seen[0]["body"]["data"]["record_id"] == record_id
    assert {message["body"]["data"]["agent_id"] for message in seen} == {"claire"}
    assert len({message["id"] for message in seen}) == 4
    wait_until(lambda: all(row["state"] == "delivered" for row in deliveries(client, webhook)), "the log to say so")


def test_a_recovered_receiver_sees_each_event_with_its_original_id(hooked_hub, start_receiver):
    client = hooked_hub.client()
    port = free_port()
    webhook = subscribe(client, port, "memory.created")
    home = Home(hooked_hub.url, client.key, "claire")
    for number in range(20):
        home.put("notes", f"n{number}")
    home.push()
    wait_until(lambda: any(row["attempts"] > 0 for row in deliveries(client, webhook)), "an attempt in vain")
    ids = {row["message_id"] for row in deliveries(client, webhook)}
    assert len(ids) == 20
    # The hub is killed while they wait: they are there after it.
    hooked_hub.kill()
    hooked_hub.start()
    receiver = start_receiver(port, webhook["secret"])
    seen = receiver.wait_for(20)
    assert {message["id"] for message in seen} == ids
    assert all(message["verified"] for message in seen)


def test_every_event_arrives_even_if_the_hub_is_killed(hooked_hub, start_receiver):
    client = hooked_hub.client()
    port = free_port()
    webhook = subscribe(client, port, "memory.created")
    receiver = start_receiver(port, webhook["secret"])
    key = client.key
    pushed = set()
    for _ in range(6):
        home = Home(hooked_hub.url, key, "claire")
        for _ in range(5):
            record_id = home.put("notes", "x")
            home.push()
            pushed.add(record_id)
        hooked_hub.kill()
        hooked_hub.start()
    wait_until(lambda: {row["body"]["data"]["record_id"] for row in receiver.all_seen()} >= pushed, "all of them")
    by_id = {}
    for message in receiver.seen:
        by_id.setdefault(message["id"], set()).add(message["body"]["data"]["record_id"])
    assert all(len(records) == 1 for records in by_id.values())


def test_private_addresses_are_refused_unless_allowed(start_receiver):
    hub = start_hub("webhooks.allow=127.0.0.0/8,::1,0.0.0.0,::ffff:127.0.0.1")
    client = hub.client()
    port = free_port()
    names = {}
    hosts = ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1")
    for host in hosts:
        names[host] = subscribe_at(client, f"http://{host}:{port}/").json()
    assert hub.stop() == 0
    hub.arguments = [word for word in hub.arguments if not word.startswith("webhooks.allow") and word != "--set"]
    hub.arguments = [part for word in hub.arguments for part in ("--set", word)]
    hub.start()
    client = Client(hub.url, client.key)
    for host in hosts:
        refused = subscribe_at(client, f"http://{host}:{port}/")
        assert refused.status_code == 400 and "webhooks.allow" in refused.json()["detail"], host
    receiver = start_receiver(port, names["127.0.0.1"]["secret"])
    home = Home(hub.url, client.key, "claire")
    home.put("notes", "n")
    home.push()
    for host, webhook in names.items():
        wait_until(lambda of=webhook: deliveries(client, of) and deliveries(client, of)[0]["attempts"] > 0, host)
        assert "it has no address that is public or allowed" in deliveries(client, webhook)[0]["last_error"], host
    assert receiver.all_seen() == []
    assert hub.stop() == 0


def test_redirects_and_refusals_are_failures_and_410_is_final(hooked_hub, start_receiver):
    client = hooked_hub.client()
    ports = {mode: free_port() for mode in ("redirect", "fail", "gone")}
    webhooks = {mode: subscribe(client, port, "memory.created") for mode, port in ports.items()}
    receivers = {mode: start_receiver(port, webhooks[mode]["secret"], mode) for mode, port in ports.items()}
    home = Home(hooked_hub.url, client.key, "claire")
    home.put("notes", "n")
    home.push()
    receivers["redirect"].wait_for(2)
    assert {message["path"] for message in receivers["redirect"].all_seen()} == {"/hook"}
    receivers["fail"].wait_for(2)
    wait_until(lambda: not client.get(f"/webhooks/{webhooks['gone']['id']}").json()["enabled"], "the end of the gone one")
    assert "410" in client.get(f"/webhooks/{webhooks['gone']['id']}").json()["disabled_because"]
    assert len(receivers["gone"].all_seen()) == 1


def test_an_unresponsive_receiver_delays_no_push_and_no_other_receiver(hooked_hub, start_receiver):
    client = hooked_hub.client()
    slow_port, good_port = free_port(), free_port()
    slow = subscribe(client, slow_port, "memory.created")
    good = subscribe(client, good_port, "memory.created")
    start_receiver(slow_port, slow["secret"], "slow")
    receiver = start_receiver(good_port, good["secret"])
    home = Home(hooked_hub.url, client.key, "claire")
    began = time.monotonic()
    for number in range(30):
        home.put("notes", f"n{number}")
        home.push()
    took = time.monotonic() - began
    receiver.wait_for(30)
    assert SLOW or took < 5, took
    wait_until(lambda: any("in time" in row["last_error"] for row in deliveries(client, slow)), "the log to say why")


def test_webhooks_from_the_command_line(hooked_hub, start_receiver):
    client = hooked_hub.client()
    port = free_port()
    data = hooked_hub.data
    made = cli_json("webhook", "add", f"http://127.0.0.1:{port}/hook", "--account", "ann@example.org", "--events",
                    "record.changed,timer.started", data=data)
    assert made["secret"].startswith("whsec_")
    assert cli_json("webhooks", "list", data=data)["webhooks"][0]["id"] == made["id"]
    receiver = start_receiver(port, made["secret"])
    client.push("s", [{"collection": "c", "id": "i", "doc": {}}])
    first = receiver.wait_for(1)[0]
    assert first["body"]["data"]["record_id"] == "i"
    log = cli_json("webhook", "deliveries", made["id"], data=data)["deliveries"]
    assert log[0]["message_id"] == first["id"]
    assert cli_json("webhook", "replay", made["id"], str(log[0]["id"]), data=data)["replayed"] == 1
    assert receiver.wait_for(2)[1]["id"] == first["id"]
    rotated = cli_json("webhook", "rotate", made["id"], data=data)
    assert rotated["secret"] != made["secret"]
    client.push("s", [{"collection": "c", "id": "j", "doc": {}}])
    assert receiver.wait_for(3)[2]["verified"], "the old secret signs too, for a day"
    cli_json("webhook", "remove", made["id"], data=data)
    assert cli_json("webhook", "list", data=data)["webhooks"] == []


def test_operators_hear_of_backups_that_fail_and_that_succeed_again(hooked_hub, start_receiver, tmp_path):
    client = hooked_hub.client()
    port = free_port()
    data = hooked_hub.data
    made = cli_json("webhook", "add", f"http://127.0.0.1:{port}/hook", "--account", "ann@example.org", "--events",
                    "backup.failed,backup.ok", data=data)
    receiver = start_receiver(port, made["secret"])
    assert cli("backup", str(tmp_path / "none" / "b.db"), data=data, check=False)[0] != 0
    failed = receiver.wait_for(1)[0]
    assert failed["verified"] and failed["body"]["type"] == "backup.failed"
    assert failed["body"]["data"]["path"].endswith("/none/b.db") and failed["body"]["data"]["error"]
    assert client.get("/ready").json()["status"] == "degraded"
    checks = {row["check"]: row for row in cli_json("doctor", data=data)["checks"]}
    assert checks["backup"]["state"] == "warning" and "failed" in checks["backup"]["detail"]
    assert '"event":"backup_failed"' in hooked_hub.log_text()
    cli("backup", str(tmp_path / "b.db"), data=data)
    wait_until(lambda: receiver.all_seen()[-1]["body"]["type"] == "backup.ok", "the success")
    assert client.get("/ready").json() == {"status": "ready"}
    metrics = dict(line.split() for line in hooked_hub.metrics().splitlines() if line.startswith("syncline_backup_"))
    assert metrics["syncline_backup_failures"] == "1" and metrics["syncline_backup_overdue"] == "0"
    assert abs(float(metrics["syncline_backup_last_success_timestamp_seconds"]) - time.time()) < 600
    listed = cli_json("webhook", "list", data=data)["webhooks"]
    assert [row["account"] for row in listed] == ["ann@example.org"]
    member = hooked_hub.client(email="bob@example.org")
    refused = member.post("/webhooks", {"webhook_url": f"http://127.0.0.1:{port}/", "events": ["backup.overdue"]})
    assert refused.status_code == 403 and "admins" in refused.json()["detail"]


def test_removing_an_account_erases_all_its_data(hooked_hub):
    client = hooked_hub.client()
    subscribe(client, free_port(), "memory.created")
    home = Home(hooked_hub.url, client.key, "claire")
    home.put("notes", "a telltale word: zanzibar")
    home.push()
    assert client.post("/memories/search", {"query": "zanzibar"}).status_code == 200
    cli_json("account", "remove", "ann@example.org", "--yes", data=hooked_hub.data)
    assert cli_json("webhook", "list", data=hooked_hub.data)["webhooks"] == []
    hooked_hub.stop()
    assert b"zanzibar" not in Path(hooked_hub.data, "search.db").read_bytes()
    with closing(sqlite3.connect(Path(hooked_hub.data, "syncline.db"))) as store:
        for table in ("webhook", "delivery", "lease"):
            assert store.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_restored_hub_sends_what_was_waiting_in_the_backup(hooked_hub, start_receiver, tmp_path):
    client = hooked_hub.client()
    port = free_port()
    webhook = subscribe(client, port, "memory.created")
    home = Home(hooked_hub.url, client.key, "claire")
    for number in range(3):
        home.put("notes", f"n{number}")
    home.push()
    wait_until(lambda: any(row["attempts"] > 0 for row in deliveries(client, webhook)), "an attempt in vain")
    ids = {row["message_id"] for row in deliveries(client, webhook)}
    assert len(ids) == 3
    cli("backup", str(tmp_path / "copy.db"), data=hooked_hub.data)
    hooked_hub.stop()
    restored = Hub(arguments=hooked_hub.arguments)
    cli("restore", str(tmp_path / "copy.db"), data=restored.data)
    restored.start()
    receiver = start_receiver(port, webhook["secret"])
    assert {message["id"] for message in receiver.wait_for(3)} == ids
    assert restored.stop() == 0


def write_queue_of_an_earlier_version(path, webhook, finished, waiting):
    with closing(sqlite3.connect(path)) as old:
        old.executescript("""
            PRAGMA journal_mode = WAL;
            CREATE TABLE message (id TEXT PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL)
              WITHOUT ROWID;
            CREATE TABLE delivery (number INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL,
              message TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL,
              last_at INTEGER NOT NULL, last_status INTEGER NOT NULL, last_error TEXT NOT NULL,
              UNIQUE (webhook, message));
            PRAGMA application_id = 0x53594E51; PRAGMA user_version = 1;""")
        now = time.time_ns() // 1000
        for number in range(finished + waiting):
            is_finished = number < finished
            body = json.dumps({"type": "memory.created", "data": {"n": number}}).encode()
            old.execute("INSERT INTO message VALUES (?, 'memory.created', ?, ?)", (f"msg_{number}", body, now))
            old.execute("INSERT INTO delivery VALUES (NULL, ?, ?, ?, 1, ?, ?, 200, '')",
                        (webhook, f"msg_{number}", int(is_finished), now, now))
        old.commit()


def test_what_an_earlier_version_had_queued_is_sent_even_if_the_move_is_killed(hooked_hub, start_receiver):
    client = hooked_hub.client()
    port = free_port()
    webhook = subscribe(client, port, "memory.created")
    hooked_hub.stop()
    data = Path(hooked_hub.data)
    old = data / "webhooks.db"
    finished, waiting = 100_000, 20
    write_queue_of_an_earlier_version(old, webhook["id"], finished, waiting)

    def mark():
        with closing(sqlite3.connect(data / "syncline.db", timeout=10)) as store:
            found = store.execute("SELECT value FROM directory_mark WHERE name = 'deliveries_moved_through'").fetchone()
            return found[0] if found else 0

    with closing(sqlite3.connect(data / "syncline.db")) as store:
        store.execute("DELETE FROM directory_mark WHERE name = 'webhooks_moved'")
        store.commit()
    kills = 0
    for _ in range(3):
        before = mark()
        process = subprocess.Popen([BINARY, "hub", "--data", str(data), "--listen", "127.0.0.1:0",
                                    *hooked_hub.arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda than=before: mark() > than or not old.exists(), "a step of the move")
        kills += old.exists()
        process.kill()
        process.wait()
    assert kills > 0, "the move was killed at least once before its end"
    hooked_hub.start()
    receiver = start_receiver(port, webhook["secret"])
    seen = receiver.wait_for(waiting)
    assert {message["id"] for message in seen} == {f"msg_{number}" for number in range(finished, finished + waiting)}
    assert not old.exists()
    client = hooked_hub.client()
    wait_until(lambda: all(row["state"] == "delivered" for row in deliveries(client, webhook)), "the log to say so")
    hooked_hub.stop()
    with closing(sqlite3.connect(data / "syncline.db")) as store:
        assert store.execute("SELECT count(*) FROM delivery").fetchone() == (finished + waiting,)
