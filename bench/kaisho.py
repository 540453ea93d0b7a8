"""Kaisho's calls, beside Express 5 and PostgreSQL doing the same, and what a connection for each request costs."""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
from harness import Client, Hub, free_port  # noqa: E402
from postgres import Postgres  # noqa: E402

ROWS = 30_000
TURNS = 3
# name, arguments of the load, at least so many times the peer's requests per second
CALLS = [
    ("changes 200 x 8", {"mode": "get", "batch": 200, "connections": 8,
                         "target": "/sync/changes?limit=200&since={since}"}, 6),
    ("changes 500 x 8", {"mode": "get", "batch": 500, "connections": 8,
                         "target": "/sync/changes?limit=500&since={since}"}, 6),
    ("changes, nothing new", {"mode": "get", "batch": 1, "connections": 16, "target": "/sync/changes?since={end}"}, 6),
    ("stats", {"mode": "get", "batch": 1, "connections": 16, "target": "/sync/stats"}, 20),
    ("active", {"mode": "get", "batch": 1, "connections": 16, "target": "/sync/active"}, 6),
    ("apply 1 x 16", {"mode": "apply", "batch": 1, "connections": 16}, 10),
    ("apply 100 x 16", {"mode": "apply", "batch": 100, "connections": 16}, 3),
]


def fill(load, port, key):
    """Entries for the reads. Returns the cursor behind the last one."""
    rows = 0
    while rows < ROWS:
        rows += int(load(port, key, {"mode": "apply", "batch": 500, "connections": 4}, 0.5)["requests"]) * 500
    client = Client(f"http://127.0.0.1:{port}", key)
    cursor = f"1970-01-01T00:00:00.{rows:06}Z"
    for _ in range(3):  # requests that were under way when the load ended come through a little later
        page = {"has_more": True}
        while page["has_more"]:
            page = client.get(f"/sync/changes?limit=500&since={cursor}").json()
            cursor = page["cursor"]
        time.sleep(0.3)
    return cursor


def bench_kaisho(require, say, run_json, load_program):
    say("\n## kaisho: requests per second, beside Express 5 + PostgreSQL doing the same")
    hub = Hub(data=tempfile.mkdtemp(dir="/var/tmp") + "/data").start()
    key = hub.add_key()["key"]
    postgres = Postgres()
    port = free_port()
    peer = subprocess.Popen(["node", "express_postgres.js", postgres.url, str(port), key], cwd=ROOT / "bench/peers",
                            stdout=subprocess.PIPE, text=True)
    peer.stdout.readline()

    def load(side_port, token, options, seconds):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return run_json(load_program, "--port", side_port, "--token", token, "--seconds", seconds, *words)[0]

    try:
        ends = {side_port: fill(load, side_port, key) for side_port in (hub.port, port)}
        for name, options, floor in CALLS:
            rates = {hub.port: 0, port: 0}
            for _ in range(TURNS):
                for side_port in rates:
                    target = options.get("target", "").replace("{end}", ends[side_port])
                    given = {**options, "records": ROWS, **({"target": target} if target else {})}
                    rates[side_port] += load(side_port, key, given, 2)["requests_per_s"] / TURNS
            ratio = rates[hub.port] / rates[port]
            require(ratio >= floor, f"{name:>21}: {rates[hub.port]:>7.0f} against {rates[port]:>6.0f} "
                                    f"= {ratio:.1f}x (at least {floor}x)")
        fresh = load(hub.port, key, {"mode": "get", "connections": 16, "fresh": 1, "target": "/sync/active"}, 3)
        say(f"      a new connection for each request, as desktops do: {fresh['requests_per_s']} requests/s, "
            f"p99 {fresh['p99_ms']} ms")
    finally:
        peer.terminate()
        peer.wait()
        postgres.stop()
        hub.stop()
