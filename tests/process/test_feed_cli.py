"""tail, export and import, of a device and of a hub; the progress that people see."""
import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest
from harness import BINARY, Hub, wait_until
from node_harness import Node


@pytest.fixture
def run(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    environment["SYNCLINE_NODE_DATA"] = str(tmp_path / "device")

    def run(*arguments, key="", code=0, **options):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=120,
                              env=environment | {"SYNCLINE_KEY": key}, **options)
        assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr[-500:])
        return done

    run.environment = environment
    return run


def fill(client, space, count, first=0):
    for start in range(first, first + count, 500):
        client.push(space, [{"collection": "items", "id": f"i{number:05}", "doc": {"number": number}}
                            for number in range(start, min(start + 500, first + count))])


def content(client, space):
    return {(one["collection"], one["id"]): one.get("doc") for one in client.all_changes(space)}


def test_export_from_one_hub_and_import_into_another_account(shared_hub, run, tmp_path):
    ann = shared_hub.client(email="ann@example.org")
    fill(ann, "notes", 2500)
    ann.push("notes", [{"collection": "items", "id": "i00007", "deleted": True}])
    ann.push("kernle%2Fclaire", [{"collection": "notes", "id": "n1", "doc": {"content": "ü \u2028 \"quoted\""}}])
    file = tmp_path / "all.ndjson"
    done = run("export", "--hub", shared_hub.url, "-o", str(file), "--json", key=ann.key)
    assert json.loads(done.stdout) == {"file": str(file), "records": 2501, "damaged": 0, "resumed": False}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["syncline_export"] == 1 and lines[-1] == {"syncline_export_end": 1, "records": 2501}

    bob = shared_hub.client(email="bob@example.org")
    done = run("import", str(file), "--hub", shared_hub.url, "--json", key=bob.key)
    counts = json.loads(done.stdout)
    assert counts["applied"] == 2501 and counts["rejected"] == 0
    for space in ("notes", "kernle%2Fclaire"):
        assert content(bob, space) == content(ann, space)
    # Once more changes nothing, and an export is never written over.
    assert json.loads(run("import", str(file), "--hub", shared_hub.url, "--json", key=bob.key).stdout)["unchanged"] == 2501
    before = file.read_bytes()
    assert "complete export" in run("export", "--hub", shared_hub.url, "-o", str(file), key=ann.key, code=4).stderr
    assert file.read_bytes() == before


def test_an_interrupted_export_resumes(shared_hub, run, tmp_path):
    client = shared_hub.client(email="carl@example.org")
    fill(client, "a", 2500)
    fill(client, "b", 1500)
    file = tmp_path / "cut.ndjson"
    run("export", "--hub", shared_hub.url, "-o", str(file), key=client.key)
    whole = file.read_text().splitlines(keepends=True)
    for keep in (1, 700, 1002, 1003, 2600, len(whole) - 1):
        file.write_text("".join(whole[:keep]) + '{"space":"a","seq":9')  # and the line that was being written
        assert "interrupted" in run("import", str(file), "--hub", shared_hub.url, key=client.key, code=7).stderr
        done = run("export", "--hub", shared_hub.url, "-o", str(file), "--json", key=client.key)
        assert json.loads(done.stdout) == {"file": str(file), "records": 4000, "damaged": 0, "resumed": True}
        assert file.read_text() == "".join(whole), keep

    # What is left of an import that was told where to go on, too.
    file.write_text("".join(whole[:700]) + '{"space":"a","seq":9')
    error = run("import", str(file), "--from-line", "600", "--hub", shared_hub.url, key=client.key, code=7).stderr
    assert "interrupted" in error
    another = Hub().start()
    try:
        other = another.client(email="carl@example.org")
        fill(other, "a", 1)
        fill(other, "b", 1)
        error = run("export", "--hub", another.url, "-o", str(file), key=other.key, code=4).stderr
        assert "another store" in error
    finally:
        another.stop()

    strange = tmp_path / "letter.txt"
    strange.write_text("Dear Claire,\n")
    assert "is not an export" in run("export", "--hub", shared_hub.url, "-o", str(strange), key=client.key, code=4).stderr
    assert strange.read_text() == "Dear Claire,\n"


def test_a_failed_import_names_the_error_and_the_line_to_resume_from(shared_hub, run, tmp_path):
    client = shared_hub.client(email="dora@example.org")
    file = tmp_path / "mine.ndjson"
    good = [json.dumps({"space": "mine", "collection": "items", "id": f"i{number}", "doc": {}}) for number in range(700)]
    file.write_text("\n".join([*good, json.dumps({"collection": "bad name!", "id": "x", "doc": {}}), good[0]]) + "\n")
    error = run("import", str(file), "--hub", shared_hub.url, key=client.key, code=2).stderr
    assert "line 701 has no space" in error and "--from-line 501" in error
    done = run("import", "-", "--from-line", "501", "--hub", shared_hub.url, "--space", "mine", "--json", key=client.key,
               code=7, input=file.read_text())
    counts = json.loads(done.stdout)
    assert counts["applied"] == 200 and counts["rejected"] == 1 and counts["unchanged"] == 1
    assert [line["line"] for line in counts["lines"]] == [701] and done.stderr == ""
    assert len(client.all_changes("mine")) == 700


def test_bad_lines_stop_no_others(shared_hub, run, tmp_path):
    client = shared_hub.client(email="hugo@example.org")
    file = tmp_path / "mixed.ndjson"
    record = '{"collection":"items","id":"%s","doc":{}}'
    lines = [record % "first", "no json", record % "second", '{"collection":"items","doc":{}}', record % "third"]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    done = run("import", str(file), "--hub", shared_hub.url, "--space", "mixed", "--json", key=client.key, code=7)
    counts = json.loads(done.stdout)
    assert (counts["applied"], counts["unreadable"], counts["rejected"]) == (3, 2, 0)
    assert counts["lines"] == [{"line": 2, "error": "not a JSON object"}, {"line": 4, "error": "id is missing"}]
    done = run("import", str(file), "--hub", shared_hub.url, "--space", "mixed", key=client.key, code=7)
    assert "line 2 not imported: not a JSON object" in done.stderr and "line 4 not imported: id is missing" in done.stderr
    file.write_bytes(b"Dear Claire,\n")
    done = run("import", str(file), "--hub", shared_hub.url, "--space", "mixed", key=client.key, code=2)
    assert "there is no line that can be imported" in done.stderr


def test_an_export_goes_back_into_the_hub_it_came_from(hub, run, tmp_path):
    client = hub.client()
    client.push("notes", [{"collection": "items", "id": "a", "doc": {}}, {"collection": "items", "id": "b", "doc": {}}])
    client.push("notes", [{"collection": "items", "id": "b", "deleted": True}])
    client.post("/sync", {"conversations": {"c": [{"role": "user", "content": "x", "timestamp": 1}]},
                          "documents": {"d": {"content": "x", "timestamp": 1}}})
    assert client.post("/command", {"type": "read_file", "path": "/etc/hostname"}).status_code == 200
    client.post("/clocks/start", {"customer": "Acme"})
    client.post("/clocks/quick-book", {"duration": "1h"})
    entry = client.get("/clocks/entries?period=year").json()[-1]["id"]
    client.delete(f"/clocks/{entry}")
    client.post("/sync/push", {"stack_id": "claire", "operations": [
        {"operation": "update", "table": "notes", "record_id": "n", "data": {"content": "x"}},
        {"operation": "delete", "table": "notes", "record_id": "gone"}]})
    file = tmp_path / "all.ndjson"
    run("export", "--hub", hub.url, "-o", str(file), key=client.key)
    done = run("import", str(file), "--hub", hub.url, "--json", key=client.key)
    counts = json.loads(done.stdout)
    assert counts["unchanged"] == json.loads(file.read_text().splitlines()[-1])["records"] > 8, (counts, done.stderr)


def test_export_and_import_on_the_device(run, tmp_path):
    run("-a", "claire", "memory", "add", "notes", "content=one")
    run("book", "30m", "-c", "Acme")
    lines = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert {line["collection"] for line in lines if "collection" in line} == {"notes", "entries"}
    file = tmp_path / "kernle.ndjson"
    run("export", "kernle/claire", "-o", str(file))
    run.environment["SYNCLINE_NODE_DATA"] = str(tmp_path / "another device")
    assert "applied: 1" in run("import", str(file)).stdout
    assert "one" in run("-a", "claire", "memory", "list", "notes").stdout
    assert "space 'nothing' not found" in run("export", "nothing", code=3).stderr


def pages_read(hub):
    """Pages of changes that the hub has handed out."""
    counter = 'syncline_http_requests_total{code="200",method="GET",route="/v1/spaces/{space}/changes"} '
    lines = hub.metrics().splitlines()
    return sum(int(line.removeprefix(counter)) for line in lines if line.startswith(counter))


def test_tail_shows_existing_and_new_changes(shared_hub, run):
    client = shared_hub.client(email="eve@example.org")
    fill(client, "a", 3)
    fill(client, "b", 1)
    done = run("tail", "a", "--from-start", "--count", "3", "--json", "--hub", shared_hub.url, key=client.key)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["i00000", "i00001", "i00002"]
    cursor = client.get("/v1/spaces/a/changes?limit=1").json()["cursor"]
    done = run("tail", "a", "--since", cursor, "--count", "1", "--hub", shared_hub.url, key=client.key)
    assert "a  items/i00001" in done.stdout

    pages = pages_read(shared_hub)
    with subprocess.Popen([BINARY, "tail", "--json", "--hub", shared_hub.url], stdout=subprocess.PIPE, text=True,
                          env=run.environment | {"SYNCLINE_KEY": client.key}) as tail:
        try:
            wait_until(lambda: pages_read(shared_hub) >= pages + 2, "the tail knows where both spaces end")
            client.push("b", [{"collection": "items", "id": "new", "doc": {"of": "b"}}])
            line = json.loads(tail.stdout.readline())
            assert (line["space"], line["id"], line["doc"]) == ("b", "new", {"of": "b"})
            client.push("a", [{"collection": "items", "id": "i00000", "deleted": True}])
            line = json.loads(tail.stdout.readline())
            assert (line["space"], line["id"], line["deleted"]) == ("a", "i00000", True)
            shared_hub.stop()
            shared_hub.start()
            client.push("a", [{"collection": "items", "id": "after", "doc": {}}])
            assert json.loads(tail.stdout.readline())["id"] == "after"
        finally:
            tail.send_signal(signal.SIGINT)
        assert tail.wait(timeout=10) == 0


def test_tail_on_a_device_shows_changes_from_the_hub(shared_hub, run):
    client = shared_hub.client(email="fred@example.org")
    node = Node().start()
    try:
        node.connect(shared_hub.url, client.key)
        node.api.post("/memory/notes?agent_id=claire", {"content": "first"})
        wait_until(lambda: node.is_in_sync(), "in sync")
        with subprocess.Popen([BINARY, "tail", "kernle/claire", "--from-start", "--json", "--data", str(node.data)],
                              stdout=subprocess.PIPE, text=True, env=run.environment) as tail:
            try:
                assert json.loads(tail.stdout.readline())["doc"]["content"] == "first"
                client.push("kernle%2Fclaire", [{"collection": "notes", "id": "n2", "doc": {"content": "far"}}])
                assert json.loads(tail.stdout.readline())["id"] == "n2"
            finally:
                tail.send_signal(signal.SIGINT)
    finally:
        node.stop()


def seen_on_terminal(command, environment):
    """What a command shows on a terminal, and its exit code."""
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        shown = b""
        end = time.monotonic() + 100
        while time.monotonic() < end:
            ready, _, _ = select.select([leader], [], [], 0.1)
            try:
                if ready:
                    shown += os.read(leader, 65536)
            except OSError:
                break
        os.close(leader)
        return shown.decode(errors="replace"), process.wait(timeout=10)


def test_a_long_transfer_shows_its_progress(shared_hub, run):
    client = shared_hub.client(email="gina@example.org")
    for start in range(0, 60_000, 5000):
        client.push("big", [{"collection": "items", "id": f"i{number}", "doc": {"text": "x" * 200}}
                            for number in range(start, start + 5000)])
    shown, code = seen_on_terminal([BINARY, "login", shared_hub.url], run.environment | {"SYNCLINE_KEY": client.key})
    assert code == 0, shown
    bars = [part for part in shown.split("\r") if "Connecting [" in part]
    assert bars and all(" %, " in bar for bar in bars), shown
    assert "\x1b[K" in shown and shown.index("ok: true") > shown.rindex("Connecting [")
