"""Two desktops and a phone live through a week of hours: offline for a while, clocks ahead and behind, equal stamps, timers
that race, a wipe and a reconnect. In the end all three hold the same, and everything anybody wrote can be found."""
import datetime
import json
import random
import time

import pytest

from harness import Hub, WebSocket, wait_until
from kaisho_devices import Desktop, Phone, open_events

ZONES = {"UTC": 0, "America/Los_Angeles": -8, "Asia/Tokyo": 9}
HOURS = 7 * 24


class World:
    def __init__(self, hub, zone, seed, clocks_s):
        self.hub = hub
        self.random = random.Random(seed)
        tz = datetime.timezone(datetime.timedelta(hours=ZONES[zone]))
        key = hub.add_key()["key"]  # one key for all, as Kaisho has it
        self.desktops = [Desktop(hub.url, key, tz, ahead) for ahead in clocks_s]
        self.phone = Phone(hub.url, key)
        self.native = hub.client(label="auditor")
        self.written = set()
        self.count = 0

    def text(self, who):
        self.count += 1
        self.written.add(f"{who} {self.count}")
        return f"{who} {self.count}"

    def hour(self):
        for index, desktop in enumerate(self.desktops):
            if self.random.random() < 0.06:
                desktop.online = not desktop.online
            for _ in range(self.random.choice((0, 0, 1, 2))):
                self.use(desktop, f"desktop{index}")
        if self.random.random() < 0.4:
            self.use_phone()
        self.sync_all()

    def use(self, desktop, who):
        entries = list(desktop.rows["entries"])
        notes = list(desktop.rows["notes"])
        action = self.random.randrange(9)
        if action == 0 or not entries:
            desktop.book(self.text(who))
        elif action == 1:
            desktop.start_timer(self.text(who))
        elif action == 2:
            desktop.stop_timer()
        elif action in (3, 4):
            entry = self.random.choice(entries)
            desktop.put("entries", entry, description=self.text(who))
        elif action == 5 and len(entries) > 3:
            desktop.delete("entries", self.random.choice(entries))
        elif action == 6 or not notes:
            desktop.write_note(self.text(who))
        else:
            desktop.put("notes", self.random.choice(notes), title=self.text(who))

    def use_phone(self):
        entries = list(self.phone.content("entries"))
        action = self.random.randrange(4)
        if action == 0:
            answer = self.phone.start("phone")
            assert answer.status_code in (201, 409)
        elif action == 1:
            assert self.phone.stop().status_code in (200, 404)
        elif action == 2 or not entries:
            self.phone.book(self.text("phone"))
        else:
            assert self.phone.change(self.random.choice(entries), description=self.text("phone")).status_code == 200

    def sync_all(self):
        """A push wakes everybody, the sender too: two rounds stand for the event and the cycle it causes."""
        for _ in range(2):
            for desktop in self.desktops:
                if desktop.online:
                    desktop.sync()

    def settle(self):
        for desktop in self.desktops:
            desktop.online = True
        for _ in range(4):
            self.sync_all()

    def kept_texts(self):
        """Every text that the hub still has anywhere: current, deleted, replaced, or in the conflict list."""
        found = self.native.get("/v1/spaces/kaisho/conflicts?state=all&limit=5000").text
        found += json.dumps(self.phone.rows("entries")) + json.dumps(self.phone.rows("notes"))
        for change in self.native.all_changes("kaisho"):
            if change["collection"] in ("entries", "notes"):
                found += self.native.get(f"/v1/spaces/kaisho/records/{change['collection']}/{change['id']}/history").text
        return found

    def check_equal(self):
        for resource in ("entries", "notes"):
            shown = [device.content(resource) for device in (*self.desktops, self.phone)]
            for content in shown if resource == "notes" else []:
                for row_id in set().union(*(desktop.stuck for desktop in self.desktops)):
                    content.pop(row_id, None)  # no hub can cure D8
            assert shown[0] == shown[1] == shown[2], resource

    def check_nothing_lost(self):
        kept = self.kept_texts()
        # What a device gave up never came to the hub, nor does what is stuck on it; no hub can do anything about that.
        on_devices = set().union(*(desktop.discarded | desktop.unsent for desktop in self.desktops))
        lost = [text for text in self.written if f'"{text}"' not in kept and text not in on_devices]
        assert lost == []


@pytest.fixture(params=ZONES)
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    return request.param


@pytest.fixture
def zoned_hub(zone):
    running = Hub().start()
    yield running
    assert running.stop() == 0, running.log_text()[-3000:]
    assert '"level":"error"' not in running.log_text()


@pytest.mark.parametrize("clocks_s", [(0, 0), (-3600, 0), (0, 180)], ids=["right", "one behind", "one ahead"])
def test_a_week_of_two_desktops_and_a_phone(zoned_hub, zone, clocks_s):
    world = World(zoned_hub, zone, f"{zone} {clocks_s}", clocks_s)
    for _ in range(HOURS):
        world.hour()
    world.settle()
    world.check_equal()
    world.check_nothing_lost()
    running = [entry for entry in world.phone.content("entries").values() if entry[2] is None]
    assert len(running) <= 1
    assert all(len(desktop.running()) <= 1 for desktop in world.desktops)
    assert [desktop.snapshots_pushed for desktop in world.desktops] == [1, 1], "the echo is exact"


def test_devices_converge_after_a_clock_was_a_day_ahead(zoned_hub, zone):
    world = World(zoned_hub, zone, zone, (86_400, 0))
    for _ in range(48):
        world.hour()
    world.desktops[0].ahead = datetime.timedelta(0)
    world.settle()
    world.check_equal()


def test_a_wipe_and_a_reconnect(zoned_hub, zone):
    world = World(zoned_hub, zone, zone, (0, 0))
    for _ in range(24):
        world.hour()
    world.settle()
    before = world.desktops[0].content("entries")
    assert world.desktops[0].client.call("DELETE", "/sync/entries").status_code == 200
    assert world.phone.content("entries") == {}
    for desktop in world.desktops:
        desktop.forget_sync_state()
    world.settle()
    assert world.phone.content("entries") == before, "what the desktops hold comes back"
    world.check_equal()


def test_an_idle_week_transfers_nothing(zoned_hub, zone):
    """No echo goes round: when nobody writes, nobody pushes anything that counts."""
    world = World(zoned_hub, zone, zone, (0, 0))
    for _ in range(12):
        world.hour()
    world.settle()
    head = world.native.get("/v1/spaces").json()["spaces"]
    for _ in range(5):
        world.sync_all()
    assert world.native.get("/v1/spaces").json()["spaces"] == head


def test_an_interrupted_first_sync_loses_no_history(hub):
    """D6: the first pull brought a row, the push failed; the next cycle still pushes everything."""
    key = hub.add_key()["key"]
    other = Desktop(hub.url, key, datetime.timezone.utc)
    other.book("there before")
    other.sync()
    mine = Desktop(hub.url, key, datetime.timezone.utc)
    for number in range(650):
        mine.book(f"history {number}", hours_ago=number + 10)
    for row in mine.rows["entries"].values():
        row["updated_at"] = row["end"]  # written long ago
    mine.pull("entries")
    mine.push_cursor["entries"] = max(mine.push_cursor["entries"], mine.pull_cursor["entries"])
    mine.sync()
    other.sync()
    assert len(other.content("entries")) == 651


def test_events_reach_every_socket_including_the_senders(hub):
    key = hub.add_key()["key"]
    sockets = [open_events(hub.url, key) for _ in range(2)]
    devices = [socket.receive() for socket in sockets]
    assert [message["event"] for message in devices] == ["connected", "connected"]
    assert sorted(message["data"]["devices"] for message in devices) == [1, 2]
    desktop = Desktop(hub.url, key, datetime.timezone.utc)
    desktop.start_timer("now")
    desktop.write_note("note")
    desktop.sync()
    for socket in sockets:
        names = [socket.receive()["event"] for _ in range(3)]
        assert names == ["timer:started", "entries:changed", "notes:changed"]
    for socket in sockets:
        socket.close()


@pytest.mark.parametrize("first", [None, "not json", {"type": "hello"}, {"type": "auth", "api_key": "wrong-key-0"},
                                   {"type": "auth"}])
def test_a_socket_without_a_good_first_message_is_closed_with_4001(hub, first):
    socket = WebSocket(hub.port, "/ws", None)
    if isinstance(first, dict):
        socket.send(first)
    elif first:
        socket._send(1, first.encode())
    began = time.monotonic()
    assert socket.receive() == ("close", 4001)
    assert time.monotonic() - began < 8
    assert (time.monotonic() - began > 4) == (first is None)


def test_a_revoked_key_closes_its_socket_and_a_token_opens_one(hub):
    added = hub.add_key()
    socket = WebSocket(hub.port, "/ws", None)
    socket.send({"type": "auth", "token": added["key"]})
    assert socket.receive()["event"] == "connected"
    from harness import cli
    cli("key", "revoke", added["id"], data=hub.data)
    assert socket.receive() == ("close", 4001)


def test_a_slow_reader_gets_changed_events_instead(hub):
    key = hub.add_key()["key"]
    slow = open_events(hub.url, key)
    assert slow.receive()["event"] == "connected"
    desktop = Desktop(hub.url, key, datetime.timezone.utc)
    for number in range(300):
        desktop.client.post("/sync/notes/apply", {"entries": [{"id": str(number), "title": "x" * 10,
                                                               "updated_at": "2026-11-22T09:00:00Z"}]})
    names = {slow.receive()["event"] for _ in range(5)}
    assert "notes:changed" in names


def test_a_uuid_key_and_a_connection_for_each_request(hub):
    token = "123e4567-e89b-42d3-a456-426614174000"
    hub.add_key(token=token)
    import urllib.request
    for _ in range(3):
        request = urllib.request.Request(f"{hub.url}/sync/stats", headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", "Connection": "close"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert b'"plan":"sync"' in answer.read()


def test_a_wipe_is_undone_by_the_operator(hub):
    from harness import cli_json
    key = hub.add_key()["key"]
    desktop = Desktop(hub.url, key, datetime.timezone.utc)
    entry = desktop.book("kept")
    desktop.sync()
    assert desktop.client.call("DELETE", "/sync/entries").json() == {"deleted": 1}
    assert cli_json("account", "undo-wipe", "ann@example.org", data=hub.data)["restored"] == 1
    assert entry in Phone(hub.url, key).content("entries")


def test_sixty_megabytes_in_one_request(hub):
    client = hub.client()
    rows = [{"id": f"n{number}", "body": "x" * 60_000, "updated_at": "2026-11-22T09:00:00Z"} for number in range(1000)]
    answer = client.post("/sync/notes/apply", {"entries": rows})
    assert answer.status_code == 200 and answer.json()["inserted"] == 1000
    wait_until(lambda: client.get("/health").status_code == 200, "the hub to answer")


def test_ten_thousand_sockets_receive_a_change():
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    hub = Hub(arguments=["--set", "limits.connections_per_address=0"]).start()
    key = hub.add_key()["key"]
    sockets = []
    while len(sockets) < count:
        sockets += [open_events(hub.url, key) for _ in range(min(1000, count - len(sockets)))]
        for socket in sockets:
            socket.answer_pings()  # opening all takes longer than the hub waits for an answer
    assert all(socket.receive()["event"] == "connected" for socket in sockets)
    client = hub.client(label="writer")
    client.post("/sync/tasks/apply", {"entries": [{"id": "t", "updated_at": "2026-11-22T09:00:00Z"}]})
    assert all(socket.receive() == {"event": "tasks:changed", "data": {"count": 1}} for socket in sockets)
    for socket in sockets:
        socket.close()
    assert hub.stop() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
