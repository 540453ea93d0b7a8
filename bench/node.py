"""A node: how soon a change is on another device, how soon a new device has everything, what one at rest costs."""
import statistics
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/process"))
from harness import Hub, wait_until  # noqa: E402
from node_harness import Node  # noqa: E402

SPACES = 25
WINDOW_S = 2.2  # what follows a change within this time shares a cycle with it
RECORDS = 100_000


def head(node, space):
    page = node.api.get(f"/v1/spaces/{space}/changes?limit=5000").json()
    return page["cursor"]


def visible_ms(near, far, rounds):
    """Milliseconds from a write on one device until the other answers with it, each the first change in its space."""
    taken = []
    for _ in range(rounds):
        began_round = time.perf_counter()
        for number in range(SPACES):
            space = f"s{number}"
            cursor = head(far, space)
            began = time.perf_counter()
            near.api.post(f"/v1/spaces/{space}/push", {"ops": [{"collection": "items", "id": uuid.uuid4().hex, "doc": {}}]})
            answer = far.api.get(f"/v1/spaces/{space}/changes?wait=20&since={cursor}").json()
            taken.append((time.perf_counter() - began) * 1000)
            assert answer["changes"], space
        time.sleep(max(0, WINDOW_S - (time.perf_counter() - began_round)))
    return sorted(taken)


def bench_node(require, say, rss_kib, cpu_seconds):
    say("\n## node: two devices and a hub, loopback")
    hub = Hub().start()
    nodes = [Node().start() for _ in range(3)]
    try:
        key = hub.add_key()["key"]
        near, far, new = nodes
        for node in (near, far):
            for number in range(SPACES):
                node.api.get(f"/v1/spaces/s{number}/changes")
            node.connect(hub.url, key)
        wait_until(lambda: near.is_in_sync() and far.is_in_sync(), "in sync")
        visible_ms(near, far, 1)  # opens connections
        taken = visible_ms(near, far, 8)
        p50, p99 = statistics.median(taken), taken[len(taken) * 99 // 100 - 1]
        require(p50 <= 15 and p99 <= 60, f"a change is on the other device: p50 {p50:.1f} ms (at most 15), "
                                         f"p99 {p99:.1f} ms (at most 60), worst of {len(taken)} {taken[-1]:.1f} ms")

        idle = cpu_seconds(near.process.pid)
        time.sleep(20)
        share = (cpu_seconds(near.process.pid) - idle) / 20 * 100
        mib = rss_kib(near.process.pid) / 1024
        require(mib < 25 and share < 0.2,
                f"a node at rest in {SPACES} spaces: {mib:.1f} MiB resident (under 25), {share:.2f} % CPU (under 0.2)")

        client = hub.client()
        for start in range(0, RECORDS, 5000):
            client.push("big", [{"collection": "items", "id": f"i{number}", "doc": {"text": "x" * 250}}
                                for number in range(start, start + 5000)])
        began = time.perf_counter()
        new.connect(hub.url, key)
        wait_until(lambda: "big" in new.status() and new.is_in_sync(), "the new device has everything", deadline_s=60)
        seconds = time.perf_counter() - began
        require(seconds <= 10, f"first sync of {RECORDS} records: {seconds:.1f} s (at most 10)")
    finally:
        for node in nodes:
            node.stop()
        hub.stop()
