"""Shared spaces at a real hub: who gets in, what ends when a share ends, and whose quota counts."""
import threading
import time

import pytest
import requests
from harness import Client, cli, cli_json

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.org"
WITHIN_S = 1.0
OP = {"collection": "c", "id": "1", "doc": {"t": 1}}


@pytest.fixture
def people(hub):
    """Ann, who has the space notes, and Bob and Eve, who do not."""
    clients = [hub.client(email=email) for email in (ANN, BOB, EVE)]
    clients[0].push("notes", [OP])
    return clients


def share(hub, rights, *more):
    return cli_json("space", "share", "notes", "--with", BOB, "--rights", rights, *more, data=hub.data)


def status(client, method, path, body=None):
    return client.call(method, path, json=body).status_code


def test_guests_get_in_as_far_as_they_may(hub, people):
    ann, bob, eve = people
    named = share(hub, "read")["guest_name"]
    base = f"/v1/spaces/{named}"
    assert [change["doc"] for change in bob.get(f"{base}/changes").json()["changes"]] == [OP["doc"]]
    assert bob.get("/v1/spaces").json()["shared"][0]["name"] == named
    push = {"ops": [{**OP, "id": "2"}]}
    assert status(bob, "POST", f"{base}/push", push) == 403
    assert status(bob, "PUT", f"{base}/records/c/2", {}) == 403
    assert status(bob, "GET", f"{base}/shares") == 403
    share(hub, "write")
    assert status(bob, "POST", f"{base}/push", push) == 200
    assert ann.get("/v1/spaces/notes/records/c/2").status_code == 200
    for method, path in (("GET", "changes"), ("GET", "records/c"), ("GET", "records/c/1/history"), ("POST", "push"),
                         ("GET", "conflicts"), ("GET", "shares"), ("DELETE", "records/c/1")):
        assert status(eve, method, f"{base}/{path}", push) == 403, path
    assert status(eve, "GET", f"/v1/events?spaces={named}") == 403
    listed = cli_json("space", "shares", "--owner", ANN, data=hub.data)["shares"]
    assert [(one["space"], one["guest"], one["rights"]) for one in listed] == [("notes", BOB, "write")]
    cli("space", "unshare", "notes", "--with", BOB, data=hub.data)
    assert status(bob, "GET", f"{base}/changes") == 403 and status(bob, "POST", f"{base}/push", push) == 403
    assert bob.get("/v1/spaces").json()["shared"] == []


def test_the_end_of_a_share_reaches_what_is_open_within_a_second(hub, people):
    _, bob, _ = people
    named = share(hub, "read")["guest_name"]
    ended = {}
    opened = threading.Event()

    def follow():
        with bob.session.get(f"{hub.url}/v1/events?spaces={named}", stream=True, timeout=30) as stream:
            for _ in stream.iter_content(None):
                opened.set()
        ended["stream"] = time.monotonic()

    def poll():
        cursor = Client(hub.url, bob.key).get(f"/v1/spaces/{named}/changes").json()["cursor"]
        answer = requests.get(f"{hub.url}/v1/spaces/{named}/changes?since={cursor}&wait=20", timeout=30,
                              headers={"Authorization": f"Bearer {bob.key}"})
        ended["poll"], ended["status"] = time.monotonic(), answer.status_code

    threads = [threading.Thread(target=run, daemon=True) for run in (follow, poll)]
    for thread in threads:
        thread.start()
    assert opened.wait(10) and not ended
    cli("space", "unshare", "notes", "--with", BOB, "--owner", ANN, data=hub.data)
    done = time.monotonic()
    for thread in threads:
        thread.join(5)
    assert ended["stream"] < done + WITHIN_S and ended["poll"] < done + WITHIN_S and ended["status"] == 403


def test_what_guests_write_counts_to_the_holder(hub):
    hub.arguments += ["--set", "quota.bytes=free=3000"]
    hub.stop()
    hub.start()
    ann, bob = hub.client(email=ANN), hub.client(email=BOB)
    ann.push("notes", [OP])
    named = share(hub, "write")["guest_name"]
    cli("account", "plan", ANN, "free", data=hub.data)
    hub.stop()
    hub.start()
    bob = Client(hub.url, bob.key)
    answer = bob.post(f"/v1/spaces/{named}/push", {"ops": [{**OP, "id": "2", "doc": {"t": "x" * 4000}}]})
    assert (answer.status_code, answer.json()["code"]) == (507, "quota_exceeded"), answer.text
    bob.push("own", [{**OP, "doc": {"t": "x" * 4000}}])


def test_shares_survive_a_restart_and_end_with_the_account(hub, people):
    _, bob, _ = people
    named = share(hub, "read")["guest_name"]
    hub.stop()
    hub.start()
    bob = Client(hub.url, bob.key)
    assert bob.get(f"/v1/spaces/{named}/changes").status_code == 200
    cli("account", "role", BOB, "admin", data=hub.data)
    cli("account", "remove", ANN, "--yes", data=hub.data)
    assert bob.get(f"/v1/spaces/{named}/changes").status_code == 403
    assert cli_json("space", "shares", data=hub.data)["shares"] == []


def test_the_command_line_asks_whose_space_is_meant(hub, people):
    _, bob, _ = people
    bob.push("notes", [OP])
    arguments = ["space", "share", "notes", "--with", EVE, "--rights", "read"]
    code, _, error = cli(*arguments, data=hub.data, check=False)
    assert code == 2 and "--owner" in error
    assert cli_json(*arguments, "--owner", BOB, data=hub.data)["owner"] == BOB
    for wrong, expected in ((["--with", "nobody@example.org", "--rights", "read", "--owner", ANN], 3),
                            (["--with", ANN, "--rights", "read", "--owner", ANN], 2),
                            (["--with", EVE, "--rights", "all", "--owner", ANN], 2)):
        assert cli("space", "share", "notes", *wrong, data=hub.data, check=False)[0] == expected
    assert cli("space", "share", "nowhere", "--with", EVE, "--rights", "read", data=hub.data, check=False)[0] == 3
