"""Remote commands: how long one takes from submit to result, how many a runner does in a second, what it weighs idle."""
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/process"))
from harness import Client, Hub  # noqa: E402
from runner_harness import AGENT_SCOPES, IDE_SCOPES, Runner, wait_for_end  # noqa: E402

TRUE = {"type": "execute_bash", "command": "true"}


def submit(ide):
    return ide.post("/command", TRUE).json()["commandId"]


def latency_ms(ide, count):
    """Median of submit to result, waiting as a client of ours does."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        wait_for_end(ide, submit(ide))
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def polled_latency_ms(ide, count):
    """The same, as the published client waits: a look each second."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        made = submit(ide)
        while ide.get(f"/command/{made}").json()["status"] not in ("completed", "failed"):
            time.sleep(1)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def commands_per_second(hub, ide, directory, key, count):
    """All are queued before the runner starts; the hub's own times say when the last one ended."""
    ids = [submit(ide) for _ in range(count)]
    runner = Runner(hub.url, key, directory, name="queue").start()
    ended = [wait_for_end(ide, made, 300) for made in ids]
    assert all(command["status"] == "completed" for command in ended)
    runner.stop()
    first = min(command["updatedAt"] for command in ended)
    last = max(command["updatedAt"] for command in ended)
    return (count - 1) * 1000 / (last - first)


def bench_runner(require, say, rss_kib):
    say("\n## runner: execute_bash true, loopback")
    hub = Hub().start()
    ide = Client(hub.url, hub.add_key(label="ide", scopes=IDE_SCOPES)["key"])
    key = hub.add_key(label="agent", scopes=AGENT_SCOPES)["key"]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        runner = Runner(hub.url, key, directory).start()
        time.sleep(1)
        idle = rss_kib(runner.process.pid)
        with_walls = latency_ms(ide, 100)
        polled = polled_latency_ms(ide, 5)
        runner.stop()
        runner.arguments.append("--no-sandbox")
        runner.start()
        without_walls = latency_ms(ide, 100)
        runner.stop()
        rate = commands_per_second(hub, ide, directory, key, 1000)
    hub.stop()
    require(with_walls <= 60, f"submit to result: median {with_walls:.1f} ms in the sandbox (at most 60), of which the sandbox "
                              f"{with_walls - without_walls:.1f} ms; {polled:.0f} ms for a client that polls each second")
    require(rate >= 50, f"1000 queued commands, 2 at once: {rate:.0f} a second (at least 50)")
    require(idle < 20 * 1024, f"idle runner: {idle / 1024:.1f} MiB resident (under 20)")
