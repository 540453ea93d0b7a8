"""Requests that a proxy and the hub could read in two ways: the hub refuses them and closes, so that no part of one is
taken for a request of its own."""
import socket

import pytest

SMUGGLED = b"GET /v1/spaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n\r\n"


def exchange(hub, request):
    """Everything the hub says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as raw:
        raw.sendall(request)
        answer = b""
        while chunk := raw.recv(65536):
            answer += chunk
    return answer


def request(target=b"/v1/me", headers=b"Host: x\r\n", method=b"POST", version=b"HTTP/1.1", body=b""):
    return method + b" " + target + b" " + version + b"\r\n" + headers + b"\r\n" + body


LENGTH = b"Content-Length: %d\r\n"


@pytest.mark.parametrize("headers", [
    b"Host: x\r\nTransfer-Encoding: xchunked\r\n",
    b"Host: x\r\nTransfer-Encoding: identity\r\n",
    b"Host: x\r\nTransfer-Encoding: gzip\r\n",
    b'Host: x\r\nTransfer-Encoding: "chunked"\r\n',
    b"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n",
    b"Host: x\r\nTransfer-Encoding: chunked, gzip\r\n",
    b"Host: x\r\nTransfer-Encoding: xchunked\r\n" + LENGTH,
    LENGTH,
    b"Host: x\r\nHost: y\r\n" + LENGTH,
    b"Host: x\r\nhost: x\r\n" + LENGTH,
    b"Host: x/y\r\n" + LENGTH,
    b"Host: x\r\nX-Folded: a\r\n b\r\n" + LENGTH,
    b"Host: x\r\nTransfer-Encoding:\r\n chunked\r\n",
], ids=lambda headers: headers.decode().replace("\r\n", "|"))
def test_an_ambiguous_request_is_refused_and_its_body_is_not_executed(shared_hub, headers):
    body = SMUGGLED.replace(b"KEY", shared_hub.client().key.encode())
    if b"%d" in headers:
        headers = headers % len(body)
    answer = exchange(shared_hub, request(headers=headers, body=body))
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"Connection: close\r\n" in answer


@pytest.mark.parametrize("target", [b"/v1/spaces/caf\xc3\xa9/changes", b"/v1/spaces/a\x7fb/changes", b"http://",
                                    b"http:///v1/me", b"http://ann:secret@x/v1/me"])
def test_a_target_that_is_none_is_refused(shared_hub, target):
    assert exchange(shared_hub, request(target, method=b"GET")).startswith(b"HTTP/1.1 400 ")


def test_an_absolute_target_is_served(shared_hub):
    headers = b"Host: x\r\nConnection: close\r\nAuthorization: Bearer " + shared_hub.client().key.encode() + b"\r\n"
    for target in (b"http://hub.example:8080/v1/me", b"HTTPS://[::1]/v1/spaces/s/changes?limit=1"):
        assert exchange(shared_hub, request(target, headers, b"GET")).startswith(b"HTTP/1.1 200 OK"), target
    assert exchange(shared_hub, request(b"http://hub.example?x=1", headers, b"GET")).startswith(b"HTTP/1.1 200 OK")


def test_a_head_that_comes_line_by_line_has_an_end(shared_hub):
    lines = b"".join(b"X-Line-%d: %s\r\n" % (number, b"x" * 500) for number in range(40))
    assert exchange(shared_hub, b"GET /health HTTP/1.1\r\nHost: x\r\n" + lines).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("chunks", [b"1;" + b"x" * 20_000, (b"1;" + b"x" * 500 + b"\r\na\r\n") * 100,
                                    b"0\r\nX-Trailer: " + b"x" * 20_000], ids=["extension", "extensions", "trailer"])
def test_endless_chunk_headers_are_refused(shared_hub, chunks):
    headers = (b"Host: x\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer " +
               shared_hub.client().key.encode() + b"\r\n")
    assert exchange(shared_hub, request(b"/sync", headers, body=chunks)).startswith(b"HTTP/1.1 400 ")
