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
        shown = cli_json("setup", data=hub.data)
        # A build without the console has a page of its own for this.
        has_console = requests.get(hub.url + "/console", timeout=10).status_code == 200
        page = hub.url + ("/console/setup" if has_console else "/setup")
        assert f"{page}#{code}" in line
        assert shown["code"] == code and shown["link"] == f"{page}#{code}"
        assert requests.get(page, timeout=10).status_code == 200
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


def test_the_operator_can_have_a_new_code_until_the_hub_is_set_up(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    try:
        first = code_in(hub.process.stdout.readline())
        newer = cli_json("setup", "--again", data=hub.data)["code"]
        assert newer != first and set_up(hub, first).status_code == 403
        assert cli_json("setup", data=hub.data)["code"] == newer
        assert set_up(hub, newer).status_code == 200
        exit_code, _, error = cli("setup", "--again", data=hub.data, check=False)
        assert exit_code == 4 and "account invite" in error and "account reset" in error
    finally:
        hub.stop()


def test_the_public_url_said_at_setup_survives_a_restart_and_yields_to_a_setting(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    try:
        code = code_in(hub.process.stdout.readline())
        body = {**OWNER, "code": code, "public_url": "https://Hub.example.org/"}
        made = requests.post(hub.url + "/v1/setup", json=body, headers={"Origin": hub.url}, timeout=60)
        assert made.status_code == 200 and "__Host-syncline-" in made.headers["Set-Cookie"]
        link = cli_json("account", "reset", OWNER["email"], data=hub.data)["link"]
        assert link.startswith("https://hub.example.org/set-password#")
    finally:
        hub.stop()

    def link_with(*arguments):
        hub.arguments = list(arguments)
        hub.start()
        try:
            return cli_json("account", "reset", OWNER["email"], data=hub.data)["link"]
        finally:
            hub.stop()

    assert link_with().startswith("https://hub.example.org/")
    assert link_with("--set", "hub.public_url=https://other.example.org").startswith("https://other.example.org/")
    shown = {one["key"]: one for one in cli_json("config", "show", "--origin", data=hub.data)["settings"]}
    assert shown["hub.public_url"]["value"] == "https://hub.example.org"
    assert "setup.yaml" in shown["hub.public_url"]["origin"]
    link = cli_json("account", "reset", OWNER["email"], data=hub.data)["link"]
    assert link.startswith("https://hub.example.org/"), "a command without a hub knows it, too"


def test_links_of_a_hub_with_a_public_url_begin_with_it(tmp_path):
    hub = Hub(data=tmp_path / "data", arguments=["--set", "hub.public_url=https://hub.example.org"]).start()
    try:
        assert re.search(r"https://hub\.example\.org(/console)?/setup#", hub.process.stdout.readline())
    finally:
        hub.stop()
    exit_code, _, error = cli("setup", data=hub.data, check=False)
    assert exit_code == 6 and "no hub runs" in error
