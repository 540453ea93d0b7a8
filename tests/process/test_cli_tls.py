"""TLS servers with a certificate of the operator's own CA, and what programs say of them."""
import datetime
import ipaddress
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness import BINARY, Client, Hub, cli, cli_json, wait_until
from node_harness import Node
from runner_harness import AGENT_SCOPES, Runner


class Authority:
    """A CA that somebody made for their own machines."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0)))

    def _sign(self, subject, key, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, name):
        """Returns the files of a server's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        host = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(self._sign(x509.Name([]), key, x509.SubjectAlternativeName([host])))
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))
        return str(certificate), str(secret)


def start_hub(certificate, key):
    return Hub(arguments=["--tls-certificate", certificate, "--tls-key", key]).start()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    hub = start_hub(*ours.issue("127.0.0.1"))
    yield SimpleNamespace(hub=hub, key=hub.add_key()["key"], ca=str(ours.file), other=str(other.file), authority=ours)
    assert hub.stop() == 0


def ask(site, *more, url=None, environment=None):
    done = subprocess.run([BINARY, "command", "list", "--hub", url or site.hub.url, "--key", site.key, *more],
                          capture_output=True, text=True, timeout=60, env=os.environ | (environment or {}))
    return done.returncode, done.stderr


def test_a_certificate_of_an_unknown_ca_is_refused_and_the_error_says_what_to_do(site):
    code, error = ask(site)
    assert code == 6 and "its TLS certificate is not trusted (" in error and "--ca-file FILE" in error, error
    code, error = ask(site, "--ca-file", site.other)
    assert code == 6 and "is not trusted" in error, error


def test_the_ca_is_trusted_by_option_and_by_environment(site):
    assert ask(site, "--ca-file", site.ca) == (0, "")
    assert ask(site, environment={"SYNCLINE_TLS_CA_FILE": site.ca}) == (0, "")


def test_a_certificate_for_another_name_is_refused_even_from_a_trusted_ca(site):
    hub = start_hub(*site.authority.issue("hub.example.org"))
    try:
        code, error = ask(site, "--ca-file", site.ca, url=hub.url)
        assert code == 6 and "its TLS certificate is for another host name" in error and "--ca-file" not in error, error
    finally:
        assert hub.stop() == 0


def test_a_ca_file_that_is_none_is_named(site, tmp_path):
    code, error = ask(site, "--ca-file", str(tmp_path / "none.pem"))
    assert code == 3 and "cannot read the CA file" in error
    (tmp_path / "empty.pem").write_text("dear\n")
    code, error = ask(site, "--ca-file", str(tmp_path / "empty.pem"))
    assert code == 2 and "has no certificate in PEM form" in error


def test_login_keeps_the_ca_with_the_profile(site, tmp_path):
    device = tmp_path / "device"
    login = ("login", site.hub.url, "--key", site.key)
    code, _, error = cli(*login, data=device, check=False)
    assert code == 6 and "is not trusted" in error and "--ca-file FILE" in error, error
    cli(*login, "--ca-file", os.path.relpath(site.ca), data=device)
    assert site.ca in (device / "profiles/default/settings.yaml").read_text()
    cli("-a", "claire", "memory", "add", "notes", "content=hello", data=device)
    assert cli("-a", "claire", "sync", "full", data=device)[0] == 0, "without the option"
    cli(*login, data=device)
    node = Node()
    node.data = device
    node.start()
    try:
        wait_until(node.is_in_sync, "the running node is in sync")
    finally:
        assert node.stop() == 0


def test_login_tells_a_wrong_key_behind_tls_from_an_untrusted_ca(site, tmp_path):
    (tmp_path / "device").mkdir()
    (tmp_path / "device/node.yaml").write_text(f"tls:\n  ca_file: {site.ca}\n")
    code, _, error = cli("login", site.hub.url, "--key", "sl_k1_wrong", data=tmp_path / "device", check=False)
    assert code == 5 and "does not accept the key" in error, error


def test_a_running_node_trusts_the_ca_of_its_settings(site):
    node = Node(arguments=["--ca-file", site.ca]).start()
    try:
        assert node.connect(site.hub.url, site.key)["ok"]
    finally:
        assert node.stop() == 0
    node = Node(environment={"SYNCLINE_TLS_CA_FILE": site.other}).start()
    try:
        answer = node.api.post("/api/cloud-sync/connect", {"url": site.hub.url, "api_key": site.key})
        assert answer.status_code == 503 and "is not trusted" in answer.text
    finally:
        assert node.stop() == 0


def test_a_runner_trusts_the_ca(site, tmp_path):
    key = site.hub.add_key(scopes=AGENT_SCOPES)["key"]
    arguments = ["--root", str(tmp_path / "root"), "--allow", "any", "--no-sandbox", "--ca-file", site.ca]
    runner = Runner(site.hub.url, key, tmp_path, arguments).start()
    assert runner.stop() == 0


def test_commands_cannot_replace_the_ca_that_the_runner_trusts(site, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root/ca.pem").write_text(open(site.ca).read())
    code, _, error = cli("runner", "--hub", site.hub.url, "--key", site.key, "--root", str(tmp_path / "root"), "--allow",
                         "any", "--no-sandbox", "--ca-file", str(tmp_path / "root/ca.pem"), data=tmp_path / "data",
                         check=False)
    assert code == 2 and "ca.pem" in error, (code, error)


class Receiver(BaseHTTPRequestHandler):
    """Takes deliveries of webhooks."""

    def do_POST(self):  # noqa: N802
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("trusted", [True, False])
def test_webhooks_trust_the_ca_of_the_setting(site, tmp_path, trusted):
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.bodies = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*site.authority.issue("127.0.0.1"))
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    settings = ["--set", "webhooks.allow=127.0.0.1/32"] + (["--set", f"tls.ca_file={site.ca}"] if trusted else [])
    hub = Hub(data=tmp_path / "hub", arguments=settings).start()
    try:
        client = Client(hub.url, hub.add_key()["key"])
        made = cli_json("webhook", "add", f"https://127.0.0.1:{receiver.server_port}/", "--account", "ann@example.org",
                        "--events", "record.changed", data=hub.data)
        client.push("notes", [{"collection": "n", "id": "1", "doc": {}}])
        if trusted:
            wait_until(lambda: receiver.bodies, "the delivery")
        else:
            def error():
                return cli_json("webhook", "deliveries", made["id"], data=hub.data)["deliveries"][0]["last_error"]
            wait_until(error, "an attempt")
            assert "is not trusted" in error() and receiver.bodies == []
    finally:
        assert hub.stop() == 0
        receiver.shutdown()


def test_a_hub_does_not_start_with_a_ca_file_that_is_none(tmp_path):
    code, _, error = cli("hub", "--set", f"tls.ca_file={tmp_path}/none.pem", data=tmp_path / "hub", check=False)
    assert code == 3 and "cannot read the CA file" in error
