"""The two published services as they are, defects included: Kaisho's cloud and Kernle's backend, each with one account.

They know nothing of /v1. What they do wrong is on purpose: cursors that are time stamps, milliseconds where
microseconds were sent, no merge, deletions that are not delivered.
"""
import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

EPOCH = "1970-01-01T00:00:00.000Z"


def now():
    return datetime.now(timezone.utc)


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def millis(time):
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


class Service:
    """Runs handlers `METHOD_path` of a subclass, one request at a time. They answer (status, object)."""

    def __init__(self, key):
        self.key = key
        self.requests = []
        self.lock = threading.Lock()
        self.is_down = False
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                with service.lock:
                    service.requests.append((self.command, url.path))
                    status, body = service.handle(self.command, url.path, query, json.loads(text or b"null"), bearer)
                out = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            do_GET = do_POST = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, method, path, query, body, bearer):
        if self.is_down:
            return 503, {"error": "down"}
        handler = getattr(self, (method + path).replace("/", "_"), None)
        if handler is None:
            return 404, {"error": "not found"}
        if not self.is_known(path, bearer):
            return 401, {"error": "unknown key", "detail": "unknown key"}
        return handler(query, body)

    def is_known(self, path, bearer):
        return bearer == self.key

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class KaishoCloud(Service):
    RESOURCES = {"entries": "", "inbox": "_inbox", "tasks": "_tasks", "notes": "_notes"}  # as of 1.7.3
    ROWS_MAX = 500

    def __init__(self, key="5f0c6e3a-7a53-4bd8-93a5-2f7f4f8f2f10"):
        self.rows = {}
        self.acked = set()
        for name, part in self.RESOURCES.items():
            self.add_resource(name, part)
        super().__init__(key)

    def add_resource(self, name, part):
        self.rows[name] = {}
        setattr(self, f"GET_sync{part}_changes", lambda query, _: self.changes(name, query))
        setattr(self, f"POST_sync{part}_apply", lambda _, body: self.apply(name, body))
        setattr(self, f"POST_sync{part}_ack", lambda _, body: self.ack(body))

    def shown(self, row):
        out = dict(row, updated_at=millis(row["updated_at"]))
        for name in ("start", "end", "deleted_at"):
            if out.get(name):
                out[name] = millis(parse(out[name]))
        return out

    def changes(self, name, query):
        since = parse(query.get("since", EPOCH))
        limit = min(int(query.get("limit", 200)), self.ROWS_MAX)
        rows = sorted((row for row in self.rows[name].values() if row["updated_at"] > since),
                      key=lambda row: row["updated_at"])
        page = rows[:limit]
        cursor = millis(page[-1]["updated_at"]) if page else query.get("since", EPOCH)
        return 200, {"now": millis(now()), "cursor": cursor, "entries": [self.shown(row) for row in page],
                     "has_more": len(rows) > limit}

    def apply(self, name, body):
        rows = body["entries"]
        if not 1 <= len(rows) <= self.ROWS_MAX:
            return 400, {"error": "1 to 500 rows"}
        counts = {"inserted": 0, "updated": 0, "skipped": 0, "errors": []}
        for row in rows:
            running = self.running()
            is_second_timer = name == "entries" and not row.get("end") and not row.get("deleted_at") and running \
                and running["id"] != row["id"]
            if is_second_timer or row.get("description") == "breaks the service":
                counts["errors"].append(row["id"])
                continue
            stored = self.rows[name].get(row["id"])
            stamp = parse(row["updated_at"])
            if stored and stored["updated_at"] >= stamp:
                counts["skipped"] += 1
                continue
            counts["updated" if stored else "inserted"] += 1
            self.rows[name][row["id"]] = dict(row, updated_at=stamp)
        return 200, dict(counts, applied_at=millis(now()))

    def ack(self, body):
        ids = body.get("ids") or []
        if not 1 <= len(ids) <= self.ROWS_MAX:
            return 400, {"error": "1 to 500 ids"}
        self.acked.update(ids)
        return 200, {"acked": len(ids)}

    def running(self):
        for row in self.rows["entries"].values():
            if not row.get("end") and not row.get("deleted_at"):
                return row
        return None

    def GET_sync_active(self, _query, _body):
        running = self.running()
        return 200, dict(self.shown(running), active=True) if running else {"active": False}

    def POST_sync_active_start(self, _query, body):
        running = self.running()
        if running and running["id"] == body["id"]:
            return 200, dict(self.shown(running), active=True, winner="existing")
        if running and parse(body["start"]) <= parse(running["start"]):
            return 200, dict(self.shown(running), active=True, winner="existing")
        if body["id"] in self.rows["entries"]:
            return 500, {"error": "duplicate key"}
        if running:
            running.update(end=body["start"], updated_at=now())
        row = {"customer": None, "description": "", "end": None, "task_id": None, "contract": None, "notes": "",
               "invoiced": False, "deleted_at": None, **body, "updated_at": now()}
        self.rows["entries"][body["id"]] = row
        return 201, dict(self.shown(row), active=True, winner="incoming")

    def DELETE_sync_entries(self, _query, _body):
        count = sum(len(rows) for rows in self.rows.values())
        for rows in self.rows.values():
            rows.clear()
        return 200, {"deleted": count}

    def GET_sync_stats(self, _query, _body):
        live = [row for row in self.rows["entries"].values() if not row.get("deleted_at")]
        running = self.running()
        return 200, {"entry_count": len(live), "last_change_at": None, "plan": "sync_ai", "email": "ann@example.org",
                     "active_timer_id": running["id"] if running else None}


class KernleBackend(Service):
    TABLES = {"episodes", "notes", "beliefs", "values", "goals", "drives", "relationships", "playbooks", "raw_captures",
              "checkpoints", "emotional_memories"}
    ROWS_MAX = 1000

    def __init__(self, key="knl_sk_0123456789abcdef0123456789abcdef"):
        self.records = {}  # by (stack, table, id)
        self.forgets_to_count = False
        self.tokens = set()
        super().__init__(key)

    def is_known(self, path, bearer):
        if path == "/auth/login":
            return bearer == self.key
        return bearer in self.tokens

    def POST_auth_login(self, _query, body):
        assert body is None
        token = f"token-{len(self.tokens)}"
        self.tokens.add(token)
        return 200, {"user_id": "usr_0123456789ab", "agent_id": "claire", "token": token,
                     "token_expires": (now() + timedelta(days=7)).isoformat()}

    def POST_sync_push(self, _query, body):
        if any(operation["table"] not in self.TABLES for operation in body["operations"]):
            return 422, {"detail": [{"msg": "unknown table"}]}
        conflicts = []
        for operation in body["operations"]:
            where = (body["stack_id"], operation["table"], operation["record_id"])
            if operation["operation"] == "delete":
                if where in self.records:
                    self.records[where]["deleted"] = True  # and nobody is told
            elif "unknown_column" in operation["data"]:
                conflicts.append({"record_id": operation["record_id"], "error": "Database error"})
            else:
                deleted = self.records.get(where, {}).get("deleted", False)
                self.records[where] = {"data": operation["data"], "stamp": operation["local_updated_at"],
                                       "synced_at": now(), "deleted": deleted}
        if self.forgets_to_count:
            return 200, {"synced": 0, "conflicts": []}
        return 200, {"synced": len(body["operations"]) - len(conflicts), "conflicts": conflicts,
                     "server_time": now().isoformat()}

    def delivered(self, stack, since, limit):
        by_table = {}
        for (of, table, record_id), record in self.records.items():
            if of == stack and (since is None or record["synced_at"] > since):
                by_table.setdefault(table, []).append({
                    "operation": "delete" if record["deleted"] else "update", "table": table, "record_id": record_id,
                    "data": None if record["deleted"] else record["data"], "local_updated_at": record["stamp"],
                    "version": 1})
        operations = [one for rows in by_table.values() for one in rows[:limit]]
        return {"operations": operations, "server_time": now().isoformat(),
                "has_more": any(len(rows) > limit for rows in by_table.values())}

    def POST_sync_pull(self, _query, body):
        since = parse(body["since"]) if body.get("since") else None
        return 200, self.delivered(body["stack_id"], since, self.ROWS_MAX)

    def POST_sync_full(self, _query, body):
        answer = self.delivered(body["stack_id"], None, 100_000)
        answer["operations"] = [one for one in answer["operations"] if one["operation"] != "delete"]
        return 200, dict(answer, has_more=False)
