"""The JavaScript client in Debian's Chromium: how soon a new device has everything, and how soon a change is durable."""
import os
import subprocess

from sides import BUILD, ROOT, run_json

CLIENT = ROOT / "clients/js"
ROUNDS = 3


def bench_js(require, say):
    say("\n## js: a local copy in Chromium's IndexedDB, loopback")
    if not (CLIENT / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=CLIENT, check=True)
    subprocess.run(["node", "build.mjs"], cwd=CLIENT, check=True)
    os.environ["SYNCLINE_BINARY"] = str(BUILD / "syncline")
    rows = [run_json("node", CLIENT / "bench/browser.mjs")[0] for _ in range(ROUNDS)]

    def median(name):
        return sorted(row[name] for row in rows)[ROUNDS // 2]

    def all_of(name):
        return ", ".join(f"{row[name] / 1000:.1f}" for row in rows)

    require(median("first_sync_ms") <= 20_000, f"first sync of {rows[0]['records']} records: "
            f"{median('first_sync_ms') / 1000:.1f} s (at most 20; {all_of('first_sync_ms')})")
    require(median("put_p50_ms") <= 5, f"put, durable: p50 {median('put_p50_ms')} ms (at most 5), "
            f"p99 {median('put_p99_ms')} ms")
    require(median("heard_p50_ms") <= 16, f"a watcher hears of a put: p50 {median('heard_p50_ms')} ms (at most 16)")
    require(median("reopen_ms") <= 300, f"opened again with all of them, and a page of ten: {median('reopen_ms')} ms "
            "(at most 300)")
