"""Starts real hubs on free ports of 127.0.0.1, speaks to them, and stops them by their pid."""
import base64
import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("SYNCLINE_BINARY", ROOT / "build/release/syncline"))
SEEDS = ROOT.parent / "shared/seeds"
SLOW = "SYNCLINE_SLOW" in os.environ  # a sanitized binary: bounds in time do not count
ALL_SCOPES = "read,write,keys,commands:submit,commands:run,commands:approve"
DEADLINE_S = 60 if SLOW else 30
ALREADY_THERE = 4  # the exit code


def cli(*arguments, data=None, check=True):
    """Runs the command line; returns (exit code, standard output, standard error)."""
    command = [BINARY, *arguments] + (["--data", str(data)] if data else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if check:
        assert done.returncode == 0, done.stderr
    return done.returncode, done.stdout, done.stderr


def cli_json(*arguments, data):
    return json.loads(cli(*arguments, "--json", data=data)[1])


class Hub:
    """One hub process and its data directory."""

    def __init__(self, data=None, arguments=(), binary=BINARY, environment=None):
        self.directory = None if data else tempfile.TemporaryDirectory(prefix="syncline-")
        self.data = Path(data or self.directory.name) / "data" if not data else Path(data)
        self.arguments = list(arguments)
        self.binary = binary
        self.environment = environment or {}
        self.listen = "127.0.0.1:0"
        self.known_accounts = set()
        self.process = None
        self.url = None
        self.metrics_url = None
        self.metrics_key = None

    def stay(self):
        """Fixes the port, so that the hub has the same URL after each start."""
        self.listen = f"127.0.0.1:{free_port()}"
        return self

    def with_metrics_listener(self):
        """From the next start on, metrics() needs no key, which a damaged store may not have."""
        address = f"127.0.0.1:{free_port()}"
        self.arguments += ["--set", f"metrics.listen={address}"]
        self.metrics_url = f"http://{address}/metrics"
        return self

    def metrics(self):
        """The text of /metrics."""
        if self.metrics_url:
            return requests.get(self.metrics_url, timeout=30).text
        self.metrics_key = self.metrics_key or self.add_key(email="operator@example.org", scopes="admin")["key"]
        return Client(self.url, self.metrics_key).get("/metrics").text

    def start(self):
        self.log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen([self.binary, "hub", "--data", str(self.data), "--listen", self.listen,
                                         *self.arguments], stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, **self.environment})
        line = self.process.stdout.readline()
        assert line.startswith("syncline hub ready at "), f"{line!r} {self.log_text()[-2000:]}"
        self.url = line.split()[-1]
        return self

    def log_text(self):
        return Path(f"{self.data}.log").read_text(errors="replace")

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self):
        """Ends it as a service manager would; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the hub did not end: {self.log_text()[-3000:]}") from None
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def add_key(self, email="ann@example.org", scopes=ALL_SCOPES, label="test", token=None):
        if email not in self.known_accounts:
            code, _, error = cli("account", "add", email, "--plan", "pro", data=self.data, check=False)
            assert code in (0, ALREADY_THERE), error
            self.known_accounts.add(email)
        if "admin" in scopes.split(","):
            cli("account", "role", email, "admin", data=self.data)
        extra = ["--token", token] if token else []
        return cli_json("key", "add", "--account", email, "--label", label, "--scopes", scopes, *extra, data=self.data)

    def client(self, **options):
        return Client(self.url, self.add_key(**options)["key"])

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])


class Client:
    """Requests with a key over one connection."""

    def __init__(self, url, key):
        self.url = url
        self.key = key
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies, no other certificates
        self.session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method, path, **options):
        options.setdefault("timeout", 90)
        return self.session.request(method, self.url + path, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, json=body, **options)

    def patch(self, path, body, **options):
        return self.call("PATCH", path, json=body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)

    def push(self, space, ops):
        answer = self.post(f"/v1/spaces/{space}/push", {"ops": ops})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_changes(self, space):
        cursor, changes = "0", []
        while True:
            page = self.get(f"/v1/spaces/{space}/changes?limit=5000&since={cursor}").json()
            changes += page["changes"]
            cursor = page["cursor"]
            if not page["more"]:
                return changes


CLAIMS = []
CHANCE = random.SystemRandom()


def free_port():
    """Returns a port that stays reserved for this process until it ends, even when other tests run in parallel.

    The port lies outside the range from which the kernel assigns ports. An abstract Unix socket named after the port
    marks it as taken.
    """
    while True:
        port = CHANCE.randrange(20_000, 32_000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0syncline test port {port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        return port


def wait_until(check, what, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.02)
    raise AssertionError(f"not in {deadline_s} s: {what}")


class Waiting:
    """A request that the hub has read and not yet answered, such as a long poll. `answer` reads the answer."""

    def __init__(self, client, path):
        self.connection = http.client.HTTPConnection(client.url.removeprefix("http://"), timeout=90)
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {client.key}"})
        wait_until(self._is_taken, f"the hub takes {path}")
        # A loop serves its connections in order: once it answers later requests, it is serving what it read before.
        for _ in range(4):
            Client(client.url, client.key).get("/health")

    def _is_taken(self):
        """True if the hub has read everything that was sent: its receive queue is empty."""
        ours = "%04X" % self.connection.sock.getsockname()[1]
        theirs = "%04X" % self.connection.sock.getpeername()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, _, queues = line.split()[:5]
            if local.endswith(":" + theirs) and remote.endswith(":" + ours):
                return queues.endswith(":00000000")
        return False

    def answer(self):
        """Waits for the answer; returns its status and parsed JSON body."""
        answer = self.connection.getresponse()
        body = json.loads(answer.read())
        self.connection.close()
        return answer.status, body


class WebSocket:
    """As much of RFC 6455 as a test needs: text frames, ping, close."""

    def __init__(self, port, path, key=None, headers=()):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
                 *headers]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(4096)
            if not more:
                break
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self.messages = []

    def _take_frame(self):
        """The first byte and the payload of the next frame, or None if it has not come whole."""
        head = 4 if len(self.buffer) > 1 and self.buffer[1] & 0x7F == 126 else 2
        if len(self.buffer) < head:
            return None
        length = struct.unpack(">H", self.buffer[2:4])[0] if head == 4 else self.buffer[1] & 0x7F
        if len(self.buffer) < head + length:
            return None
        frame = self.buffer[0], self.buffer[head:head + length]
        self.buffer = self.buffer[head + length:]
        return frame

    def _take_messages(self):
        """Sorts what has come: messages wait for receive(), pings are answered."""
        while frame := self._take_frame():
            first, payload = frame
            if first & 15 == 1:
                self.messages.append(json.loads(payload))
            elif first & 15 == 8:
                self.messages.append(("close", struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None))
            elif first & 15 == 9:
                self._send(10, payload)

    def answer_pings(self):
        """For sockets that nobody reads for long. Does not wait."""
        self.socket.settimeout(0)
        try:
            self.buffer += self.socket.recv(65536)
        except BlockingIOError:
            pass
        self.socket.settimeout(DEADLINE_S)
        self._take_messages()

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        assert len(payload) < 65536
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask +
                            bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def send(self, message):
        self._send(1, json.dumps(message).encode())

    def receive(self):
        """The next message, or ("close", code)."""
        self._take_messages()
        while not self.messages:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more
            self._take_messages()
        return self.messages.pop(0)

    def close(self):
        self.socket.close()


def run_own_tests(script, deadline_s=900):
    """Runs the tests of a part of the tree that has its own runner, with BINARY as their hub."""
    done = subprocess.run([ROOT / script], env=os.environ | {"SYNCLINE_BINARY": str(BINARY)}, timeout=deadline_s,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r"\bpass [1-9]", done.stdout), "no test ran"
