"""Pairing a device, over real connections: what a thief of a code, a guesser and a foreign page get."""
import re
import xml.etree.ElementTree

import pytest
import requests
from harness import Client, Waiting, cli

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


@pytest.fixture
def desk(hub, tmp_path):
    """Somebody who is signed in with a password."""
    hub.add_key()
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    cli("account", "password", "ann@example.org", "--password-file", str(file), data=hub.data)
    answer = requests.post(hub.url + "/auth/login", timeout=60,
                           json={"email": "ann@example.org", "password": "correct horse"})
    return Client(hub.url, answer.json()["access_token"])


def make(desk, **body):
    answer = desk.post("/v1/pairings", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def claim(hub, code, origin=None, route="claim"):
    body = {"code": code} | ({"label": "Pixel"} if route == "claim" else {})
    return requests.post(f"{hub.url}/v1/pairings/{route}", json=body, headers={"Origin": origin or hub.url}, timeout=60)


def test_the_desk_hears_of_the_phone_at_once_and_can_remove_it(hub, desk):
    made = make(desk)
    assert CODE.fullmatch(made["code"]) and made["url"] == f"{hub.url}/m/pair#{made['code']}"
    drawing = xml.etree.ElementTree.fromstring(made["svg"])
    assert drawing.tag.endswith("svg") and drawing.get("viewBox").startswith("0 0 ")
    waiting = Waiting(desk, f"/v1/pairings/{made['id']}?wait=60")
    assert claim(hub, made["code"], route="look").json()["account"] == "ann@example.org"
    phone = claim(hub, made["code"])
    assert phone.status_code == 200 and phone.json()["scopes"] == ["read", "write", "commands:approve"]
    status, seen = waiting.answer()
    assert status == 200 and seen["state"] == "claimed" and seen["device"]["label"] == "Pixel"
    whoami = lambda: requests.get(hub.url + "/v1/session", cookies=phone.cookies, timeout=60).status_code  # noqa: E731
    assert whoami() == 200
    assert claim(hub, made["code"]).status_code == 410, "a code is good once"
    assert desk.delete(f"/v1/sessions/{seen['device']['id']}").status_code == 204
    assert whoami() == 401


def test_no_code_and_no_cookie_is_in_a_log_or_on_disk(hub, desk):
    made = make(desk)
    phone = claim(hub, made["code"])
    cookie = next(iter(phone.cookies)).value
    claim(hub, "K7QM-3FXD")
    hub.stop()
    log = hub.log_text()
    code = made["code"]
    for secret in (code, code.replace("-", ""), cookie, "K7QM-3FXD", "K7QM3FXD"):
        assert secret not in log
        assert not any(secret.encode() in file.read_bytes() for file in hub.data.iterdir() if file.is_file())


def test_a_guesser_has_five_tries_a_minute(hub, desk):
    made = make(desk)
    assert [claim(hub, "0000-0000").status_code for _ in range(6)] == [404] * 5 + [429]
    refused = claim(hub, made["code"])
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "60"
    assert claim(hub, made["code"], route="look").status_code == 429
    assert desk.get(f"/v1/pairings/{made['id']}").json()["state"] == "waiting"


def test_a_page_elsewhere_can_claim_nothing(hub, desk):
    made = make(desk)
    for origin in ("https://evil.example", hub.url.rsplit(":", 1)[0] + ":1"):
        assert claim(hub, made["code"], origin).status_code == 403
        assert claim(hub, made["code"], origin, "look").status_code == 403
    assert claim(hub, made["code"]).status_code == 200


def test_a_restart_ends_codes_and_keeps_devices(hub, desk):
    used, unused = make(desk), make(desk)
    phone = claim(hub, used["code"])
    hub.stop()
    hub.start()
    assert claim(hub, unused["code"]).status_code == 404
    assert desk.get(f"/v1/pairings/{unused['id']}").status_code == 404
    assert requests.get(hub.url + "/v1/session", cookies=phone.cookies, timeout=60).status_code == 200


def test_a_device_that_a_key_has_paired_ends_with_the_key(hub):
    key = hub.add_key(scopes="keys,read")
    phone = claim(hub, make(Client(hub.url, key["key"]))["code"])
    assert requests.get(hub.url + "/v1/session", cookies=phone.cookies, timeout=60).json()["scopes"] == ["read"]
    cli("key", "revoke", key["id"], data=hub.data)
    assert requests.get(hub.url + "/v1/session", cookies=phone.cookies, timeout=60).status_code == 401
