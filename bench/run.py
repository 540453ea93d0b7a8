"""Runs the published figures and prints them as tables: store, http, latency, memory, runner, kaisho, kernle, node.

Everything is on loopback and on this machine's disk; the two sides of a ratio run in turns, in one run.
Usage: ./dev bench [store|http|latency|memory|runner|kaisho|kernle|node ...]
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Hub, WebSocket, free_port  # noqa: E402
from kaisho import bench_kaisho  # noqa: E402
from kernle import bench_kernle  # noqa: E402
from node import bench_node  # noqa: E402
from runner import bench_runner  # noqa: E402

BUILD = ROOT / "build/release"
CLOCK_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
TURNS = 3
FAILURES = []


def say(text):
    print(text, flush=True)


def require(good, text):
    say(f"{'ok  ' if good else 'MISS'}  {text}")
    if not good:
        FAILURES.append(text)


def run_json(*command):
    return [json.loads(line) for line in subprocess.run([str(part) for part in command], check=True,
                                                        stdout=subprocess.PIPE, text=True).stdout.splitlines()]


def bench_store():
    say("\n## store: rows per second, durable, 300-byte records")
    with tempfile.TemporaryDirectory(dir=os.environ.get("SYNCLINE_BENCH_DIR", "/var/tmp")) as directory:
        for row in run_json(BUILD / "store_bench", "--dir", f"{directory}/store", "--seconds", "9"):
            if "ratio" not in row:
                say(f"      log at the end {row['wal_mib']} MiB, file {row['file_mib']} MiB")
                continue
            floor = 0.8 if row["batch"] == 100 else 4
            require(row["ratio"] >= floor,
                    f"{row['stored']:>9} stored, {row['writers']:>2} writers x batch {row['batch']:>3}: "
                    f"{row['syncline_per_s']:>7} against {row['plain_sqlite_per_s']:>7} of plain SQLite "
                    f"= {row['ratio']:.2f}x (at least {floor}x)")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * CLOCK_TICK_S


def rss_kib(pid, name="VmRSS"):
    return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith(name))


def load(port, token, epoch, mode, batch, connections, seconds, records=10_000):
    return run_json(BUILD / "http_load", "--port", port, "--token", token, "--epoch", epoch, "--mode", mode, "--batch",
                    batch, "--connections", connections, "--seconds", seconds, "--records", records)[0]


def bench_http():
    say("\n## http: records per second over /v1, beside Express 5 + better-sqlite3 + ws doing the same")
    hub = Hub(data=tempfile.mkdtemp(dir="/var/tmp") + "/data").start()
    key = hub.add_key()["key"]
    port = free_port()
    peer = subprocess.Popen(["node", "express_sqlite.js", f"{hub.data}.peer", str(port), key],
                            cwd=ROOT / "bench/peers", stdout=subprocess.PIPE, text=True)
    peer.stdout.readline()
    sides = {"ours": (hub.port, hub.process.pid), "peer": (port, peer.pid)}
    try:
        for side_port, _ in sides.values():
            load(side_port, key, "e", "push", 100, 1, 1)
        epoch = hub_epoch(hub, key)
        for mode, batch, connections, floor in (("push", 100, 8, 2.5), ("push", 1, 64, 12), ("changes", 500, 8, 6),
                                                ("changes", 10, 64, 15)):
            rates, cpu = {"ours": 0, "peer": 0}, {"ours": 0, "peer": 0}
            for _ in range(TURNS):
                for side, (side_port, pid) in sides.items():
                    began = cpu_seconds(pid)
                    row = load(side_port, key, epoch if side == "ours" else "e", mode, batch, connections, 2)
                    rates[side] += row["records_per_s"] / TURNS
                    cpu[side] += (cpu_seconds(pid) - began) / (row["requests"] * batch) / TURNS
            ratio = rates["ours"] / rates["peer"]
            require(ratio >= floor, f"{mode:>7} {batch:>3} x {connections:>2}: {rates['ours']:>9.0f} against "
                                    f"{rates['peer']:>7.0f} = {ratio:.1f}x (at least {floor}x)")
            if mode == "changes":
                share = cpu["peer"] / cpu["ours"]
                require(share >= 8, f"        server CPU per record {cpu['ours'] * 1e6:.2f} us against "
                                    f"{cpu['peer'] * 1e6:.2f} us = 1/{share:.1f} (at most 1/8)")
    finally:
        peer.terminate()
        peer.wait()
        hub.stop()


def hub_epoch(hub, key):
    from harness import Client
    return Client(hub.url, key).get("/v1/spaces").json()["spaces"][0]["cursor"].split(".")[0]


def bench_latency():
    say("\n## latency: push under load, checkpoints included")
    hub = Hub(data=tempfile.mkdtemp(dir="/var/tmp") + "/data").start()
    key = hub.add_key()["key"]
    wal = Path(f"{hub.data}/syncline.db-wal")
    largest, stop = [0], threading.Event()

    def watch():
        while not stop.wait(0.05):
            largest[0] = max(largest[0], wal.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    row = load(hub.port, key, "e", "push", 100, 4, 20)
    single = load(hub.port, key, "e", "push", 1, 16, 10)
    stop.set()
    watcher.join()
    require(row["p99_ms"] <= 50, f"push 100 x 4 for 20 s: p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms (at most 50), "
                                 f"max {row['max_ms']} ms, {row['records_per_s']} records/s")
    require(single["p99_ms"] <= 50, f"push 1 x 16 for 10 s: p50 {single['p50_ms']} ms, p99 {single['p99_ms']} ms "
                                    f"(at most 50), max {single['max_ms']} ms")
    require(largest[0] <= 256 << 20, f"largest write-ahead log {largest[0] >> 20} MiB (at most 256)")
    hub.stop()


def bench_memory():
    say("\n## memory")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hub = Hub().start()
    key = hub.add_key()["key"]
    empty = rss_kib(hub.process.pid)
    require(empty <= 25 * 1024, f"hub with an empty store: {empty / 1024:.1f} MiB resident (at most 25)")
    count = min(10_000, hard - 200)
    sockets = [WebSocket(hub.port, "/v1/live", key) for _ in range(count)]
    for ws in sockets:
        ws.send({"type": "watch", "spaces": {"s": "0"}})
    for ws in sockets:
        assert ws.receive()["type"] == "ready"
    time.sleep(1)
    each = (rss_kib(hub.process.pid) - empty) / count
    require(each <= 8, f"{count} idle WebSockets: {each:.2f} KiB each (at most 8)")
    for ws in sockets:
        ws.close()
    hub.stop()


SUITES = {"store": bench_store, "http": bench_http, "latency": bench_latency, "memory": bench_memory,
          "runner": lambda: bench_runner(require, say, rss_kib),
          "kaisho": lambda: bench_kaisho(require, say, run_json, BUILD / "http_load"),
          "kernle": lambda: bench_kernle(require, say, run_json, BUILD / "http_load", rss_kib),
          "node": lambda: bench_node(require, say, rss_kib, cpu_seconds)}


def main():
    chosen = sys.argv[1:] or list(SUITES)
    unknown = [name for name in chosen if name not in SUITES]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(SUITES)}")
    for name in chosen:
        SUITES[name]()
    say(f"\n{len(FAILURES)} figures missed" if FAILURES else "\nall figures hold")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
