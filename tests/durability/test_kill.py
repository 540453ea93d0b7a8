"""What was acknowledged is there after kill -9, whatever the moment."""
import json
import os
import random
import shutil
import subprocess
import threading

import pytest
import requests
from harness import Client, Hub, cli

CYCLES = int(os.environ.get("SYNCLINE_KILL_CYCLES", "25"))
WRITERS = 8


class Writer(threading.Thread):
    """Pushes until the hub is gone; remembers what was acknowledged, and what was sent last."""

    def __init__(self, url, key, number, cycle):
        super().__init__()
        self.client = Client(url, key)
        self.name_of_cycle = f"{cycle}-{number}"
        self.acknowledged = {}

    def run(self):
        turn = 0
        try:
            while True:
                ids = [f"{self.name_of_cycle}-{turn}-{i}" for i in range(turn % 4 + 1)]
                answer = self.client.post("/v1/spaces/s/push",
                                          {"ops": [{"collection": "c", "id": i, "doc": {"id": i}} for i in ids]})
                for record_id, result in zip(ids, answer.json()["results"]):
                    self.acknowledged[record_id] = result["seq"]
                turn += 1
        except (requests.RequestException, ValueError):
            return


@pytest.mark.long
def test_kill_9_in_a_push_storm_loses_no_acknowledged_change(tmp_path):
    random.seed(20261122)
    hub = Hub(data=tmp_path / "data", arguments=["--log-level", "error"]).start()
    key = hub.add_key()["key"]
    acknowledged = {}
    for cycle in range(CYCLES):
        writers = [Writer(hub.url, key, number, cycle) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        threading.Event().wait(random.uniform(0.005, 0.5))
        hub.kill()
        for writer in writers:
            writer.join()
            acknowledged.update(writer.acknowledged)
        hub.start()
        if cycle % 5 == 4:
            hub.kill()  # also in the middle of the recovery
            hub.start()
        stored = {record["id"]: record["seq"] for record in Client(hub.url, key).all_changes("s")}
        lost = {record_id for record_id, seq in acknowledged.items() if stored.get(record_id) != seq}
        assert lost == set(), f"cycle {cycle}: {len(lost)} of {len(acknowledged)} lost"
        assert sorted(stored.values()) == list(range(1, len(stored) + 1)), "the feed has a gap"
    assert hub.stop() == 0
    assert len(acknowledged) > CYCLES * WRITERS / 2
    assert json.loads(cli("verify", "--json", data=hub.data)[1])["ok"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")
def test_each_answer_comes_after_a_sync_of_the_log(tmp_path):
    """Looks at the system calls: between a request that writes and its answer the log file was synced."""
    hub = Hub(data=tmp_path / "data", arguments=["--log-level", "error"]).start()
    key = hub.add_key()["key"]
    trace = tmp_path / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-y", "-e", "trace=fdatasync,fsync,sendmsg,sendto", "-s", "12", "-o", str(trace),
                               "-p", str(hub.process.pid)], stderr=subprocess.PIPE, text=True)
    if "attached" not in tracer.stderr.readline():
        hub.stop()
        pytest.skip("tracing is not allowed here")
    client = Client(hub.url, key)
    count = 200
    for number in range(count):
        client.push("s", [{"collection": "c", "id": str(number), "doc": {}}])
    tracer.terminate()
    tracer.wait()
    synced, answers, syncing = False, 0, set()  # threads that sync the log; another file's sync does not count
    for line in trace.read_text().splitlines():
        thread = line.split()[0]
        if "sync(" in line and "-wal>" in line:
            synced = synced or "= 0" in line
            if "unfinished" in line:
                syncing.add(thread)
        elif "sync resumed" in line and thread in syncing and "= 0" in line:
            syncing.discard(thread)
            synced = True
        elif "HTTP/1.1 200" in line:
            assert synced, f"answer {answers} came before a sync"
            answers, synced = answers + 1, False
    assert answers == count
    assert hub.stop() == 0


