"""A command runs at most once, whatever happens to runner, hub and network; and somebody is always told how it ended."""
import json
import random
import signal
import threading
import time

import pytest
from harness import SLOW, Client, Hub, cli, wait_until
from runner_harness import Runner, ScriptedHub, processes_with, wait_for_end

FACTOR = 4 if SLOW else 1
WHEN_TOLD = "echo begun >> count; until [ -e go ]; do sleep 0.02; done; "


def lines_of(path):
    return path.read_text().split() if path.exists() else []


def test_a_runner_killed_during_a_command_reports_it_and_does_not_run_it_again(make_site, forever):
    site = make_site()
    made = site.submit(type="execute_bash", command=f"echo ran >> count; sleep {forever}")
    wait_until(lambda: lines_of(site.root / "count"), "the command runs")
    site.runner.kill()
    wait_until(lambda: not processes_with(forever), "the command's processes end with the runner", 5 * FACTOR)
    assert site.status(made) == "processing"
    site.runner.start()
    ended = site.result(made, 10 * FACTOR)
    assert (ended["status"], ended["error"]) == ("failed", "runner restarted")
    assert site.bash("true")["status"] == "completed"
    assert lines_of(site.root / "count") == ["ran"]
    assert '"event":"lost"' in site.runner.audit()


@pytest.mark.long
def test_the_hub_reports_a_lost_runner_when_its_lease_expires(tmp_path):
    hub = Hub(arguments=["--set", "commands.claim_lease_seconds=2"]).start()
    ide = hub.client(label="ide")
    runner = Runner(hub.url, hub.add_key(label="agent", scopes="commands:run")["key"], tmp_path).start()
    made = ide.post("/command", {"type": "execute_bash", "command": "echo ran >> count; sleep 60"}).json()["commandId"]
    wait_until(lambda: lines_of(runner.root / "count"), "the command runs")
    time.sleep(3)  # longer than a lease: it is renewed
    assert ide.get(f"/command/{made}").json()["status"] == "processing"
    runner.kill()
    began = time.monotonic()
    ended = wait_for_end(ide, made)
    assert ended["error"] == "runner lost" and time.monotonic() - began < 5 * FACTOR
    runner.start()  # it reports, and is too late: what the hub has said stays
    wait_until(lambda: "report_superseded" in runner.log_text(), "the late report")
    assert ide.get(f"/command/{made}").json()["error"] == "runner lost"
    # Claimed and never begun: somebody else who reads may read again, what acts is given up.
    key = hub.client(label="vanishing", scopes="commands:run")
    runner.stop()
    act = ide.post("/command", {"type": "execute_bash", "command": "echo ran >> count"}).json()["commandId"]
    read = ide.post("/command", {"type": "list_directory", "path": "."}).json()["commandId"]
    assert key.post("/command/claim").json()["commandId"] == act
    assert key.post("/command/claim").json()["commandId"] == read
    runner.start()
    assert wait_for_end(ide, act)["error"] == "runner lost"
    assert wait_for_end(ide, read)["status"] == "completed"
    assert lines_of(runner.root / "count") == ["ran"]
    assert runner.stop() == 0 and hub.stop() == 0


@pytest.mark.long
def test_kill_9_at_random_moments_never_runs_a_command_twice(make_site):
    site = make_site()
    ids, stop = [], threading.Event()

    def submit():
        client = Client(site.hub.url, site.ide.key)
        while not stop.is_set():
            ids.append(client.post("/command", {"type": "execute_bash", "command": f"echo c{len(ids)} >> count"}).json()["commandId"])
            time.sleep(0.02)

    thread = threading.Thread(target=submit)
    thread.start()
    seed = random.randrange(1 << 32)
    print("seed", seed)
    pauses = random.Random(seed)
    for _ in range(12):
        time.sleep(pauses.uniform(0.02, 0.4))
        site.runner.kill()
        wait_until(lambda: not site.runner.processes(), "nothing lives on without its runner", 5 * FACTOR)
        before = lines_of(site.root / "count")
        time.sleep(0.1)
        assert lines_of(site.root / "count") == before, "a command went on after its runner was killed"
        site.runner.start()
    stop.set()
    thread.join()
    # A claim whose answer the killed runner never saw ends with its lease, a minute later: those are not waited for.
    wait_until(lambda: not site.ide.get("/command?status=pending").json()["commands"], "the queue is empty", 60 * FACTOR)
    site.runner.stop()  # when what runs has ended
    ran = lines_of(site.root / "count")
    assert len(ran) == len(set(ran)), "a command ran twice"
    told = [site.ide.get(f"/command/{made}").json() for made in ids]
    completed = {f"c{number}" for number, command in enumerate(told) if command["status"] == "completed"}
    assert completed <= set(ran)
    for number, command in enumerate(told):
        # Claimed, and killed before it was begun: the hub says so when the lease is over.
        assert command["status"] != "failed" or command["error"] == "runner restarted" or f"c{number}" not in ran, command
    wait_until(lambda: not site.runner.processes(), "nothing of a sandbox is left", 5 * FACTOR)


@pytest.mark.long
def test_two_runners_share_a_thousand_commands_and_run_each_once(make_site, tmp_path):
    site = make_site()
    other = Runner(site.hub.url, site.hub.add_key(label="second", scopes="commands:run")["key"], tmp_path / "site0",
                   name="second").start()
    count = 100 if SLOW else 1000
    ids = [site.submit(type="execute_bash", command=f"echo {number} >> count") for number in range(count)]
    owners = {site.result(made, 120)["claimedBy"] for made in ids}
    assert sorted(map(int, lines_of(site.root / "count"))) == list(range(count))
    assert len(owners) == 2, "one of them got nothing"
    assert other.stop() == 0


def scripted(orders):
    """A hub that hands out these claims one after the other, and then nothing."""
    queue = list(orders)

    def answer(method, path, body):
        if path.startswith("/command/claim"):
            if queue:
                return 200, json.dumps(queue.pop(0))
            time.sleep(0.2)
            return 204, ""
        return 200, json.dumps({"status": "processing"})

    return ScriptedHub(answer)


def reports(hub, command_id):
    return [json.loads(body) for method, path, body in hub.requests if method == "PATCH" and path.endswith(command_id)]


def order(command_id, **more):
    return {"commandId": command_id, "type": "execute_bash", "command": f"echo {command_id} >> count", "status": "processing",
            "leaseMs": 60000, **more}


def test_an_order_delivered_twice_runs_once(tmp_path):
    hub = scripted([order("cmd-1"), order("cmd-1"), order("cmd-2")])
    runner = Runner(hub.url, "any-key", tmp_path, ["--root", str(tmp_path / "root"), "--allow", "any", "--concurrency", "1"]).start()
    wait_until(lambda: reports(hub, "cmd-2"), "the last report")
    assert runner.stop() == 0
    assert lines_of(runner.root / "count") == ["cmd-1", "cmd-2"]
    first, second = reports(hub, "cmd-1")
    assert first["status"] == "completed" and "not run again" in second["error"]
    # The same after a restart: the log remembers.
    hub.close()
    again = scripted([order("cmd-1")])
    runner.url = again.url
    runner.start()
    wait_until(lambda: reports(again, "cmd-1"), "the report")
    assert "not run again" in reports(again, "cmd-1")[0]["error"]
    assert lines_of(runner.root / "count") == ["cmd-1", "cmd-2"]
    runner.stop()
    again.close()


def test_an_order_cancelled_in_transit_is_not_run(tmp_path):
    hub = scripted([order("cmd-1", cancelRequested=True)])
    runner = Runner(hub.url, "any-key", tmp_path).start()
    wait_until(lambda: reports(hub, "cmd-1"), "the report")
    assert reports(hub, "cmd-1") == [{"status": "failed", "error": "cancelled"}]
    assert runner.stop() == 0 and lines_of(runner.root / "count") == []
    hub.close()


def test_invalid_orders_are_rejected(tmp_path):
    bad = [{"commandId": "cmd-1", "type": "format_disk"}, {"commandId": "cmd-2", "type": "execute_bash"},
           {"commandId": "cmd-3", "type": "read_file", "path": 7}, order("cmd-4", workingDir=[])]
    hub = scripted(bad)
    runner = Runner(hub.url, "any-key", tmp_path).start()
    for number in range(1, 5):
        wait_until(lambda: reports(hub, f"cmd-{number}"), f"report {number}")
        assert reports(hub, f"cmd-{number}")[0]["status"] == "failed"
    assert runner.stop() == 0
    hub.close()


def test_a_revoked_key_stops_running_commands_and_the_runner(make_site, forever):
    site = make_site()
    site.submit(type="execute_bash", command=f"echo ran >> count; sleep {forever}")
    wait_until(lambda: processes_with(forever), "the command runs")
    cli("key", "revoke", site.agent_key["id"], data=site.hub.data)
    site.submit(type="execute_bash", command="echo after >> count")
    assert site.runner.wait() == 5, site.runner.log_text()
    assert not processes_with(forever)
    assert lines_of(site.root / "count") == ["ran"]


def test_cancelling_ends_the_whole_tree_at_once(make_site, forever):
    site = make_site()
    made = site.submit(type="execute_bash", command=f"echo part; (sleep {forever} &) ; sleep {forever}")
    wait_until(lambda: processes_with(forever), "the command runs")
    began = time.monotonic()
    assert site.ide.call("DELETE", f"/command/{made}").status_code == 200
    ended = site.result(made)
    assert (ended["status"], ended["error"], ended["result"]["stdout"]) == ("failed", "cancelled", "part\n")
    assert time.monotonic() - began < 3 * FACTOR
    assert not processes_with(forever)


def test_sigterm_lets_a_command_end_and_reports_it(make_site):
    site = make_site()
    made = site.submit(type="execute_bash", command=WHEN_TOLD + "echo ended >> count")
    wait_until(lambda: lines_of(site.root / "count"), "the command runs")
    site.runner.process.send_signal(signal.SIGTERM)
    wait_until(lambda: '"event":"stopping"' in site.runner.log_text(), "the runner has heard of it")
    (site.root / "go").touch()
    assert site.runner.wait() == 0
    assert site.status(made) == "completed" and lines_of(site.root / "count") == ["begun", "ended"]


def test_a_command_that_exceeds_the_drain_time_is_stopped_and_reported(make_site, forever):
    site = make_site()
    site.runner.stop()
    site.runner.arguments += ["--drain", "1"]
    site.runner.start()
    made = site.submit(type="execute_bash", command=f"echo part; sleep {forever}")
    wait_until(lambda: processes_with(forever), "the command runs")
    assert site.runner.stop() == 0
    ended = site.result(made)
    assert ended["error"] == "stopped: the runner is stopping" and ended["result"]["stdout"] == "part\n"


def test_a_result_survives_an_unreachable_hub(make_site):
    site = make_site()
    made = site.submit(type="execute_bash", command=WHEN_TOLD + "echo result")
    wait_until(lambda: lines_of(site.root / "count"), "the command runs")
    site.hub.kill()
    (site.root / "go").touch()
    wait_until(lambda: '"event":"ended"' in site.runner.audit(), "the outcome is on disk")
    site.runner.kill()  # the hub does not have it
    site.hub.start()
    site.runner.start()
    ended = wait_for_end(Client(site.hub.url, site.ide.key), made)
    assert ended["result"]["stdout"] == "result\n" and lines_of(site.root / "count") == ["begun"]
