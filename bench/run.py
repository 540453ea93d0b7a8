"""Runs the published figures and prints them as tables: store, http, live, latency, memory, runner, kaisho, kernle, node, js.
growth, which takes long, runs only when it is named.

Everything is on loopback and on this machine's disk; the two sides of a ratio run in turns, in one run. With --quick,
store, http, live and growth take a few minutes: less data, shorter runs.
Usage: ./dev bench [--quick] [NAME ...]
"""
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from growth import bench_growth  # noqa: E402
from harness import Hub, WebSocket  # noqa: E402
from js import bench_js  # noqa: E402
from kaisho import bench_kaisho  # noqa: E402
from kernle import bench_kernle  # noqa: E402
from live import bench_live  # noqa: E402
from node import bench_node  # noqa: E402
from pushes import bench_http  # noqa: E402
from runner import bench_runner  # noqa: E402
from sides import BUILD, DIRECTORY, Largest, cpu_seconds, rss_kib, run_json  # noqa: E402

FAILURES = []


def say(text):
    print(text, flush=True)


def require(good, text):
    say(f"{'ok  ' if good else 'MISS'}  {text}")
    if not good:
        FAILURES.append(text)


def bench_store(quick):
    say("\n## store: rows per second, durable, 300-byte records")
    size = ("--records", 200_000, "--seconds", 4.5) if quick else ("--seconds", 9)
    with tempfile.TemporaryDirectory(dir=DIRECTORY) as directory:
        for ids in ("random", "ordered"):
            for row in run_json(BUILD / "store_bench", "--dir", f"{directory}/store", "--ids", ids, *size):
                if "ratio" not in row:
                    say(f"      log at the end {row['wal_mib']} MiB, file {row['file_mib']} MiB")
                    continue
                floor = 0.8 if row["batch"] == 100 else 4
                require(row["ratio"] >= floor,
                        f"{ids:>7} ids, {row['stored']:>7} stored, {row['writers']:>2} writers x batch "
                        f"{row['batch']:>3}: {row['syncline_per_s']:>6} against {row['plain_sqlite_per_s']:>6} of plain "
                        f"SQLite = {row['ratio']:.2f}x (at least {floor}x)")


def load(port, token, epoch, mode, batch, connections, seconds, records=10_000):
    return run_json(BUILD / "http_load", "--port", port, "--token", token, "--epoch", epoch, "--mode", mode, "--batch",
                    batch, "--connections", connections, "--seconds", seconds, "--records", records)[0]


def bench_latency():
    say("\n## latency: push under load, checkpoints included")
    hub = Hub(data=tempfile.mkdtemp(dir="/var/tmp") + "/data").start()
    key = hub.add_key()["key"]
    log = Path(f"{hub.data}/syncline.db-wal")
    with Largest(lambda: log.stat().st_size) as largest:
        row = load(hub.port, key, "e", "push", 100, 4, 20)
        single = load(hub.port, key, "e", "push", 1, 16, 10)
    require(row["p99_ms"] <= 50, f"push 100 x 4 for 20 s: p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms (at most 50), "
                                 f"max {row['max_ms']} ms, {row['records_per_s']} records/s")
    require(single["p99_ms"] <= 50, f"push 1 x 16 for 10 s: p50 {single['p50_ms']} ms, p99 {single['p99_ms']} ms "
                                    f"(at most 50), max {single['max_ms']} ms")
    require(largest.value <= 256 << 20, f"largest write-ahead log {largest.value >> 20} MiB (at most 256)")
    hub.stop()


def bench_memory():
    say("\n## memory")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hub = Hub(arguments=["--set", "limits.connections_per_address=0"]).start()
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


SUITES = {"store": bench_store,
          "http": lambda quick: bench_http(require, say, quick),
          "live": lambda quick: bench_live(require, say, quick),
          "latency": lambda _: bench_latency(),
          "memory": lambda _: bench_memory(),
          "runner": lambda _: bench_runner(require, say, rss_kib),
          "kaisho": lambda _: bench_kaisho(require, say, run_json, BUILD / "http_load"),
          "kernle": lambda _: bench_kernle(require, say, run_json, BUILD / "http_load", rss_kib),
          "node": lambda _: bench_node(require, say, rss_kib, cpu_seconds),
          "js": lambda _: bench_js(require, say),
          "growth": lambda quick: bench_growth(require, say, quick)}


def main():
    quick = "--quick" in sys.argv
    chosen = [word for word in sys.argv[1:] if word != "--quick"]
    chosen = chosen or (["store", "http", "live"] if quick else [name for name in SUITES if name != "growth"])
    unknown = [name for name in chosen if name not in SUITES]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(SUITES)}")
    for name in chosen:
        SUITES[name](quick)
    say(f"\n{len(FAILURES)} figures missed" if FAILURES else "\nall figures hold")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
