"""A page in a browser, another user of the machine and a sandboxed command try to use a node's API."""
import http.client
import json
import os
import subprocess

import pytest
import requests
from harness import BINARY, WebSocket, cli, wait_until
from node_harness import Node

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
# Prints the status and the body of one GET.
GET = """import sys, urllib.request, urllib.error
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(sys.argv[1], timeout=30) as answer: print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
"""


@pytest.fixture
def make_node():
    nodes = []

    def make(*arguments, listen="127.0.0.1:0"):
        nodes.append(Node(arguments, listen=listen).start())
        return nodes[-1]

    yield make
    for node in nodes:
        node.stop()


def send(node, method, path, body=None, **headers):
    """One request as a browser would send it for a page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, node.url + path, data=body, headers=named, timeout=30)


CONNECT = json.dumps({"url": "http://127.0.0.1:9", "api_key": "attacker"})


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:1", "https://localhost",
                                    "http://localhost", "null", "http://localhost.evil.example", "file://"])
def test_pages_of_other_origins_are_refused(make_node, origin):
    node = make_node()
    for path, body, kind in (("/api/cloud-sync/connect", CONNECT, "text/plain"),
                             ("/api/cloud-sync/connect", CONNECT, "application/json"),
                             ("/api/cloud-sync/disconnect", None, None), ("/profiles/default/use", None, None)):
        headers = {"Origin": origin} | ({"Content-Type": kind} if kind else {})
        answer = send(node, "POST", path, body, **headers)
        assert answer.status_code == 403 and "local.origins" in answer.text, (path, answer.text)
    preflight = send(node, "OPTIONS", "/api/cloud-sync/connect", Origin=origin, Access_Control_Request_Method="POST")
    assert preflight.status_code == 403 and "Access-Control-Allow-Origin" not in preflight.headers
    assert WebSocket(int(node.url.rsplit(":", 1)[1]), "/ws", headers=[f"Origin: {origin}"]).status == 403


def test_requests_of_other_pages_without_an_origin_are_refused(make_node):
    node = make_node()
    for site in ("same-site", "cross-site"):
        assert send(node, "GET", "/profiles", Sec_Fetch_Site=site).status_code == 403
    for site in ("same-origin", "none"):
        assert send(node, "GET", "/profiles", Sec_Fetch_Site=site).status_code == 200


def test_a_body_must_say_that_it_is_json(make_node):
    node = make_node()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""):
        for method, path in (("POST", "/profiles"), ("PATCH", "/api/tasks/x"), ("DELETE", "/api/tasks/x")):
            answer = send(node, method, path, '{"name": "evil"}', Content_Type=kind)
            assert answer.status_code == 415 and "application/json" in answer.text, (kind, answer.text)
    port = int(node.url.rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/profiles", body=iter([b'{"name": "evil"}']), headers={"Content-Type": "text/plain"},
                       encode_chunked=True)
    assert connection.getresponse().status == 415
    for name, kind in (("one", "application/json"), ("two", "Application/JSON; charset=utf-8")):
        assert send(node, "POST", "/profiles", json.dumps({"name": name}), Content_Type=kind).status_code < 300
    assert send(node, "POST", "/api/cloud-sync/disconnect").status_code == 200, "without a body there is nothing to say"


def test_listed_origins_and_the_nodes_own_pages_are_served(make_node):
    node = make_node("--set", "local.origins=http://localhost:5173,tauri://localhost")
    for origin in ("http://localhost:5173", "tauri://localhost"):
        preflight = send(node, "OPTIONS", "/profiles", Origin=origin, Access_Control_Request_Method="POST",
                         Sec_Fetch_Site="same-site")
        assert preflight.status_code == 204 and preflight.headers["Access-Control-Allow-Origin"] == origin
        answer = send(node, "GET", "/profiles", Origin=origin, Sec_Fetch_Site="same-site")
        assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == origin
    assert send(node, "GET", "/profiles", Origin="http://localhost:5174").status_code == 403
    own = send(node, "GET", "/profiles", Origin=node.url)
    assert own.status_code == 200 and "Access-Control-Allow-Origin" not in own.headers


def test_node_yaml_says_whom_a_node_serves(make_node):
    node = make_node()
    assert node.stop() == 0
    (node.data / "node.yaml").write_text("local:\n  origins: [http://localhost:5173]\n  any_user: true\n")
    node.start()
    assert send(node, "GET", "/profiles", Origin="http://localhost:5173").status_code == 200
    for wrong, word in (("local.origins=*", "not an origin"), ("local.origins=http://a/b", "not an origin"),
                        ("local.any_user=maybe", "true or false"), ("local.anyone=true", "is unknown")):
        code, _, error = cli("node", "--listen", "127.0.0.1:0", "--set", wrong, data=str(node.data) + "-2", check=False)
        assert code == 2 and word in error, (wrong, error)


def as_nobody(*command):
    if os.geteuid() != 0:
        pytest.skip("this test becomes another user")
    return subprocess.run([*NOBODY, *command], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0"])
def test_other_users_of_the_machine_are_refused(make_node, listen):
    node = make_node(listen=listen)
    answer = as_nobody("/usr/bin/python3", "-c", GET, node.url + "/profiles").stdout
    assert answer.startswith("403 ") and "another user" in answer, answer
    ours = subprocess.run(["/usr/bin/python3", "-c", GET, node.url + "/profiles"], capture_output=True, text=True, check=True)
    assert ours.stdout.startswith("200 "), ours.stdout


EVERY_ROUTE = """import http.client, json, sys
host, port, origin = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for line in sys.stdin.read().splitlines():
    method, path = line.split()
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request(method, path, headers={"Origin": origin} if origin else {})
    print(connection.getresponse().status, method, path)
    connection.close()
"""


@pytest.mark.parametrize("attacker", ["page", "user"])
def test_every_route_refuses_foreign_pages_and_other_users(make_node, attacker):
    node = make_node()
    routes = [f"{method.upper()} {path.replace('{', '').replace('}', '')}"
              for path, methods in node.api.get("/openapi.json").json()["paths"].items() for method in methods]
    assert len(routes) > 50, routes
    as_other = NOBODY if attacker == "user" else []
    if as_other and os.geteuid() != 0:
        pytest.skip("this test becomes another user")
    done = subprocess.run([*as_other, "/usr/bin/python3", "-c", EVERY_ROUTE, "127.0.0.1", node.url.rsplit(":", 1)[1],
                           "http://localhost:3000" if attacker == "page" else ""],
                          input="\n".join(routes), capture_output=True, text=True, timeout=120, check=True)
    assert [line for line in done.stdout.splitlines() if not line.startswith("403 ")] == []
    assert len(done.stdout.splitlines()) == len(routes)


def test_any_user_serves_other_users(make_node):
    node = make_node("--set", "local.any_user=true")
    assert as_nobody("/usr/bin/python3", "-c", GET, node.url + "/profiles").stdout.startswith("200 ")


SEND_AND_GO = """import socket, sys
for _ in range(200):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
        s.sendall(b"POST /profiles HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Type: application/json\\r\\n"
                  b"Content-Length: 15\\r\\n\\r\\n" + b'{"name":"evil"}')
"""


def test_a_program_that_is_gone_counts_as_nobodys(make_node):
    """The kernel gives user 0 for a closed socket: what it sent must not pass for root's."""
    node = make_node()
    assert as_nobody("/usr/bin/python3", "-c", SEND_AND_GO, node.url.rsplit(":", 1)[1]).returncode == 0
    # Made by the one worker of a node, after whatever those requests have made.
    assert node.api.post("/profiles", {"name": "ours"}).status_code < 300
    names = [profile["profile"] for profile in node.api.get("/profiles").json()["profiles"]]
    assert sorted(names) == ["default", "ours"]


def test_the_programs_of_this_device_are_served(make_node, hub):
    node = make_node()
    key = hub.add_key()["key"]
    code, out, error = cli("login", hub.url, "--key", key, "--json", data=node.data)
    assert code == 0 and json.loads(out)["ok"] is True, error
    link = node.data.parent / "kernle"
    link.symlink_to(BINARY)
    done = subprocess.run([link, "-a", "claire", "sync", "status", "--json"], capture_output=True, text=True, timeout=60,
                          check=False, env=os.environ | {"SYNCLINE_NODE_DATA": str(node.data)})
    assert done.returncode == 0, done.stderr
    answer = node.api.post("/api/inbox", {"text": "from the app"})
    assert answer.status_code < 300, answer.text


NETWORK_POLICY = """
version: 1
roots: [{path: ROOT, write: true}]
commands: {execute_bash: any}
network: NETWORK
"""


def test_a_sandboxed_command_with_network_reaches_the_machine_but_not_the_node(make_site, make_node):
    """It has the machine's network and here even the node's user: only its sandbox gives it away."""
    node = make_node()
    site = make_site(policy=NETWORK_POLICY.replace("NETWORK", "true"))
    (site.root / "get.py").write_text(GET)
    hub = site.bash(f"python3 get.py {site.hub.url}/health")["result"]
    assert hub["stdout"].startswith("200 "), hub
    refused = site.bash(f"python3 get.py {node.url}/profiles")["result"]
    assert refused["stdout"].startswith("403 ") and "sandbox" in refused["stdout"], refused
    # Another user's node would serve a command of root.
    if os.geteuid() == 0:
        wait_until(lambda: "runner_is_root" in site.runner.log_text(), "the runner warns")


HIDE = """import array, os, socket, sys
near, far = socket.socketpair()
asking = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
asking.sendall(b"GET /profiles HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r")
near.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [asking.fileno()]))])
asking.sendall(b"\\n")
asking.close()
os.system("sleep 0.1")
data = far.recvmsg(1, socket.CMSG_SPACE(4))[1]
back = socket.socket(fileno=array.array("i", data[0][2])[0])
back.settimeout(30)
print(back.recv(4096).decode())
"""


def test_a_sandboxed_command_cannot_hide_who_asks(make_site, make_node):
    """Its socket is in nobody's table while it is on its way through another one."""
    node = make_node()
    site = make_site(policy=NETWORK_POLICY.replace("NETWORK", "true"))
    (site.root / "hide.py").write_text(HIDE)
    ended = site.bash(f"python3 hide.py {node.url.rsplit(':', 1)[1]}")["result"]
    assert ended["stdout"].startswith("HTTP/1.1 403 "), ended


def test_a_sandboxed_command_without_network_reaches_nothing(make_site, make_node):
    node = make_node()
    site = make_site(policy=NETWORK_POLICY.replace("NETWORK", "false"))
    (site.root / "get.py").write_text(GET)
    ended = site.bash(f"python3 get.py {node.url}/profiles")["result"]
    assert ended["exitCode"] != 0 and "Connection refused" in ended["stderr"], ended
