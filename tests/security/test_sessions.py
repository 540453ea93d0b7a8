"""Stolen sessions: refresh tokens that are replaced, copies that are noticed, keys that a thief has made."""
import concurrent.futures
import json

import pytest
import requests
from harness import Client, cli

PASSWORD = "correct horse"


def post(hub, route, body, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(f"{hub.url}/auth/{route}", json=body, headers=headers, timeout=60)


@pytest.fixture
def log_in(hub, tmp_path):
    hub.add_key()
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    cli("account", "password", "ann@example.org", "--password-file", str(file), data=hub.data)
    return lambda: post(hub, "login", {"email": "ann@example.org", "password": PASSWORD}).json()


def refresh(hub, token):
    return post(hub, "refresh", {"refresh_token": token})


def is_valid(hub, token):
    return Client(hub.url, token).get("/auth/me").status_code == 200


def test_calls_that_refresh_in_parallel_all_get_tokens_that_work(hub, log_in):
    token = log_in()["refresh_token"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: refresh(hub, token), range(8))]
    assert all(is_valid(hub, answer["access_token"]) for answer in answers)
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert answers[0]["refresh_token"] != token
    assert is_valid(hub, refresh(hub, answers[0]["refresh_token"]).json()["access_token"])


def test_a_client_that_keeps_its_first_refresh_token_is_served(hub, log_in):
    token = log_in()["refresh_token"]
    for _ in range(3):
        assert is_valid(hub, refresh(hub, token).json()["access_token"])
        hub.stop()
        hub.start()


def test_keys_that_a_thief_has_made_can_be_revoked_with_the_reset(hub, log_in):
    session = log_in()
    mine = Client(hub.url, session["access_token"]).post("/auth/keys", {"name": "mine"}).json()
    stolen = log_in()["access_token"]
    thief = Client(hub.url, stolen).post("/auth/keys", {"name": "thief"}).json()
    token = json.loads(cli("account", "reset", "ann@example.org", "--json", data=hub.data)[1])["reset_token"]
    answer = post(hub, "reset-password", {"token": token, "password": "a new password",
                                          "revoke_keys_since": thief["created_at"]}).json()
    assert [key["name"] for key in answer["revoked_keys"]] == ["thief"]
    assert "mine" in [key["name"] for key in answer["keys"]]
    assert not is_valid(hub, thief["key"]) and not is_valid(hub, stolen)
    assert is_valid(hub, mine["key"])


def test_the_operator_can_revoke_keys_with_a_new_password(hub, log_in, tmp_path):
    stolen = log_in()["access_token"]
    thief = Client(hub.url, stolen).post("/auth/keys", {"name": "thief"}).json()
    (tmp_path / "new").write_text("a new password\n")
    shown = json.loads(cli("account", "password", "ann@example.org", "--password-file", str(tmp_path / "new"),
                           "--revoke-keys-since", thief["created_at"], "--json", data=hub.data)[1])
    assert shown["revoked_keys"] == [thief["id"]]
    assert not is_valid(hub, thief["key"])
