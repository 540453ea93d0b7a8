"""A machine whose clock is wrong: the hub and the node on it run under libfaketime."""
import datetime
import glob
import json
import os
import subprocess

import pytest
import requests
from harness import BINARY, Hub, cli, cli_json, wait_until
from node_harness import Node

# Fakes the wall clock alone: nobody can set the other one.
LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
YEARS = 12 * 365 * 86_400
DAYS = 86_400


pytestmark = pytest.mark.skipif(bool(os.environ.get("SYNCLINE_SLOW")),
                                reason="libfaketime cannot be loaded before a sanitizer's runtime")


class Clock:
    """The clock of a machine; processes with its environment notice at once when it is set."""

    def __init__(self, directory):
        assert LIBRARY, "install faketime"
        self.file = directory / "clock"
        self.set(0)
        self.environment = {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1"}

    def set(self, off_s):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{off_s:+d}\n")
        os.replace(fresh, self.file)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def hub(tmp_path, clock):
    running = Hub(data=tmp_path / "data", environment=clock.environment).stay().start()
    yield running
    if running.process is not None:
        assert running.stop() == 0, running.log_text()[-3000:]
    assert '"level":"error"' not in running.log_text()


def ready(hub):
    answer = requests.get(f"{hub.url}/ready", timeout=10)
    assert answer.status_code == 200, "a hub that doubts its clock serves all the same"
    return answer.json()


def restart(hub, clock, off_s):
    assert hub.stop() == 0
    clock.set(off_s)
    hub.start()


def now(off_s=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=off_s)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def put(client, value, **stamp):
    return client.push("s", [{"collection": "c", "id": "1", "doc": {"v": value}, **stamp}])["results"][0]


@pytest.mark.long
def test_a_hub_that_runs_twelve_years_ahead_for_a_minute_erases_nothing(hub, clock, tmp_path):
    client = hub.client()
    for value in range(3):
        put(client, value)
    client.push("s", [{"collection": "c", "id": "2", "doc": {}}])
    client.push("s", [{"collection": "c", "id": "2", "deleted": True}])
    password = tmp_path / "password"
    password.write_text("correct horse")
    cli("account", "password", "ann@example.org", "--password-file", str(password), data=hub.data)
    login = {"email": "ann@example.org", "password": "correct horse"}
    session = client.post("/auth/login", login).json()

    restart(hub, clock, YEARS)
    put(client, "touched")
    wait_until(lambda: '"event":"purge_suspended"' in hub.log_text(), "the purge of the first minute", deadline_s=120)
    restart(hub, clock, 0)

    assert ready(hub) == {"status": "ready"}
    versions = client.get("/v1/spaces/s/records/c/1/history").json()["versions"]
    assert [version["doc"]["v"] for version in versions] == ["touched", 2, 1, 0]
    assert [record["id"] for record in client.all_changes("s") if record["deleted"]] == ["2"]
    assert put(client, "a right edit", updated_at=now())["status"] == "applied"
    renewed = client.post("/auth/refresh", {"refresh_token": session["refresh_token"]})
    assert renewed.status_code == 200, renewed.text


def test_a_clock_far_ahead_at_the_start_is_said_everywhere_and_can_be_accepted(hub, clock):
    client = hub.client()
    put(client, 1)
    restart(hub, clock, 60 * DAYS)

    assert ready(hub)["status"] == "degraded" and "syncline clock accept" in ready(hub)["detail"]
    status = cli_json("clock", data=hub.data)
    assert (status["state"], status["purging"]) == ("ahead", False)
    assert abs(status["off_seconds"] - 60 * DAYS) < 600
    doctor = {row["check"]: row for row in cli_json("doctor", data=hub.data)["checks"]}
    assert doctor["clock"]["state"] == "warning" and "60 days ahead" in doctor["clock"]["detail"]
    assert '"event":"clock_in_doubt","state":"ahead"' in hub.log_text()
    shown = put(client, 2, updated_at=now(60 * DAYS))
    assert shown["status"] == "applied" and "clock" not in shown, "it may well be the hub that is wrong"

    assert cli_json("clock", "accept", data=hub.data)["state"] == "trusted"
    assert ready(hub) == {"status": "ready"}
    restart(hub, clock, 61 * DAYS)
    assert ready(hub) == {"status": "ready"}


def test_a_strict_hub_does_not_start_while_its_clock_is_in_doubt(hub, clock):
    put(hub.client(), 1)
    assert hub.stop() == 0
    for off_s in (60 * DAYS, -YEARS):
        clock.set(off_s)
        done = subprocess.run([BINARY, "hub", "--data", str(hub.data), "--listen", "127.0.0.1:0", "--set",
                               "clock.strict=true"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **clock.environment})
        assert done.returncode == 17, done.stderr
        assert "syncline clock accept" in done.stderr and done.stdout == ""
    clock.set(60 * DAYS)
    accepted = subprocess.run([BINARY, "clock", "accept", "--json", "--data", str(hub.data)], capture_output=True,
                              text=True, timeout=60, env={**os.environ, **clock.environment})
    assert json.loads(accepted.stdout)["state"] == "trusted"
    hub.arguments = ["--set", "clock.strict=true"]
    hub.start()


def test_a_jump_while_the_hub_runs_is_noticed_and_forgotten_when_the_clock_is_set_back(hub, clock):
    client = hub.client()
    put(client, 1)
    clock.set(2 * DAYS)
    assert ready(hub)["status"] == "degraded"
    touched = put(client, 2, updated_at=now())
    assert touched["status"] == "applied"
    clock.set(0)
    assert ready(hub) == {"status": "ready"}
    assert put(client, 3, updated_at=now())["status"] == "applied"


def test_before_the_time_server_answers_right_edits_are_neither_lowered_nor_stale(hub, clock):
    client = hub.client()
    put(client, 1, updated_at=now(-5))
    restart(hub, clock, -YEARS)

    assert ready(hub)["status"] == "degraded"
    edit = put(client, 2, updated_at=now())
    assert edit["status"] == "applied" and "clock" not in edit

    clock.set(0)
    assert ready(hub) == {"status": "ready"}


def test_a_backup_may_be_older_than_a_month(hub, clock, tmp_path):
    put(hub.client(), 1)
    copy = tmp_path / "copy.db"
    cli("backup", str(copy), data=hub.data)
    assert hub.stop() == 0
    clock.set(60 * DAYS)
    restored = tmp_path / "restored"
    subprocess.run([BINARY, "restore", str(copy), "--data", str(restored)], check=True, capture_output=True, timeout=60,
                   env={**os.environ, **clock.environment})
    second = Hub(data=restored, environment=clock.environment).start()
    assert ready(second) == {"status": "ready"}
    assert second.stop() == 0


def test_a_node_that_was_off_for_long_asks_before_it_purges(clock):
    node = Node(environment=clock.environment).start()
    assert requests.get(f"{node.url}/ready", timeout=10).json() == {"status": "ready"}
    assert node.stop() == 0
    clock.set(60 * DAYS)
    node.start()
    assert requests.get(f"{node.url}/ready", timeout=10).json()["status"] == "degraded"
    assert node.api.get("/profiles").json()["profiles"][0]["clock"] == "ahead"
    assert "The system clock is ahead of the expected time" in cli("profile", "list", data=node.data)[1]
    assert cli("profile", "accept-clock", "default", data=node.data)[1] == "profile: default\nclock: trusted\n"
    assert requests.get(f"{node.url}/ready", timeout=10).json() == {"status": "ready"}
    assert node.stop() == 0


def test_a_look_at_a_stopped_hub_believes_no_clock(hub, clock):
    hub.client()
    assert hub.stop() == 0
    clock.set(400 * DAYS)
    for command in ("verify", "doctor"):
        subprocess.run([BINARY, command, "--data", hub.data, "--json"], env=os.environ | clock.environment,
                       capture_output=True, check=False, timeout=60)
    hub.start()
    assert ready(hub)["status"] == "degraded"
