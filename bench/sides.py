"""The sides of a comparison: the hub, Express 5 with better-sqlite3, PostgreSQL without HTTP. Each starts on loopback
with a store of its own on this machine's disk, takes the same load, and says what processor time and writes that cost.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
from harness import Client, Hub, free_port  # noqa: E402
from postgres import Postgres  # noqa: E402

BUILD = ROOT / "build/release"
DIRECTORY = os.environ.get("SYNCLINE_BENCH_DIR", "/var/tmp")
CLOCK_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
FILL_BATCH = 500


def run_json(*command):
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def words_of(options):
    return [str(word) for name, value in options.items() for word in (f"--{name}", value)]


def cpu_seconds(pid):
    """Of the process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) * CLOCK_TICK_S


def rss_kib(pid, name="VmRSS"):
    return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith(name))


def written_bytes(pid):
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["write_bytes"])


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Side:
    """What all sides share. `next` is the number of the next new record (records.hpp)."""

    def __init__(self, ids):
        self.ids = ids
        self.next = 0
        self.directory = tempfile.TemporaryDirectory(dir=DIRECTORY, prefix="bench-")

    def usage(self):
        pids = [self.pid, *children(self.pid)]
        return sum(map(cpu_seconds, pids)), sum(map(written_bytes, pids))

    def load(self, mode, batch=100, connections=8, seconds=3, **options):
        """One run of the load, with what a record cost: cpu_us and bytes."""
        cpu, written = self.usage()
        row = self.run({"mode": mode, "batch": batch, "connections": connections, "seconds": seconds, "ids": self.ids,
                        "first": self.next, **options})
        cpu, written = (after - before for after, before in zip(self.usage(), (cpu, written)))
        if mode == "push":
            self.next = row["next"]
        records = max(1, row["requests"] * batch)
        return {**row, "cpu_us": cpu / records * 1e6, "bytes": written / records}

    def fill(self, stored):
        if self.next < stored:
            self.load("push", FILL_BATCH, 4, 3600, count=stored - self.next)


class HubSide(Side):
    name = "hub"

    def __init__(self, ids="random"):
        super().__init__(ids)
        # All clients of a load come from one address.
        arguments = ["--set", "limits.connections_per_address=0"]
        self.hub = Hub(data=f"{self.directory.name}/data", arguments=arguments).start()
        self.key = self.hub.add_key()["key"]
        self.epoch = "e"

    @property
    def pid(self):
        return self.hub.process.pid

    @property
    def port(self):
        return self.hub.port

    @property
    def log_file(self):
        return Path(f"{self.hub.data}/syncline.db-wal")

    def run(self, options):
        return run_json(BUILD / "http_load", "--port", self.port, "--token", self.key, "--epoch", self.epoch,
                        *words_of(options))[0]

    def fill(self, stored):
        super().fill(stored)
        self.epoch = Client(self.hub.url, self.key).get("/v1/spaces").json()["spaces"][0]["cursor"].split(".")[0]

    def restart_seconds(self):
        self.hub.stop()
        began = time.perf_counter()
        self.hub.start()
        return time.perf_counter() - began

    def stop(self):
        self.hub.stop()
        self.directory.cleanup()


class ExpressSide(Side):
    name = "Express"

    def __init__(self, ids="random"):
        super().__init__(ids)
        self.key = "bench-key"
        self.port = free_port()
        # It complains of the requests that a load breaks off at its end.
        self.process = subprocess.Popen(
            ["node", "express_sqlite.js", f"{self.directory.name}/peer.db", str(self.port), self.key],
            cwd=ROOT / "bench/peers", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline(), "the peer did not start"

    @property
    def pid(self):
        return self.process.pid

    def run(self, options):
        return run_json(BUILD / "http_load", "--port", self.port, "--token", self.key, *words_of(options))[0]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()


class PostgresSide(Side):
    name = "PostgreSQL"

    def __init__(self, ids="random"):
        super().__init__(ids)
        self.postgres = Postgres()
        run_json(BUILD / "pg_load", "--url", self.postgres.url, "--mode", "setup")

    @property
    def pid(self):
        return self.postgres.process.pid

    def run(self, options):
        return run_json(BUILD / "pg_load", "--url", self.postgres.url, *words_of(options))[0]

    def stop(self):
        self.postgres.stop()
        self.directory.cleanup()


class Largest:
    """The largest value that `read` returns while the block runs."""

    def __init__(self, read):
        self.read = read
        self.value = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.05):
            self.value = max(self.value, self.read())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
