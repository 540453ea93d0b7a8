"""Kernle's calls: pushing beside the native face, a full pull of a large memory, search."""
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
from harness import Client, Hub, wait_until  # noqa: E402

RECORDS = 100_000
TURNS = 5
QUERIES = 300
LAST = "benchisindexed"


def vocabulary(seed, count=20_000):
    """Words with the frequencies of a language: the n-th most frequent is n times as rare as the first."""
    source = random.Random(seed)
    syllables = ["ka", "lo", "mi", "ter", "an", "sel", "vor", "ni", "pra", "du", "est", "qui", "ro", "ben", "ish", "ova"]
    words = list(dict.fromkeys("".join(source.choices(syllables, k=source.randint(2, 4))) for _ in range(count)))
    return words, [1 / (rank + 10) for rank in range(len(words))]


def fill(client, agent, words, weights):
    """A memory of 100,000 notes and episodes of about 40 words each."""
    source = random.Random(7)
    for start in range(0, RECORDS, 1000):
        operations = []
        for number in range(start, start + 1000):
            text = " ".join(source.choices(words, weights, k=40))
            note = number % 2 == 0
            data = {"content": text} if note else {"objective": text[:80], "outcome": text}
            operations.append({"operation": "update", "table": "notes" if note else "episodes", "record_id": f"r{number}",
                               "local_updated_at": "2026-11-22T00:10:07.004670+00:00",
                               "data": {**data, "tags": ["t"], "created_at": "2026-11-22T00:10:07+00:00"}})
        answer = client.post("/sync/push", {"stack_id": agent, "operations": operations})
        assert answer.json()["synced"] == 1000, answer.text
    last = {"operation": "update", "table": "notes", "record_id": "last", "data": {"content": LAST}}
    client.post("/sync/push", {"stack_id": agent, "operations": [last]})


def bench_push(require, run_json, program, hub, key):
    def load(mode, seconds):
        return run_json(program, "--port", hub.port, "--token", key, "--mode", mode, "--batch", 100, "--connections", 8,
                        "--seconds", seconds, "--space", f"bench-{mode}")[0]["records_per_s"]

    rates = {"push": [], "kernle": []}
    for _ in range(TURNS):
        for mode in rates:
            rates[mode].append(load(mode, 2))
    native, kernle = (statistics.median(rates[mode]) for mode in ("push", "kernle"))
    require(kernle >= 0.6 * native, f"push 100 x 8: {kernle:.0f} records/s against {native:.0f} of the native face "
                                    f"= {kernle / native:.2f} (at least 0.60)")


def bench_pull(require, hub, key, agent, rss_kib):
    """First byte and memory of one pull of everything, read as it comes."""
    pid = hub.process.pid
    firsts, grown, sizes = [], [], []
    for _ in range(TURNS):
        before = rss_kib(pid)
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
        body = json.dumps({"stack_id": agent})
        began = time.perf_counter()
        connection.request("POST", "/sync/pull", body, {"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        answer.read(1)
        firsts.append((time.perf_counter() - began) * 1000)
        size, peak = 1, rss_kib(pid)
        while piece := answer.read(1 << 20):
            size += len(piece)
            peak = max(peak, rss_kib(pid))
        took = time.perf_counter() - began
        grown.append((peak - before) / 1024)
        sizes.append((size, took))
        connection.close()
    size, took = sizes[0]
    require(max(firsts) <= 50, f"pull of {RECORDS} records: first byte after {max(firsts):.1f} ms at most (at most 50)")
    require(max(grown) <= 32, f"      {size >> 20} MiB in {took:.2f} s; the hub grows by {max(grown):.1f} MiB at most "
                              f"(at most 32)")


def bench_search(require, hub, key, words, weights):
    client = Client(hub.url, key)
    source = random.Random(11)
    began = time.perf_counter()
    wait_until(lambda: client.post("/search", {"query": LAST, "limit": 1}).json()["data"]["total"] == 1,
               "the index to be complete", 300)
    indexed = time.perf_counter() - began
    took = []
    for _ in range(QUERIES):
        query = " ".join(source.choices(words, weights, k=source.choice((1, 2, 2, 3))))
        started = time.perf_counter()
        answer = client.post("/memories/search", {"query": query, "limit": 10})
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code in (200, 404), answer.text
    took.sort()
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    require(p50 <= 20, f"search over {RECORDS} memories, one to three words: p50 {p50:.1f} ms (at most 20), p99 {p99:.1f} ms; "
                       f"the index was complete {indexed:.0f} s after the last push")


def bench_kernle(require, say, run_json, program, rss_kib):
    say("\n## kernle")
    directory = tempfile.TemporaryDirectory(dir="/var/tmp")
    hub = Hub(data=f"{directory.name}/data").start()
    try:
        # An account of its own: what it pushes is no part of the memory that is searched.
        bench_push(require, run_json, program, hub, hub.add_key(email="load@example.org")["key"])
        key = hub.add_key()["key"]
        words, weights = vocabulary(3)
        fill(Client(hub.url, key), "large", words, weights)
        bench_pull(require, hub, key, "large", rss_kib)
        bench_search(require, hub, key, words, weights)
    finally:
        hub.stop()
        directory.cleanup()
