"""Nodes as real processes, and a wire to their hub that can be cut."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from harness import BINARY, Client


class Node:
    """One node process and its data directory."""

    def __init__(self, arguments=(), environment=None, listen="127.0.0.1:0"):
        self.directory = tempfile.TemporaryDirectory(prefix="syncline-node-")
        self.data = Path(self.directory.name) / "data"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.listen = listen
        self.process = None
        self.url = None

    def start(self):
        self.log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "node", "--data", str(self.data), "--listen", self.listen, *self.arguments],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **self.environment})
        line = self.process.stdout.readline()
        assert line.startswith("syncline node ready at "), f"{line!r} {self.log_text()[-2000:]}"
        self.url = line.split()[-1]
        self.api = Client(self.url, "none")
        return self

    def log_text(self):
        return Path(f"{self.data}.log").read_text(errors="replace")

    def _end(self):
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def stop(self):
        """As a service manager would; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the node did not end: {self.log_text()[-3000:]}") from None
        self._end()
        return code

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._end()

    def connect(self, url, key):
        answer = self.api.post("/api/cloud-sync/connect", {"url": url, "api_key": key})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, profile="default"):
        """The status of each space, by name."""
        for each in self.api.get("/profiles").json()["profiles"]:
            if each["profile"] == profile:
                return {space["space"]: space for space in each["spaces"]}
        raise AssertionError(f"there is no profile {profile}")

    def is_in_sync(self, spaces=None):
        """Of all spaces, or of those named: one that others write to without pause is rarely in sync."""
        status = self.status()
        return all(status[name]["state"] == "in_sync" and status[name]["pending"] == 0 and
                   status[name]["to_pull"] == 0 for name in spaces or status)

    @property
    def profile(self):
        return self.data / "profiles/default"


class Wire:
    """Carries TCP between a node and its hub, and can be cut and mended."""

    def __init__(self, port):
        self.port = port
        self.is_cut = False
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            except OSError:
                near.close()
                continue
            pair = (near, far)
            self.pairs.add(pair)
            for source, target in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(source, target, pair), daemon=True).start()

    def _carry(self, source, target, pair):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        self._drop(pair)

    def _drop(self, pair):
        self.pairs.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def cut(self):
        self.is_cut = True
        for pair in list(self.pairs):
            self._drop(pair)

    def mend(self):
        self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()
