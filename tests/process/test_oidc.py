"""Signing in with another provider over real connections: a published provider, and servers that are none."""
import contextlib
import http.server
import json
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from harness import Client, Hub, cli, cli_json, free_port, wait_until

PROVIDER = Path(__file__).parent / "oidc_provider"
SECRET = "a secret: with + and / and 100%"
CLEO = {"sub": "cleo-9", "email": "Cleo@example.org", "email_verified": True}


class Provider:
    """The published provider, which signs in whoever comes next."""

    def __init__(self, port, redirect_uri, algorithm="ES256", method="client_secret_basic", more=()):
        self.issuer = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(["node", "provider.mjs", str(port), redirect_uri, algorithm, method, *more],
                                        cwd=PROVIDER, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self._expect("listening")

    def _expect(self, word):
        for line in self.process.stdout:
            if line.startswith("{") and word in json.loads(line):
                return
        raise AssertionError(f"the provider has ended without {word}")

    def sign_in(self, **person):
        self.process.stdin.write(json.dumps(person) + "\n")
        self.process.stdin.flush()
        self._expect("next")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Browser:
    """Follows redirections, and keeps strict cookies to itself where another site leads it."""

    def __init__(self, origin):
        self.origin = origin
        self.session = requests.Session()
        self.session.trust_env = False
        self.visited = []

    def visit(self, url, from_page=True):
        """One request. `from_page`: a page of the hub leads there; else another site does."""
        strict = [cookie for cookie in self.session.cookies if cookie._rest.get("SameSite") == "Strict"]
        if not from_page:
            for cookie in strict:
                self.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
        answer = self.session.get(url, allow_redirects=False, timeout=60,
                                  headers={"Sec-Fetch-Site": "same-origin" if from_page else "cross-site"})
        names = {cookie.name for cookie in self.session.cookies}
        for cookie in strict:
            if cookie.name not in names:
                self.session.cookies.set_cookie(cookie)
        self.visited.append(url)
        return answer

    def follow(self, url, until=None):
        """Goes on to the last answer, or to the redirection whose target begins with `until`."""
        answer = self.visit(url)
        while answer.is_redirect:
            target = requests.compat.urljoin(answer.url, answer.headers["Location"])
            if until and target.startswith(until):
                return target
            if target.startswith(self.origin) and "/oidc/callback" not in target:
                return answer
            answer = self.visit(target, from_page=False)
        return answer

    def sign_in(self, more=""):
        return self.follow(f"{self.origin}/oidc/sign-in{more}")

    def stop_before_callback(self):
        """The URL with which the provider sends the browser back."""
        target = self.follow(f"{self.origin}/oidc/sign-in", until=f"{self.origin}/oidc/callback")
        assert isinstance(target, str), target.text
        return target

    def call(self, method, path, body=None):
        return self.session.request(method, self.origin + path, json=body, headers={"Origin": self.origin}, timeout=60)

    @property
    def own_cookies(self):
        """Those of the hub, by name."""
        return {cookie.name: cookie for cookie in self.session.cookies if cookie.name.startswith("syncline-")}

    @property
    def account(self):
        answer = self.call("GET", "/v1/session")
        return answer.json()["account"] if answer.status_code == 200 else None


class Place:
    """A hub that people reach at localhost, and the settings of its provider."""

    def __init__(self, directory, issuer_port=None):
        self.hub = Hub(data=directory / "data").stay()
        self.origin = "http://localhost:" + self.hub.listen.rsplit(":", 1)[1]
        self.redirect_uri = self.origin + "/oidc/callback"
        self.issuer_port = issuer_port or free_port()
        self.secret_file = directory / "secret"
        self.secret_file.write_text(SECRET + "\n")
        self.settings = {"hub.public_url": self.origin, "oidc.issuer": f"http://127.0.0.1:{self.issuer_port}",
                         "oidc.client_id": "syncline", "oidc.client_secret_file": self.secret_file,
                         "oidc.name": "Example", "oidc.allowed_domains": "example.org", "oidc.create_accounts": "true"}

    def start(self, **changes):
        self.settings |= {"oidc." + name: value for name, value in changes.items()}
        self.hub.arguments = self.arguments()
        self.hub.start()
        return self

    def arguments(self):
        return [word for name, value in self.settings.items() for word in ("--set", f"{name}={value}")]

    def browser(self):
        return Browser(self.origin)

    def refusals(self):
        return [entry["detail"] for entry in cli_json("audit", "list", "--action", "session.refused",
                                                      data=self.hub.data)["entries"]]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.hub.stop()


@pytest.fixture
def provide(place):
    """Starts the published provider."""
    started = []

    def start(**options):
        started.append(Provider(place.issuer_port, place.redirect_uri, **options))
        return started[-1]

    yield start
    for provider in started:
        provider.stop()


@contextlib.contextmanager
def server(port, answer):
    """What is no provider: `answer` gets the handler of each GET."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *arguments):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    running = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize("algorithm,method", [("ES256", "client_secret_basic"), ("RS256", "client_secret_post"),
                                              ("EdDSA", "none")])
def test_a_person_comes_in_with_a_published_provider(place, provide, algorithm, method):
    provider = provide(algorithm=algorithm, method=method)
    place.start(**({"client_secret_file": ""} if method == "none" else {}))
    provider.sign_in(**CLEO)
    browser = place.browser()
    answer = browser.sign_in("?return_to=/console/")
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == place.origin + "/console/"
    assert browser.account == "cleo@example.org"
    session = browser.call("GET", "/v1/session").json()
    assert session["role"] == "member" and "keys" in session["scopes"]
    [identity] = browser.call("GET", "/v1/identities").json()["identities"]
    assert identity["issuer"] == provider.issuer and identity["email"] == "cleo@example.org"


def test_the_identity_stays_the_same_when_the_address_changes_and_the_hub_restarts(place, provide):
    provider = provide()
    place.start()
    provider.sign_in(**CLEO)
    assert place.browser().sign_in().status_code == 303
    place.hub.stop()
    place.start()
    provider.sign_in(**CLEO | {"email": "cleo.new@example.org"})
    browser = place.browser()
    assert browser.sign_in().status_code == 303
    assert browser.account == "cleo@example.org", "the subject decides"
    provider.sign_in(**CLEO | {"sub": "mallory-1"})
    refused = place.browser().sign_in()
    assert refused.status_code == 403 and "not linked with Example" in refused.text, "an address alone opens nothing"
    assert [account["account"] for account in cli_json("account", "list", data=place.hub.data)["accounts"]] == \
        ["cleo@example.org"]


def test_an_address_that_only_userinfo_has_counts(place, provide):
    provider = provide(more=["only_userinfo"])
    place.start()
    provider.sign_in(**CLEO)
    browser = place.browser()
    assert browser.sign_in().status_code == 303
    assert browser.account == "cleo@example.org"


def test_the_session_is_one_like_any_other(place, provide):
    provider = provide()
    place.start()
    provider.sign_in(**CLEO)
    browser = place.browser()
    assert browser.sign_in("?keep=true").status_code == 303
    assert all(cookie.expires for cookie in browser.own_cookies.values()), "the browser keeps it"
    [before] = browser.own_cookies.values()
    assert browser.sign_in().status_code == 303
    [after] = browser.own_cookies.values()
    assert browser.account == "cleo@example.org" and after.value != before.value
    listed = browser.call("GET", "/v1/sessions").json()["sessions"]
    assert len(listed) == 1 and listed[0]["current"], "the session of before has ended"
    details = [entry["detail"] for entry in cli_json("audit", "list", "--action", "session.opened",
                                                     data=place.hub.data)["entries"]]
    assert details == ["with Example, in a cookie"] * 2
    cli("key", "revoke", listed[0]["id"], data=place.hub.data)
    assert browser.account is None


def test_who_is_not_let_in_sees_why(place, provide):
    provider = provide()
    place.start()
    for person, words in [(CLEO | {"email_verified": False}, "does not confirm that your e-mail address is yours"),
                          (CLEO | {"email": "cleo@evil.example"}, "are not allowed on this hub"),
                          ({"error": "access_denied"}, "Example has not let you in"),
                          ({"error": "login_required"}, "Example has refused the sign-in")]:
        provider.sign_in(**person)
        browser = place.browser()
        refused = browser.sign_in()
        assert refused.status_code == 403 and words in refused.text, refused.text
        assert refused.headers["Content-Type"].startswith("text/html")
        assert "script" not in refused.text and "default-src 'none'" in refused.headers["Content-Security-Policy"]
        assert browser.own_cookies == {}, "nothing of the sign-in is left"
    assert cli_json("account", "list", data=place.hub.data)["accounts"] == []
    assert len(place.refusals()) == 4


def test_a_code_and_a_state_are_good_once_and_in_one_browser(place, provide):
    provider = provide()
    place.start()
    provider.sign_in(**CLEO)
    mine, thief = place.browser(), place.browser()
    url = mine.stop_before_callback()
    stolen = thief.visit(url, from_page=False)
    assert stolen.status_code == 400 and "not begun in this browser" in stolen.text
    assert mine.visit(url, from_page=False).status_code == 303
    again = mine.visit(url, from_page=False)
    assert again.status_code == 400 and thief.account is None
    # The code that was used, with a sign-in of the thief's own.
    code = parse_qs(urlsplit(url).query)["code"][0]
    own = thief.stop_before_callback()
    own_code = parse_qs(urlsplit(own).query)["code"][0]
    replayed = thief.visit(own.replace(own_code, code), from_page=False)
    assert replayed.status_code == 400 and "refuses the code" in replayed.text


def test_nobody_is_signed_in_to_an_account_of_somebody_else(place, provide):
    """Login CSRF: a page elsewhere cannot finish its own sign-in in another one's browser."""
    provider = provide()
    place.start()
    provider.sign_in(sub="mallory-1", email="mallory@example.org", email_verified=True)
    url = place.browser().stop_before_callback()
    victim = place.browser()
    assert victim.visit(url, from_page=False).status_code == 400
    begun = victim.visit(f"{place.origin}/oidc/sign-in", from_page=False)
    assert begun.status_code == 403 and "Location" not in begun.headers
    assert victim.account is None


def test_a_wrong_secret_is_said_to_the_operator_and_not_to_the_person(place, provide):
    provider = provide()
    place.secret_file.write_text("another secret")
    place.start()
    provider.sign_in(**CLEO)
    answer = place.browser().sign_in()
    assert answer.status_code == 503 and "invalid_client" not in answer.text
    wait_until(lambda: "invalid_client: check oidc.client_id and its secret" in place.hub.log_text(), "the reason")


def test_no_secret_of_a_sign_in_is_in_a_log_or_in_the_store(place, provide):
    provider = provide()
    place.start()
    provider.sign_in(**CLEO)
    browser = place.browser()
    url = browser.stop_before_callback()
    flow = [cookie.value for cookie in browser.own_cookies.values()]
    assert browser.visit(url, from_page=False).status_code == 303
    query = parse_qs(urlsplit(url).query)
    secrets = [query["code"][0], query["state"][0], *flow, SECRET]
    secrets += [cookie.value for cookie in browser.own_cookies.values()]
    assert len(secrets) == 5
    place.hub.stop()
    stored = b"".join(file.read_bytes() for file in place.hub.data.rglob("*") if file.is_file())
    for secret in secrets:
        assert secret not in place.hub.log_text()
        assert secret.encode() not in stored


def test_servers_that_are_no_provider_are_given_up(place):
    def large(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(10_000):
            handler.wfile.write(b" " * 100_000)

    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", f"http://127.0.0.1:{place.issuer_port}/elsewhere")
        handler.end_headers()
        asked.append(handler.path)

    def nonsense(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"<html>")

    asked = []
    place.start()
    browser = place.browser()
    assert browser.sign_in().status_code == 503, "nothing listens there"
    for answer, status in [(large, 502), (redirect, 503), (nonsense, 503)]:
        with server(place.issuer_port, answer):
            # The hub asks again some seconds after a failure.
            wait_until(lambda: browser.sign_in().status_code == status, f"{answer.__name__}: {status}")
    assert set(asked) == {"/.well-known/openid-configuration"}, "no redirection is followed"
    assert browser.account is None


def test_a_silent_provider_holds_up_nobody_else(place):
    silent = threading.Event()
    with server(place.issuer_port, lambda handler: silent.wait(60)):
        place.start()
        key = Client(place.hub.url, place.hub.add_key()["key"])
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(place.browser().sign_in())) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        while time.monotonic() - begun < 2:
            assert key.get("/v1/sessions").status_code == 200  # waits for the disk on a worker
            assert key.get("/v1/time").status_code == 200
        for thread in threads:
            thread.join()
        ended = time.monotonic()
        assert {answer.status_code for answer in answers} == {504}
        threads = [threading.Thread(target=lambda: place.browser().sign_in()) for _ in range(2)]
        wait_until(lambda: time.monotonic() - ended > 5, "the hub asks again")
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        place.hub.stop()
        assert time.monotonic() - begun < 5, "what is under way ends with the hub"
        for thread in threads:
            thread.join()
        silent.set()


def test_doctor_asks_the_provider(place, provide):
    def check():
        _, output, _ = cli("doctor", "--json", *place.arguments(), data=place.hub.data, check=False)
        return next(check for check in json.loads(output)["checks"] if check["check"] == "sign-in provider")

    place.start()
    assert check()["state"] == "warning"
    provide()
    found = check()
    assert found["state"] == "ok" and place.redirect_uri in found["detail"], found


@pytest.mark.parametrize("changes,words", [
    ({"client_id": ""}, "oidc.client_id is not"),
    ({"allowed_domains": ""}, "oidc.allowed_domains is not"),
    ({"allowed_domains": "ann@example.org"}, "oidc.allowed_domains must be"),
    ({"issuer": "http://id.example.org"}, "must begin with https://"),
    ({"issuer": "id.example.org"}, "is not a URL"),
    ({"issuer": "https://id.example.org/?a=1"}, "must not have a query"),
    ({"client_secret_file": "/nowhere/secret"}, "/nowhere/secret"),
])
def test_settings_that_do_not_fit_together_keep_the_hub_from_starting(place, changes, words):
    place.settings |= {"oidc." + name: value for name, value in changes.items()}
    exit_code, _, error = cli("hub", "--listen", place.hub.listen, *place.arguments(), data=place.hub.data, check=False)
    assert exit_code != 0 and words in error, error
