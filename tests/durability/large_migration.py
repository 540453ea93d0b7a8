"""Compares every read of every API before and after a hub's store moves to the format of this build.

usage: large_migration.py OLD_BINARY [RECORDS]

A hub of OLD_BINARY gets RECORDS native records (1,000,000 unless given) with random ids, a fifth of them changed twice,
some deleted, some in conflict, and rows of the other APIs. Then the hub of this build opens the store, is killed while
it moves the rows, opens it again, and must answer as the old one did. The second opening must also leave nothing that
`verify` complains of. Exit status 1 if anything differs.
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "process"))
from harness import BINARY, Client, Hub  # noqa: E402

SPACE = "s"
BATCH = 1000
TEXT = "x" * 200
KILLED_AFTER = (0.1, 0.4, 0.7)  # of what a move without a kill takes
# Members of the answer itself, words for people, and what is new.
OF_THE_ANSWER = ("cursor", "detail", "meta", "request_id", "server_time", "shared", "sync_completed_at")
SAMPLES = 300
KEPT = 1000
SHOWN = 200  # characters of an answer
PLACE = "/var/tmp"
RESOURCES = ("/kaisho/sync", "/kaisho/sync/tasks", "/kaisho/sync/notes")


def fill(client, count, random_source):
    ids = [random_source.randbytes(12).hex() for _ in range(count)]
    at = 1_760_000_000
    stamp = lambda second: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))  # noqa: E731

    def push(names, second, **fields):
        for begin in range(0, len(names), BATCH):
            ops = [{"collection": "c" + name[0], "id": name, "updated_at": stamp(second), "doc": {"t": TEXT, "v": second},
                    **fields} for name in names[begin:begin + BATCH]]
            client.push(SPACE, ops)

    push(ids, at)
    changed = ids[:count // 5]
    push(changed, at + 100)
    push(changed, at + 200)
    push(changed[:count // 50], at + 50)  # older, and another text: conflicts
    for begin in range(0, count // 100, BATCH):
        client.push(SPACE, [{"collection": "c" + name[0], "id": name, "updated_at": stamp(at + 300), "deleted": True}
                            for name in ids[-count // 100:][begin:begin + BATCH]])
    return ids


def fill_other_apis(client, count, random_source):
    for begin in range(0, count, 200):
        rows = [{"id": str(uuid.UUID(bytes=random_source.randbytes(16))), "start": "2026-11-21T09:00:00Z",
                 "end": "2026-11-21T10:00:00Z", "updated_at": "2026-11-21T10:00:00Z", "customer": "c", "title": f"{begin} {i}"}
                for i in range(200)]
        for path in RESOURCES:
            answer = client.post(path + "/apply", {"entries": rows})
            assert answer.status_code == 200, answer.text
        operations = [{"operation": "update", "table": "notes", "record_id": f"{begin}-{i}",
                       "local_updated_at": "2026-11-22T10:00:00+00:00", "data": {"content": f"memory {begin} {i}"}}
                      for i in range(100)]
        assert client.post("/kernle/sync/push", {"stack_id": "claire", "operations": operations}).status_code == 200
        state = {"conversations": {f"k{begin}-{i}": [{"role": "user", "content": "hello", "timestamp": begin + i}]
                                   for i in range(20)},
                 "documents": {f"d{begin}-{i}": {"content": "text", "timestamp": begin + i} for i in range(20)}}
        assert client.post("/kiro/sync", state).status_code == 200


def pages(client, path, more):
    """The pages of a list, one after the other. `more` returns the query of the next page, or nothing."""
    query = ""
    while query is not None:
        answer = client.get(path + query)
        assert answer.status_code == 200, f"{path}{query}: {answer.status_code} {answer.text[:300]}"
        page = answer.json()
        yield page
        query = more(page)


def without_cursors(value):
    """What a cursor says of the store's history may change; what it stands for may not. Nor do two answers to one
    request have the same number and time."""
    if isinstance(value, dict):
        return {name: without_cursors(member) for name, member in value.items()
                if name not in OF_THE_ANSWER}
    return [without_cursors(member) for member in value] if isinstance(value, list) else value


def reads(client, ids, random_source):
    """By the name of each read: the hashes of its answers, and the first answers, to look at."""
    found = {}

    def note(name, answers):
        hashes, texts = [], []
        for answer in answers:
            text = json.dumps(without_cursors(answer), sort_keys=True)
            hashes.append(hashlib.sha256(text.encode()).digest()[:8])
            if len(texts) < KEPT:
                texts.append(text)
        found[name] = (hashes, texts)

    note("changes", (change for page in pages(
        client, f"/v1/spaces/{SPACE}/changes?limit=2000",
        lambda page: f"&since={page['cursor']}" if page["more"] else None) for change in page["changes"]))
    for collection in "0f":
        note(f"records c{collection}", (record for page in pages(
            client, f"/v1/spaces/{SPACE}/records/c{collection}?limit=1000",
            lambda page: f"&after={page['after']}" if page["after"] else None) for record in page["records"]))
    note("conflicts", (conflict for page in pages(
        client, f"/v1/spaces/{SPACE}/conflicts?limit=1000",
        lambda page: f"&after={page['conflicts'][-1]['id']}" if page["conflicts"] else None) for conflict in page["conflicts"]))
    sample = [*ids[:SAMPLES], *ids[-SAMPLES:], *random_source.sample(ids, SAMPLES)]
    note("history", (client.get(f"/v1/spaces/{SPACE}/records/c{name[0]}/{name}/history").json() for name in sample))
    note("record", (client.get(f"/v1/spaces/{SPACE}/records/c{name[0]}/{name}").json() for name in sample))
    for path in RESOURCES:
        note(path, (row for page in pages(
            client, f"{path}/changes?limit=500",
            lambda page: f"&since={page['cursor']}" if page["has_more"] else None) for row in page["entries"]))
    for path in ("/clocks/entries?period=year", "/kiro/sync", "/kernle/sync/status?agent_id=claire", "/v1/spaces"):
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"
        note(path, [answer.json()])
    answer = client.post("/kernle/sync/full", {"stack_id": "claire"})
    assert answer.status_code == 200, answer.text[:300]
    note("/kernle/sync/full", [answer.json()])
    return found


def print_first_difference(before, after):
    for one, other in zip(before, after):
        if one != other:
            at = max(0, len(os.path.commonprefix((one, other))) - SHOWN // 2)
            print(f"    before: {one[at:at + SHOWN]}\n    after:  {other[at:at + SHOWN]}")
            return


def copy_of(data, place):
    copy = Path(tempfile.mkdtemp(dir=place)) / "data"
    subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(copy)], check=True)
    return copy


def open_until_ready(data):
    began = time.monotonic()
    hub = Hub(data=data).start()
    return hub, time.monotonic() - began


def kill_while_moving(data, seconds):
    """True if it had not become ready by then."""
    process = subprocess.Popen([BINARY, "hub", "--data", str(data), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    time.sleep(seconds)
    process.kill()
    line = process.stdout.readline()
    process.wait()
    process.stdout.close()
    return not line


def main():
    if len(sys.argv) not in (2, 3) or not os.access(sys.argv[1], os.X_OK):
        sys.exit(__doc__)
    old_binary, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    random_source = random.Random(1)
    with tempfile.TemporaryDirectory(dir=PLACE) as place:
        data = Path(place) / "data"
        old = Hub(data=data, binary=old_binary).start()
        key = old.add_key()["key"]
        client = Client(old.url, key)
        began = time.monotonic()
        ids = fill(client, count, random_source)
        fill_other_apis(client, max(200, count // 1000), random_source)
        print(f"filled with {count} records in {time.monotonic() - began:.0f} s", flush=True)
        state = random_source.getstate()
        before = reads(client, ids, random_source)
        old.stop()
        whole, seconds = open_until_ready(copy_of(data, place))
        whole.stop()
        print(f"the move takes {seconds:.1f} s", flush=True)
        killed = sum(kill_while_moving(data, seconds * part) for part in KILLED_AFTER)
        hub, rest = open_until_ready(data)
        random_source.setstate(state)
        after = reads(Client(hub.url, key), ids, random_source)
        hub.stop()
        different = [name for name in before if before[name][0] != after[name][0]]
        for name, (hashes, texts) in before.items():
            print(f"{'differs' if name in different else 'equal  '}  {name}: {len(hashes)} answers")
            if name in different:
                print_first_difference(texts, after[name][1])
        verified = subprocess.run([BINARY, "verify", "--data", str(data)], capture_output=True, text=True, check=False)
        print(f"killed {killed} times, then {rest:.1f} s; verify: {verified.stdout.strip() or verified.stderr.strip()}")
        sys.exit(1 if different or killed == 0 or verified.returncode != 0 else 0)


if __name__ == "__main__":
    main()
