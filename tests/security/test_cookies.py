"""Browsers with a cookie, over real connections: two hubs on one host, pages of other origins, revocation."""
import time

import pytest
import requests
from harness import Hub, WebSocket, cli

PASSWORD = "correct horse"


class Browser:
    """Cookies belong to a host, whatever the port, as in every browser."""

    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, hub, path, origin=None, **options):
        headers = {"Origin": origin or hub.url} if method != "GET" or origin else {"Sec-Fetch-Site": "same-origin"}
        return self.session.request(method, hub.url + path, headers=headers, timeout=60, **options)

    def sign_in(self, hub, **more):
        body = {"email": "ann@example.org", "password": PASSWORD, **more}
        answer = self.call("POST", hub, "/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    def is_signed_in(self, hub):
        return self.call("GET", hub, "/v1/session").status_code == 200

    def cookie_header(self):
        return "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)


def set_password(hub, tmp_path):
    hub.add_key()
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    cli("account", "password", "ann@example.org", "--password-file", str(file), data=hub.data)


@pytest.fixture
def signed_in(hub, tmp_path):
    set_password(hub, tmp_path)
    browser = Browser()
    browser.sign_in(hub)
    return browser


def test_two_hubs_on_one_host_do_not_sign_each_other_out(hub, signed_in, tmp_path):
    other = Hub(data=tmp_path / "other").start()
    try:
        set_password(other, tmp_path)
        assert not signed_in.is_signed_in(other)
        signed_in.sign_in(other)
        assert signed_in.is_signed_in(hub) and signed_in.is_signed_in(other)
        assert signed_in.call("DELETE", hub, "/v1/session").status_code == 204
        assert not signed_in.is_signed_in(hub) and signed_in.is_signed_in(other)
        # A page of one hub cannot change anything on the other one.
        answer = signed_in.call("POST", other, "/v1/sessions/end-others", origin=hub.url)
        assert answer.status_code == 403 and answer.json()["code"] == "foreign_origin"
    finally:
        other.stop()


def test_a_session_survives_a_restart_and_is_in_no_log(hub, signed_in):
    hub.stop()
    hub.listen = hub.url.removeprefix("http://")
    hub.start()
    assert signed_in.is_signed_in(hub)
    for cookie in signed_in.session.cookies:
        assert cookie.value not in hub.log_text()
        assert cookie.has_nonstandard_attr("HttpOnly") and cookie.path == "/"


def test_what_a_cookie_has_opened_ends_within_a_second_of_its_session(hub, signed_in):
    for end in ("DELETE", "key revoke"):
        signed_in.sign_in(hub)
        socket = WebSocket(hub.port, "/v1/live", headers=[signed_in.cookie_header(), f"Origin: {hub.url}"])
        assert socket.status == 101
        socket.send({"type": "watch", "spaces": {"notes": "0"}})
        assert socket.receive()["type"] == "ready"
        stream = signed_in.call("GET", hub, "/v1/events?spaces=notes", stream=True)
        lines = stream.iter_lines()
        assert next(lines) == b"retry: 2000"
        begun = time.monotonic()
        if end == "DELETE":
            assert signed_in.call("DELETE", hub, "/v1/session").status_code == 204
        else:
            sessions = signed_in.call("GET", hub, "/v1/sessions").json()["sessions"]
            cli("key", "revoke", next(one["id"] for one in sessions if one["current"]), data=hub.data)
            begun = time.monotonic()
        assert socket.receive() == ("close", 4001)
        assert [line for line in lines if line] == []
        assert time.monotonic() - begun < 1


def test_a_socket_of_a_page_elsewhere_gets_nothing_by_cookie(hub, signed_in):
    foreign = hub.url.rsplit(":", 1)[0] + ":1"
    socket = WebSocket(hub.port, "/v1/live", headers=[signed_in.cookie_header(), f"Origin: {foreign}"])
    assert socket.status == 403
    stream = signed_in.call("GET", hub, "/v1/events?spaces=notes", origin=foreign, stream=True)
    assert stream.status_code == 403
