"""The hub over TLS behind nginx and Caddy, with the configuration that docs/operating.md prints."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

import pytest
from harness import ROOT, Client, Hub, free_port, wait_until

NGINX_HEAD = """
daemon off;
pid DIRECTORY/nginx.pid;
error_log DIRECTORY/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path DIRECTORY/body;
    proxy_temp_path DIRECTORY/proxy;
    fastcgi_temp_path DIRECTORY/fastcgi;
    uwsgi_temp_path DIRECTORY/uwsgi;
    scgi_temp_path DIRECTORY/scgi;
"""
CADDY_HEAD = """{
    admin off
    auto_https disable_redirects
    storage file_system DIRECTORY
}
"""


def printed_configuration(language):
    text = (ROOT / "docs/operating.md").read_text()
    return re.search(f"```{language}\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def hub():
    running = Hub(arguments=["--set", "proxy.trusted=127.0.0.1"]).stay().start()
    yield running
    assert running.stop() == 0, running.log_text()[-3000:]


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request, hub, tmp_path):
    """The port of a proxy in front of the hub."""
    program = shutil.which(request.param, path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip(f"{request.param} is not installed; ./dev test installs it")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{tmp_path}/sync.key", "-out",
                    f"{tmp_path}/sync.pem"], check=True, capture_output=True)
    port = free_port()
    text = printed_configuration(request.param)
    for old, new in (("/etc/ssl", str(tmp_path)), ("127.0.0.1:8080", f"127.0.0.1:{hub.port}"),
                     ("listen 443", f"listen 127.0.0.1:{port}"), ("server_name sync.example.org;", ""),
                     ("sync.example.org", f"https://localhost:{port}")):
        text = text.replace(old, new)
    file = tmp_path / "proxy.conf"
    if request.param == "nginx":
        # Its workers write into the test's directory, which is the test's user's alone.
        user = "user root;" if os.geteuid() == 0 else ""
        file.write_text(user + NGINX_HEAD.replace("DIRECTORY", str(tmp_path)) + text + "}\n")
        command = [program, "-c", str(file)]
    else:
        file.write_text(CADDY_HEAD.replace("DIRECTORY", str(tmp_path)) + text)
        command = [program, "run", "--adapter", "caddyfile", "--config", str(file)]
    with open(tmp_path / "proxy.out", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(tmp_path), "PATH": "/usr/bin"})
    try:
        wait_until(lambda: is_listening(port) or process.poll() is not None, f"{request.param} listens")
        assert process.poll() is None, (tmp_path / "proxy.out").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tls_context(tmp_path):
    return ssl.create_default_context(cafile=f"{tmp_path}/sync.pem")


def test_clients_work_and_are_known_by_their_own_address(hub, proxy, tmp_path):
    client = Client(f"https://localhost:{proxy}", hub.add_key()["key"])
    client.session.verify = f"{tmp_path}/sync.pem"
    client.push("s", [{"collection": "c", "id": "1", "doc": {"t": "x" * 3_000_000}}])
    assert client.all_changes("s")[0]["id"] == "1"
    assert client.get("/metrics").status_code == 403
    stream = client.get("/v1/events?spaces=s", stream=True)
    lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
    assert next(lines) == "retry: 2000"
    client.push("s", [{"collection": "c", "id": "2", "doc": {}}])
    assert any(line == "event: change" for line in (next(lines) for _ in range(4)))
    stream.close()

    own = http.client.HTTPSConnection("localhost", proxy, context=tls_context(tmp_path), source_address=("127.0.0.7", 0),
                                      timeout=30)
    own.request("GET", "/health?", headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"})
    assert own.getresponse().status == 200
    wait_until(lambda: any(json.loads(line).get("peer") == "127.0.0.7" for line in hub.log_text().splitlines()),
               "the log names the client")
    assert '"peer":"203.0.113.9"' not in hub.log_text()


def test_web_sockets_pass(hub, proxy, tmp_path):
    key = hub.add_key()["key"]
    with socket.create_connection(("127.0.0.1", proxy), timeout=30) as plain, tls_context(tmp_path).wrap_socket(
            plain, server_hostname="localhost") as raw:
        raw.sendall((f"GET /v1/live HTTP/1.1\r\nHost: localhost:{proxy}\r\nOrigin: https://localhost:{proxy}\r\n"
                     f"Authorization: Bearer {key}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            chunk = raw.recv(4096)
            assert chunk, answer
            answer += chunk
        assert answer.startswith(b"HTTP/1.1 101 "), answer
