"""The first run: a hub without accounts, its code, and the account that the code makes."""
import re

import requests
from harness import Hub, cli, cli_json

OWNER = {"email": "owner@example.org", "password": "correct horse"}


def code_in(line):
    return re.search(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b", line).group()


def set_up(hub, code):
    return requests.post(hub.url + "/v1/setup", json={**OWNER, "code": code}, headers={"Origin": hub.url}, timeout=60)


def test_a_new_hub_prints_a_code_that_makes_its_admin_once(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    try:
        line = hub.process.stdout.readline()
        code = code_in(line)
        assert f"{hub.url}/setup#{code}" in line
        shown = cli_json("setup", data=hub.data)
        assert shown["code"] == code and shown["link"] == f"{hub.url}/setup#{code}"
        assert requests.get(hub.url + "/setup", timeout=10).status_code == 200
        for _ in range(5):
            assert set_up(hub, "0000-0000").status_code == 403
        newer = code_in(hub.process.stdout.readline())
        assert newer != code and set_up(hub, code).status_code == 403
        made = set_up(hub, newer)
        assert made.status_code == 200 and made.json()["role"] == "admin"
        me = requests.get(hub.url + "/v1/session", cookies=made.cookies, timeout=10)
        assert me.json()["account"] == OWNER["email"]
        assert set_up(hub, newer).status_code == 410
        exit_code, _, error = cli("setup", data=hub.data, check=False)
        assert exit_code == 4 and "set up already" in error
        assert not any(secret in hub.log_text() for secret in (code, newer))
    finally:
        hub.stop()
    hub.start()
    try:
        hub.add_key(email=OWNER["email"])
        hub.signal(15)
        assert hub.process.stdout.readline() == "", "nothing more to set up"
    finally:
        hub.stop()


def test_links_of_a_hub_with_a_public_url_begin_with_it(tmp_path):
    hub = Hub(data=tmp_path / "data", arguments=["--set", "hub.public_url=https://hub.example.org"]).start()
    try:
        assert "https://hub.example.org/setup#" in hub.process.stdout.readline()
    finally:
        hub.stop()
    exit_code, _, error = cli("setup", data=hub.data, check=False)
    assert exit_code == 6 and "no hub runs" in error
