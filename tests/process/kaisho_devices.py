"""Kaisho's desktop and phone as their cloud sees them. The desktop keeps what it knows the way the published client does:
naive local stamps compared as text, pull before push, rows stamped anew when they are taken."""
import datetime
import hashlib
import json
import uuid

from harness import Client, WebSocket

EPOCH = "1970-01-01T00:00:00Z"
LIMIT = 200
BATCH = 400
ENTITIES = ("inbox", "tasks", "notes")


class Desktop:
    def __init__(self, url, key, zone, clock_ahead_s=0):
        self.client = Client(url, key)
        self.zone = zone
        self.ahead = datetime.timedelta(seconds=clock_ahead_s)
        self.online = True
        self.rows = {name: {} for name in ("entries", *ENTITIES)}
        self.tombstones = {name: {} for name in self.rows}
        self.pull_cursor = dict.fromkeys(self.rows, EPOCH)
        self.push_cursor = dict.fromkeys(self.rows, EPOCH)
        self.digest = None
        self.discarded = set()  # texts that this device gave up: for a pulled row, or for another before they were sent
        self.unsent = set()
        self.stuck = set()  # D8: edited, but never pushed, because the row was pulled in the same cycle
        self.snapshots_pushed = 0

    # ---- its clock and its stamps ----

    def now(self):
        return (datetime.datetime.now(datetime.timezone.utc) + self.ahead).astimezone(self.zone)

    def local(self, moment):
        return moment.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="microseconds")

    def to_wire(self, local):
        moment = datetime.datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def from_wire(self, text):
        return self.local(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))

    # ---- what its person does ----

    def book(self, text, hours_ago=2):
        end = self.now() - datetime.timedelta(hours=hours_ago)
        return self.put("entries", str(uuid.uuid4()), customer="Acme", description=text, notes="", task_id=None,
                        contract=None, invoiced=False, start=self.local(end - datetime.timedelta(hours=1)),
                        end=self.local(end))

    def start_timer(self, text):
        self.stop_timer()
        return self.put("entries", str(uuid.uuid4()), customer="Acme", description=text, notes="", task_id=None,
                        contract=None, invoiced=False, start=self.local(self.now()), end=None)

    def stop_timer(self):
        for entry_id in self.running():
            self.put("entries", entry_id, end=self.local(self.now()))

    def running(self):
        return [row_id for row_id, row in self.rows["entries"].items() if row["end"] is None]

    def write_note(self, text):
        return self.put("notes", str(uuid.uuid4()), title=text, customer="", body="", tags=[], task_id=None, project="")

    def put(self, resource, row_id, **fields):
        row = self.rows[resource].setdefault(row_id, {"id": row_id, "title": "", "description": ""})
        before = self.text(resource, row)
        row.update(fields, updated_at=self.local(self.now()))
        if self.text(resource, row) != before:
            self.discarded |= {before} & self.unsent
            self.unsent.add(self.text(resource, row))
        return row_id

    def delete(self, resource, row_id):
        row = self.rows[resource].pop(row_id)
        self.discarded |= {self.text(resource, row)} & self.unsent
        self.tombstones[resource][row_id] = {**row, "updated_at": self.local(self.now()),
                                             "deleted_at": self.local(self.now())}

    # ---- one cycle ----

    def sync(self):
        began = self.local(self.now())
        self.pull("entries")
        self.push_cursor["entries"] = max(self.push_cursor["entries"], self.pull_cursor["entries"])
        self.push_entries(began)
        for resource in ENTITIES:
            pulled = self.pull(resource)
            self.push_tombstones(resource)
            edited = {row_id: row for row_id, row in self.rows[resource].items()
                      if row["updated_at"] > self.push_cursor[resource]}
            self.push_rows(resource, [row for row_id, row in edited.items() if row_id not in pulled])
            self.stuck = (self.stuck - set(edited)) | {row_id for row_id in edited if self.is_stuck(row_id, pulled)}
            self.push_cursor[resource] = began
        self.call("GET", "/ref/config")
        self.push_snapshot()

    def call(self, method, path, body=None):
        answer = self.client.call(method, path, json=body)
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    @staticmethod
    def prefix(resource):
        return "/sync" if resource == "entries" else f"/sync/{resource}"

    def pull(self, resource):
        taken = {}
        for _ in range(10_000):
            page = self.call("GET", f"{self.prefix(resource)}/changes?since={self.pull_cursor[resource]}&limit={LIMIT}")
            for row in page["entries"]:
                taken[row["id"]] = self.take(resource, row)
            assert not page["has_more"] or page["cursor"] != self.pull_cursor[resource], "an endless loop"
            self.pull_cursor[resource] = page["cursor"]
            if not page["has_more"]:
                break
        if taken:
            self.call("POST", f"{self.prefix(resource)}/ack", {"ids": list(taken)})
        return taken

    def take(self, resource, row):
        """False if its own row is another and stays."""
        mine = self.rows[resource].get(row["id"])
        if row["deleted_at"]:
            if mine:
                self.give_up(resource, mine)
                del self.rows[resource][row["id"]]
            return True
        stamp = self.from_wire(row["updated_at"])
        if mine and stamp <= mine["updated_at"]:
            return self.text(resource, mine) == self.text(resource, row)
        taken = {"title": "", "description": "", **row, "updated_at": stamp if resource == "entries" else self.local(self.now())}
        for name in ("start", "end"):
            if taken.get(name):
                taken[name] = self.from_wire(taken[name])
        if mine and self.text(resource, mine) != self.text(resource, taken):
            self.give_up(resource, mine)
        self.rows[resource][row["id"]] = taken
        return True

    @staticmethod
    def text(resource, row):
        return row["description"] if resource == "entries" else row["title"]

    def give_up(self, resource, row):
        self.discarded.add(self.text(resource, row))

    def wire_row(self, row):
        self.unsent -= {row["title"], row["description"]}
        times = {name: self.to_wire(row[name]) for name in ("start", "end", "updated_at", "deleted_at") if row.get(name)}
        return {**row, **times}

    def push_tombstones(self, resource):
        if self.tombstones[resource]:
            rows = [self.wire_row(row) for row in self.tombstones[resource].values()]
            self.call("POST", f"{self.prefix(resource)}/apply", {"entries": rows})
            self.tombstones[resource] = {}

    def push_rows(self, resource, rows):
        for begin in range(0, len(rows), BATCH):
            batch = [self.wire_row(row) for row in rows[begin:begin + BATCH]]
            self.call("POST", f"{self.prefix(resource)}/apply", {"entries": batch})

    def push_entries(self, began):
        self.push_tombstones("entries")
        cursor = self.push_cursor["entries"]
        rows = [row for row in self.rows["entries"].values() if cursor == EPOCH or row["updated_at"] > cursor]
        for row in rows:
            if row["end"] is None:
                wire = self.wire_row(row)
                self.call("POST", "/sync/active/start", {name: wire.get(name) for name in (
                    "id", "start", "customer", "description", "task_id", "contract")})
        self.push_rows("entries", [row for row in rows if row["end"] is not None])
        self.push_cursor["entries"] = began

    @staticmethod
    def is_stuck(row_id, pulled):
        """Its own edit is newer than what was pulled for it. A row that was taken is not an edit."""
        return row_id in pulled and not pulled[row_id]

    def push_snapshot(self):
        snapshot = {"customers": [{"name": "Acme", "contracts": []}], "tasks": []}
        config = {"tags": [{"name": "ä", "color": "#fff"}], "user_name": "Ann", "avatar_seed": 1.5}
        if self.digest == self.hash({**snapshot, "config": config}):
            return
        echo = self.call("POST", "/sync/push-snapshot", {**snapshot, "snapshot_at": self.local(self.now()),
                                                         "config": config})
        self.digest = self.hash({**snapshot, "config": echo.get("config") or config})
        self.snapshots_pushed += 1

    @staticmethod
    def hash(payload):
        return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def forget_sync_state(self):
        """What connecting anew does."""
        for name in self.rows:
            self.pull_cursor[name] = self.push_cursor[name] = EPOCH
        self.tombstones["entries"] = {}

    def content(self, resource):
        """What a person sees: without stamps."""
        shown = {"entries": ("description", "start", "end"), "notes": ("title",), "tasks": ("title",),
                 "inbox": ("title",)}[resource]
        return {row_id: tuple(self.to_wire(row[name]) if name in ("start", "end") and row[name] else row[name]
                              for name in shown) for row_id, row in self.rows[resource].items()}


class Phone:
    """Online or not at all: it changes the cloud itself and keeps nothing."""

    def __init__(self, url, key):
        self.client = Client(url, key)

    def start(self, text):
        return self.client.post("/clocks/start", {"description": text})

    def stop(self):
        return self.client.post("/clocks/stop")

    def book(self, text):
        return self.client.post("/clocks/quick-book", {"duration": "30m", "description": text}).json()["id"]

    def change(self, entry_id, **fields):
        return self.client.call("PATCH", f"/clocks/{entry_id}", json=fields)

    def rows(self, resource):
        """The whole cloud, page by page."""
        rows, cursor, more = [], EPOCH, True
        while more:
            page = self.client.get(f"{Desktop.prefix(resource)}/changes?limit=500&since={cursor}").json()
            rows += page["entries"]
            cursor, more = page["cursor"], page["has_more"]
        return rows

    def content(self, resource):
        shown = ("description", "start", "end") if resource == "entries" else ("title",)
        return {row["id"]: tuple(row[name] for name in shown) for row in self.rows(resource) if not row["deleted_at"]}


def open_events(url, key):
    """A socket as the desktop opens it: the key comes as the first message."""
    socket = WebSocket(int(url.rsplit(":", 1)[1]), "/ws", None)
    socket.send({"type": "auth", "api_key": key})
    return socket
