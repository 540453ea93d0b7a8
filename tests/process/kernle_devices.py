"""A Kernle client as the hub sees it: a home with a local store, a queue and a login of its own.

It behaves as the published client does where that matters to a hub: a new connection for each call; `since` is a time of
its own clock, changed only after an answer that was not empty has been applied; it overwrites what it pulls without
comparing, keeps a handful of fields of it, and drops its own pending edit of the record; it applies notes and episodes
only, and no deletes; it reads of a push which operations were acknowledged, and sends the others again.
"""
import datetime
import uuid

import requests

KEPT = {"notes": ("content", "note_type", "tags"),
        "episodes": ("objective", "outcome_type", "outcome", "lessons", "tags")}
LISTS = {"tags", "lessons"}
ACK_KEYS = ("acknowledged_operations", "acknowledged", "acked_operations", "synced_operations", "applied_operations",
            "applied", "synced_records", "record_ids")


class Home:
    def __init__(self, url, api_key, stack, ahead_s=0):
        self.url = url
        self.stack = stack
        self.ahead = datetime.timedelta(seconds=ahead_s)
        self.rows = {}  # (table, id) -> data
        self.queue = {}  # (table, id) -> operation, oldest first
        self.refused = {}
        self.quarantine = []
        self.applied = set()  # (table, id, seq) since the record was last pushed: a version that lost is answered again
        self.overwritten = []  # texts of own edits that a pull took away before they were pushed
        self.superseded = []  # texts of own edits that were edited again before they were pushed
        self.since = None
        # The hub cannot tell which of two answers without a label was applied: the next one may repeat what the second had.
        # The first label of a clock that is far behind looks like one from before the login.
        self.may_repeat = ahead_s < -600
        answer = requests.post(f"{url}/auth/login", headers={"Authorization": f"Bearer {api_key}"}, timeout=30)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]

    def now(self):
        return (datetime.datetime.now(datetime.timezone.utc) + self.ahead).isoformat(timespec="microseconds")

    def call(self, path, body):
        return requests.post(self.url + path, json=body, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def put(self, table, text, record_id=None, **fields):
        """Makes or edits a record; `text` goes into its main field."""
        record_id = record_id or str(uuid.uuid4())
        main = {"notes": "content", "episodes": "objective"}.get(table, "statement")
        data = dict(self.rows.get((table, record_id)) or {"created_at": self.now(), "context": None})
        if (table, record_id) in self.queue:
            self.superseded.append(data.get(main))
        data.update({main: text, **fields})
        self.rows[table, record_id] = data
        self._enqueue(table, record_id, "update", {**data, "id": record_id, "stack_id": self.stack, "version": 1,
                                                   "deleted": False, "local_updated_at": None})
        return record_id

    def delete(self, table, record_id):
        gone = self.rows.pop((table, record_id), None)
        if gone and (table, record_id) in self.queue:
            self.superseded.append(gone.get("statement"))
        self._enqueue(table, record_id, "delete", None)

    def _enqueue(self, table, record_id, operation, data):
        row = {"operation": operation, "table": table, "record_id": record_id, "local_updated_at": self.now(),
               "version": 1}
        if data is not None:
            row["data"] = data
        self.queue[table, record_id] = row

    def push(self, limit=100, lose_answer=False):
        batch = list(self.queue.items())[:limit]
        if not batch:
            return None
        pushed = {key for key, _ in batch}
        self.applied = {row for row in self.applied if row[:2] not in pushed}
        answer = self.call("/sync/push", {"stack_id": self.stack, "operations": [row for _, row in batch]})
        assert answer.status_code == 200, answer.text
        if lose_answer:
            return None
        body = answer.json()
        acknowledged = self._acknowledged(body, batch)
        for key, row in batch:
            if key in acknowledged and self.queue.get(key) is row:
                del self.queue[key]
        return body

    @staticmethod
    def _acknowledged(body, batch):
        for name in ACK_KEYS:
            named = {(item.get("table") or item.get("table_name"), item.get("record_id") or item.get("id"))
                     for item in body.get(name) or [] if isinstance(item, dict)}
            if named:
                return named
        refused = {(item.get("table"), item["record_id"]) for item in body["conflicts"]}
        accepted = {key for key, _ in batch} - refused
        return accepted if body["synced"] == len(accepted) else set()

    def pull(self, lose_answer=False, full=False):
        body = {"stack_id": self.stack}
        if self.since is not None and not full:
            body["since"] = self.since
        answer = self.call("/sync/pull", body)
        assert answer.status_code == 200, answer.text
        if lose_answer:
            self.may_repeat = self.may_repeat or "since" not in body
            return None
        page = answer.json()
        for operation in page["operations"]:
            self._apply(operation, full or self.may_repeat)
        self.may_repeat = self.may_repeat and "since" not in body
        if page["operations"]:
            self.since = self.now()
        return page

    def _apply(self, operation, may_repeat):
        table, record_id, data = operation["table"], operation["record_id"], operation["data"]
        if not may_repeat:
            assert (table, record_id, operation["seq"]) not in self.applied, f"delivered twice: {operation}"
        self.applied.add((table, record_id, operation["seq"]))
        if table not in KEPT or operation["operation"] != "update":
            self.quarantine.append(operation)
            return
        pending = self.queue.pop((table, record_id), None)
        if pending and "data" in pending:
            self.overwritten.append(pending["data"][KEPT[table][0]])
        row = {name: data.get(name, [] if name in LISTS else None) for name in KEPT[table]}
        self.rows[table, record_id] = {**row, "created_at": self.now(), "context": None, "confidence": 0.8}

    def content(self):
        """What a person sees of notes and episodes; lists as sets."""
        return {key: {name: sorted(row.get(name) or []) if name in LISTS else row.get(name) for name in KEPT[key[0]]}
                for key, row in self.rows.items() if key[0] in KEPT}
