"""Passkeys over real connections, with an authenticator in software, across restarts and damage."""
import base64
import hashlib
import json
import os
import sqlite3

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness import Hub, cli, cli_json

ACCOUNT = "ann@example.org"
PASSWORD = "correct horse"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """What a browser and a security key do with the hub's options."""

    def __init__(self, origin):
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = os.urandom(32)
        self.counter = 0

    def _client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _authenticator_data(self, rp_id, flags, rest=b""):
        self.counter += 1
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big") + rest

    def create(self, options):
        assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + b"COSE"
        key = self.key.public_key().public_bytes(serialization.Encoding.DER,
                                                 serialization.PublicFormat.SubjectPublicKeyInfo)
        response = {"clientDataJSON": encode(self._client_data("webauthn.create", options["challenge"])),
                    "authenticatorData": encode(self._authenticator_data(options["rp"]["id"], 0x45, attested)),
                    "publicKey": encode(key), "publicKeyAlgorithm": -7}
        return {"id": encode(self.credential), "rawId": encode(self.credential), "type": "public-key",
                "response": response}

    def get(self, options):
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(options["rpId"], 0x05)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": encode(client_data), "authenticatorData": encode(data),
                    "signature": encode(signature)}
        return {"id": encode(self.credential), "type": "public-key", "response": response}


class Page:
    """A page of the hub in a browser."""

    def __init__(self, hub, origin):
        self.hub = hub
        self.headers = {"Origin": origin, "Host": origin.removeprefix("http://")}
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, body=None):
        return self.session.request(method, self.hub.url + path, json=body, headers=self.headers, timeout=60)

    def sign_in(self, device):
        options = self.call("POST", "/v1/session/passkey-options").json()
        return self.call("POST", "/v1/session", {"passkey": device.get(options)})


@pytest.fixture
def place(tmp_path):
    """A hub that is reached at localhost, with an account that has a password, and its origin."""
    hub = Hub(data=tmp_path / "data").stay()
    origin = "http://localhost:" + hub.listen.rsplit(":", 1)[1]
    hub.arguments = ["--set", "hub.public_url=" + origin]
    hub.start()
    hub.add_key()
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    cli("account", "password", ACCOUNT, "--password-file", str(file), data=hub.data)
    yield hub, origin
    hub.stop()
    assert '"level":"error"' not in hub.log_text()


def signed_in_page(hub, origin):
    page = Page(hub, origin)
    assert page.call("POST", "/v1/session", {"email": ACCOUNT, "password": PASSWORD}).status_code == 200
    return page


def add_passkey(page, origin):
    device = Authenticator(origin)
    options = page.call("POST", "/v1/passkeys/options").json()
    made = page.call("POST", "/v1/passkeys", {"label": "laptop", "credential": device.create(options)})
    assert made.status_code == 201, made.text
    return device, made.json()


def test_a_passkey_signs_in_after_a_restart_until_it_is_removed(place):
    hub, origin = place
    device, made = add_passkey(signed_in_page(hub, origin), origin)
    hub.stop()
    hub.start()
    page = Page(hub, origin)
    opened = page.sign_in(device)
    assert opened.status_code == 200 and opened.json()["account"] == ACCOUNT
    assert "keys" in opened.json()["scopes"]
    [listed] = page.call("GET", "/v1/passkeys").json()["passkeys"]
    assert listed["id"] == made["id"] and listed["last_used_at"] is not None
    assert page.call("DELETE", f"/v1/passkeys/{made['id']}").status_code == 204
    assert Page(hub, origin).sign_in(device).status_code == 401
    assert page.call("GET", "/v1/session").status_code == 200, "the session stays"


def test_an_answer_serves_once_and_on_pages_of_the_hub_alone(place):
    hub, origin = place
    device, _ = add_passkey(signed_in_page(hub, origin), origin)
    page = Page(hub, origin)
    answer = device.get(page.call("POST", "/v1/session/passkey-options").json())
    assert page.call("POST", "/v1/session", {"passkey": answer}).status_code == 200
    assert Page(hub, origin).call("POST", "/v1/session", {"passkey": answer}).status_code == 401, "a replay"
    device.origin = "https://evil.example"
    assert Page(hub, origin).sign_in(device).status_code == 401, "a page that looks like the hub's"
    page.headers["Origin"] = "https://evil.example"
    assert page.call("POST", "/v1/session/passkey-options").status_code == 403


def test_a_damaged_passkey_is_found_and_opens_nothing(place):
    hub, origin = place
    device, _ = add_passkey(signed_in_page(hub, origin), origin)
    assert cli_json("verify", data=hub.data)["ok"]
    hub.stop()
    with sqlite3.connect(hub.data / "syncline.db") as store:
        store.execute("UPDATE passkey SET account = account + 1")
    store.close()
    exit_code, output, _ = cli("verify", "--json", data=hub.data, check=False)
    assert exit_code == 1 and "passkey 1" in output
    hub.start()
    assert Page(hub, origin).sign_in(device).status_code == 503
    assert signed_in_page(hub, origin).call("GET", "/v1/passkeys").json() == {"passkeys": []}


def test_passkeys_go_with_their_account(place):
    hub, origin = place
    device, _ = add_passkey(signed_in_page(hub, origin), origin)
    cli("account", "remove", ACCOUNT, "--yes", data=hub.data)
    assert Page(hub, origin).sign_in(device).status_code == 401
    hub.stop()
    with sqlite3.connect(hub.data / "syncline.db") as store:
        assert store.execute("SELECT count(*) FROM passkey").fetchone() == (0,)
    store.close()
