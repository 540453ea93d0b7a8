"""The web console (web/): its files over real connections, and its own tests with Debian's Chromium, as one."""
import gzip
import re
import subprocess

import pytest
import requests
from harness import BINARY, SLOW, Hub, run_own_tests


def fetch(hub, path, method="GET", **headers):
    """Without urllib3's own decoding: the body as it came."""
    answer = requests.request(method, hub.url + path, headers={"Accept-Encoding": "identity", **headers}, stream=True,
                              timeout=30)
    return answer, answer.raw.read(decode_content=False)


def test_a_directory_is_served_as_it_is_now_and_nothing_beside_it(tmp_path):
    ui = tmp_path / "ui"
    (ui / "a").mkdir(parents=True)
    (ui / "index.html").write_text("<title>first</title>")
    (ui / "a" / "main.js").write_text("// " + "x" * 5000)
    (ui / "a" / ".hidden.js").write_text("hidden")
    (tmp_path / "secret.js").write_text("secret")
    (ui / "secret.js").write_text("beside a/")
    hub = Hub(data=tmp_path / "data", arguments=["--ui-dir", str(ui)]).start()
    try:
        assert f"{hub.url}/console/setup#" in hub.process.stdout.readline()
        page, body = fetch(hub, "/console/any/where")
        assert page.status_code == 200 and body == b"<title>first</title>"
        (ui / "index.html").write_text("<title>second</title>")
        assert fetch(hub, "/console")[1] == b"<title>second</title>"
        script, plain = fetch(hub, "/console/a/main.js")
        assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert script.headers["Cache-Control"] == "no-cache" and "Content-Encoding" not in script.headers
        packed, body = fetch(hub, "/console/a/main.js", **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(body) == plain
        head, body = fetch(hub, "/console/a/main.js", "HEAD")
        assert head.status_code == 200 and head.headers["Content-Length"] == str(len(plain)) and body == b""
        for path in ("/console/a/nothing.js", "/console/a/..%2Fsecret.js", "/console/a/..%2F..%2Fsecret.js",
                     "/console/a/.hidden.js", "/console/a/%2e%2e", "/console/a/main.js%00"):
            assert fetch(hub, path)[0].status_code in (400, 404), path
    finally:
        hub.stop()


def test_a_directory_without_a_console_is_an_error(tmp_path):
    done = subprocess.run([BINARY, "hub", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--ui-dir",
                           str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and "index.html" in done.stderr


@pytest.mark.skipif(SLOW, reason="sanitized hubs are built without the console")
def test_packed_files_are_sent_in_the_form_that_was_asked_for(tmp_path):
    hub = Hub(data=tmp_path / "data").start()
    try:
        page, plain = fetch(hub, "/console/")
        [script] = re.findall(rb'type="module" crossorigin src="(/console/a/[^"]+)"', plain)
        path = script.decode()
        _, whole = fetch(hub, path)
        packed, body = fetch(hub, path, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(body) == whole
        brotli, smaller = fetch(hub, path, **{"Accept-Encoding": "gzip, deflate, br, zstd"})
        assert brotli.headers["Content-Encoding"] == "br" and len(smaller) < len(body) < len(whole)
        assert brotli.headers["Vary"] == "Accept-Encoding" and "immutable" in brotli.headers["Cache-Control"]
        etag = brotli.headers["ETag"]
        again, body = fetch(hub, path, **{"Accept-Encoding": "br", "If-None-Match": etag})
        assert again.status_code == 304 and body == b"" and again.headers["ETag"] == etag
        head, body = fetch(hub, path, "HEAD", **{"Accept-Encoding": "br"})
        assert head.headers["Content-Length"] == str(len(smaller)) and body == b""
        assert page.headers["Content-Security-Policy"] == brotli.headers["Content-Security-Policy"]
    finally:
        hub.stop()


@pytest.mark.alone
@pytest.mark.skipif(SLOW, reason="sanitized hubs are built without the console")
def test_the_web_console_passes_its_tests():
    run_own_tests("tests/web/test.sh")
