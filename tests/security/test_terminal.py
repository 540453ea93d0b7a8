"""Texts of strangers on a terminal, and secrets that must not get there."""
import socket
import ssl
import subprocess

import pytest
from harness import Client, Hub, cli, wait_until

EVIL = {"C1 control": "\u009b31m", "bidi override": "\u202e", "isolate": "\u2066", "mark": "\u200f", "line end": "\u2028",
        "escape": "\x1b[31m", "delete": "\x7f"}


def test_no_table_has_a_control_character(hub):
    client = hub.client()
    for number, text in enumerate(EVIL.values()):
        assert client.post("/command", {"type": "execute_bash", "command": f"echo {text}"}).status_code == 200
        client.push("notes", [{"collection": "n", "id": f"{number}{text}", "doc": {text: text}}])
    hub.add_key(label="evil" + "".join(EVIL.values()))
    access = ["--hub", hub.url, "--key", client.key]
    for out in (cli("command", "list", *access)[1], cli("key", "list", data=hub.data)[1],
                cli("tail", "notes", "--from-start", "--count", str(len(EVIL)), *access)[1]):
        for name, text in EVIL.items():
            assert text[0] not in out, (name, out)
    listed = cli("command", "list", *access)[1]
    assert "\\u202e" in listed and "\\x9b" in listed, listed


def test_an_id_with_a_line_end_begins_no_line_of_its_own(hub):
    client = hub.client()
    client.push("forged", [{"collection": "n", "id": "a\nsyncline: approved", "doc": {}}])
    out = cli("tail", "forged", "--from-start", "--count", "1", "--hub", hub.url, "--key", client.key)[1]
    assert out.count("\n") == 1 and "n/a^Jsyncline: approved" in out, out


def test_addresses_with_control_characters_are_refused():
    hub = Hub(arguments=["--set", "accounts.signup=true"]).start()
    try:
        anybody = Client(hub.url, "none")
        for name, text in EVIL.items():
            address = f"a{text}b@example.org"
            answer = anybody.post("/auth/signup", {"email": address, "password": "a long password"})
            assert answer.status_code == 400 and "not an email address" in answer.text, (name, answer.text)
            answer = anybody.post("/auth/register", {"email": address, "stack_id": "claire"})
            assert answer.status_code == 400, (name, answer.text)
            assert cli("account", "add", address, "--plan", "pro", data=hub.data, check=False)[0] == 2, name
            assert cli("account", "invite", address, data=hub.data, check=False)[0] == 2, name
        assert anybody.post("/auth/signup", {"email": "é@example.org", "password": "a long password"}).status_code < 300
    finally:
        assert hub.stop() == 0


@pytest.mark.parametrize("line", ["account list --key SECRET", "account list --key=SECRET", "runner --kye SECRET",
                                  "command list --key sl_k1_other SECRET", "key list --tokn=SECRET", "sync status --key SECRET",
                                  "command list --limit 5 --key SECRET more"])
def test_a_misplaced_key_is_not_repeated(line, tmp_path):
    for secret in ("sl_k1_abcdefgh", "4f6c-custom-token"):
        if secret[:3] != "sl_" and line.startswith("command list --key sl_k1_other"):
            continue  # a word by itself that looks like no key may be anything
        for more in ([], ["--json"]):
            code, out, error = cli(*line.replace("SECRET", secret).split(), *more, data=tmp_path / "none", check=False)
            assert code == 2 and secret not in out + error, (code, out, error)


def test_plain_http_to_another_machine_is_warned_of():
    elsewhere = cli("command", "list", "--hub", "http://hub.invalid:1", "--key", "key", check=False)[2]
    assert "warning" in elsewhere and "unencrypted" in elsewhere, elsewhere
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://127.0.0.1:1"):
        assert "warning" not in cli("command", "list", "--hub", url, "--key", "key", check=False)[2], url


@pytest.fixture
def tls_hub(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hub",
                    "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"], check=True, capture_output=True)
    hub = Hub(arguments=["--tls-certificate", f"{tmp_path}/cert.pem", "--tls-key", f"{tmp_path}/key.pem"]).start()
    yield hub
    assert hub.stop() == 0


def handshake(port, version, ciphers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := tls.recv(65536):
            answer += piece
        return tls.cipher()[0], answer.decode()


def test_tls_has_forward_secrecy_and_says_that_it_stays(tls_hub):
    for ciphers in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA256"):
        with pytest.raises(OSError):
            handshake(tls_hub.port, ssl.TLSVersion.TLSv1_2, ciphers + ":@SECLEVEL=0")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        cipher, answer = handshake(tls_hub.port, version, None)
        assert cipher.startswith(("ECDHE", "TLS_")), cipher
        assert "Strict-Transport-Security: max-age=31536000" in answer, answer


def test_without_tls_nothing_is_said_of_it(hub):
    assert "Strict-Transport-Security" not in hub.client().get("/health").headers


def test_a_key_without_read_gets_no_webhook_secret(hub):
    made = hub.client().post("/webhooks", {"webhook_url": "http://receiver.invalid/", "events": ["memory.created"]}).json()
    for scopes, status in (("keys", 403), ("write", 403), ("read,write", 200)):
        answer = hub.client(scopes=scopes, label=scopes).post(f"/webhooks/{made['id']}/rotate-secret")
        assert answer.status_code == status and ("secret" in answer.json()) == (status == 200), (scopes, answer.text)


def test_a_webhooks_error_does_not_tell_which_names_lead_to_private_addresses(hub):
    client = hub.client()
    private = socket.gethostname()  # of this machine; addresses and localhost are refused at once
    names = {}
    for host in (private, "no-such-name.invalid"):
        names[host] = client.post("/webhooks", {"webhook_url": f"http://{host}/", "events": ["record.changed"]}).json()["id"]
    client.push("notes", [{"collection": "n", "id": "1", "doc": {}}])

    def error_of(host):
        rows = client.get(f"/webhooks/{names[host]}/deliveries").json()["deliveries"]
        return rows[0]["last_error"].replace(host, "HOST") if rows and rows[0]["attempts"] else ""

    for host in names:
        wait_until(lambda of=host: error_of(of), f"an attempt for {host}")
    assert error_of(private) == error_of("no-such-name.invalid") != ""
