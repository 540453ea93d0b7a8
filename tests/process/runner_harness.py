"""Starts real runners against a hub, and looks at what their commands leave behind on this machine."""
import os
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import BINARY, Client, wait_until

IDE_SCOPES = "read,write,commands:submit"
APPROVER_SCOPES = "read,commands:approve"
AGENT_SCOPES = "read,commands:run"


class Runner:
    """One runner process, its data directory and one root."""

    def __init__(self, url, key, directory, arguments=None, name="runner"):
        self.url, self.key = url, key
        self.data = directory / f"{name}-data"
        self.root = directory / "root"
        self.root.mkdir(exist_ok=True)
        self.log = directory / f"{name}.log"
        self.arguments = arguments or ["--root", str(self.root), "--allow", "any"]
        self.before = []
        self.process = None

    def start(self, environment=None, is_accepted=True):
        """`is_accepted`: the hub accepts its requests, so it says that it is ready."""
        self.process = subprocess.Popen(
            [*self.before, BINARY, "runner", "--hub", self.url, "--key", self.key, "--data", str(self.data), *self.arguments],
            stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True, env={**os.environ, **(environment or {})},
            cwd=self.root.parent)
        if not is_accepted:
            return self
        line = self.process.stdout.readline()
        assert line.startswith("syncline runner ready for "), f"{line!r} {self.log_text()[-2000:]}"
        return self

    def log_text(self):
        return self.log.read_text(errors="replace")

    def processes(self):
        """What lives of it on this machine: its own process, those that start sandboxes, and what runs in them."""
        place = str(self.root.parent)
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (os.readlink(entry / "cwd").startswith(place) or
                                             place in (entry / "mountinfo").read_text()):
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def audit(self):
        path = self.data / "audit.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._forget(self.process.wait(timeout=60))

    def kill(self):
        self.process.kill()
        return self._forget(self.process.wait())

    def wait(self):
        return self._forget(self.process.wait(timeout=60))

    def _forget(self, code):
        self.process.stdout.close()
        self.process = None
        return code


class Site:
    """A hub's client as an IDE, and one runner for it."""

    def __init__(self, hub, directory, arguments=None, environment=None):
        self.hub = hub
        self.directory = directory
        self.ide = Client(hub.url, hub.add_key(label="ide", scopes=IDE_SCOPES)["key"])
        self.approver = Client(hub.url, hub.add_key(label="phone", scopes=APPROVER_SCOPES)["key"])
        self.agent_key = hub.add_key(label="agent", scopes=AGENT_SCOPES)
        self.runner = Runner(hub.url, self.agent_key["key"], directory, arguments).start(environment)
        self.root = self.runner.root

    def submit(self, **fields):
        answer = self.ide.post("/command", fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["commandId"]

    def result(self, command_id, deadline_s=60):
        return wait_for_end(self.ide, command_id, deadline_s)

    def run(self, deadline_s=60, **fields):
        return self.result(self.submit(**fields), deadline_s)

    def bash(self, line, deadline_s=60, **fields):
        return self.run(type="execute_bash", command=line, deadline_s=deadline_s, **fields)

    def status(self, command_id):
        return self.ide.get(f"/command/{command_id}").json()["status"]


def wait_for_end(client, command_id, deadline_s=60):
    found = {}

    def ended():
        found.update(client.get(f"/command/{command_id}?wait=5").json())
        return found["status"] in ("completed", "failed")

    wait_until(ended, f"the end of {command_id}", deadline_s)
    return found


def processes_with(marker):
    """Processes of this machine that have the marker among their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if marker.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


class ScriptedHub:
    """A server that plays a hub: `answer(method, path, body)` gives (status, body) for each request."""

    def __init__(self, answer):
        self.requests = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                script.requests.append((self.command, self.path, body))
                status, text = answer(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PATCH = serve

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a runner that stops or is killed goes in the middle of an answer

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
