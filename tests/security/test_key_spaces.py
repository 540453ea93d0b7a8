"""Keys for some spaces at a real hub: what is open ends within a second, and nothing gives a key more than it has."""
import json
import threading
import time

import requests
from harness import Client, cli, cli_json

WITHIN_S = 1.0


def limited(hub, *spaces, scopes="read,write", email="ann@example.org"):
    hub.add_key(email=email)
    options = [word for space in spaces for word in ("--space", space)]
    return cli_json("key", "add", "--account", email, "--label", "limited", "--scopes", scopes, *options, data=hub.data)


def owner(hub):
    return hub.client(label="owner", scopes="read,write,keys")


def code(answer):
    return answer.status_code, answer.json().get("code")


REFUSED = (403, "space_not_allowed")


def test_a_key_of_the_command_line_is_limited_to_its_spaces(hub):
    made = limited(hub, "notes", "kernle/claire")
    assert made["spaces"] == ["kernle/claire", "notes"]
    listed = {key["id"]: key["spaces"] for key in cli_json("key", "list", data=hub.data)["keys"]}
    assert listed[made["id"]] == ["kernle/claire", "notes"] and None in listed.values()
    assert "kernle/claire,notes" in cli("key", "list", data=hub.data)[1]
    client = Client(hub.url, made["key"])
    client.push("notes", [{"collection": "c", "id": "1", "doc": {}}])
    owner(hub).push("diary", [{"collection": "c", "id": "1", "doc": {}}])
    assert [space["name"] for space in client.get("/v1/spaces").json()["spaces"]] == ["notes"]
    for answer in (client.get("/v1/spaces/diary/changes"), client.get("/v1/events?spaces=notes,diary"),
                   client.post("/v1/spaces/diary/push", {"ops": []}), client.get("/v1/spaces/diary/conflicts"),
                   client.get("/v1/spaces/notes%2F..%2Fdiary/changes"), client.get("/v1/spaces/Notes/changes"),
                   client.get("/clocks/active"), client.get("/sync"), client.get("/webhooks"),
                   client.post("/sync/pull", {"agent_id": "david"})):
        assert code(answer) == REFUSED, answer.text
        assert "notes" in answer.json()["detail"]
    assert client.post("/sync/pull", {"agent_id": "claire"}).status_code == 200


def test_a_wrong_space_is_an_error_of_the_command_line(hub):
    hub.add_key()
    arguments = ["key", "add", "--account", "ann@example.org", "--label", "x", "--scopes", "read", "--space", "a b"]
    exit_code, _, error = cli(*arguments, data=hub.data, check=False)
    assert exit_code == 2 and "space" in error


def test_narrowing_reaches_what_is_open_within_a_second(hub):
    made = limited(hub, "a", "b", scopes="read")
    client, boss = Client(hub.url, made["key"]), owner(hub)
    ended = {}

    def follow(spaces):
        with requests.get(hub.url + "/v1/events?spaces=" + spaces, stream=True, timeout=30,
                          headers={"Authorization": f"Bearer {made['key']}"}) as stream:
            for _ in stream.iter_content(None):
                opened.release()
        ended[spaces] = time.monotonic()

    def poll(space):
        answer = requests.get(f"{hub.url}/v1/spaces/{space}/changes?wait=20", timeout=30,
                              headers={"Authorization": f"Bearer {made['key']}"})
        ended["poll " + space] = (time.monotonic(), answer.status_code)

    opened = threading.Semaphore(0)
    threads = [threading.Thread(target=follow, args=("a,b",), daemon=True),
               threading.Thread(target=follow, args=("b",), daemon=True),
               threading.Thread(target=poll, args=("a",), daemon=True)]
    for thread in threads:
        thread.start()
    assert opened.acquire(timeout=10) and opened.acquire(timeout=10)
    began = time.monotonic()
    assert boss.patch(f"/v1/keys/{made['id']}", {"spaces": ["b"]}).json()["spaces"] == ["b"]
    threads[0].join(5)
    threads[2].join(5)
    assert ended["a,b"] - began < WITHIN_S
    assert ended["poll a"][0] - began < WITHIN_S and ended["poll a"][1] == 403
    assert threads[1].is_alive(), "a stream of a space that is left goes on"
    assert code(client.get("/v1/spaces/a/changes")) == REFUSED


def test_no_way_leads_from_a_limited_key_to_more(hub):
    made = limited(hub, "notes", scopes="read,write,keys")
    client = Client(hub.url, made["key"])
    wide = hub.add_key(label="wide")
    assert code(client.post("/v1/keys", {"label": "x", "scopes": ["read"]})) == REFUSED
    assert code(client.post("/v1/keys", {"label": "x", "scopes": ["read"], "spaces": ["notes", "diary"]})) == REFUSED
    assert client.post(f"/auth/keys/{wide['id']}/cycle").status_code == 403
    tokens = [client.post("/auth/keys", {"name": "x"}).json()["key"], client.post("/auth/api-key").json()["api_key"],
              client.post("/auth/login", {}).json()["token"],
              requests.post(f"{hub.url}/auth/token", json={"secret": made["key"]}, timeout=30).json()["access_token"]]
    browser = requests.Session()
    assert browser.post(f"{hub.url}/v1/session", json={"key": made["key"]}, timeout=30).status_code == 200
    assert code(browser.get(f"{hub.url}/v1/spaces/diary/changes", timeout=30)) == REFUSED
    for token in tokens:
        assert code(Client(hub.url, token).get("/v1/spaces/diary/changes")) == REFUSED
        assert Client(hub.url, token).get("/v1/spaces/notes/changes").status_code == 200
    boss = owner(hub)
    boss.patch(f"/v1/keys/{made['id']}", {"scopes": ["read"]})
    assert code(browser.get(f"{hub.url}/v1/keys", timeout=30)) == (403, "insufficient_scope")
    assert Client(hub.url, tokens[2]).get("/v1/keys").status_code == 403


def test_the_list_says_who_made_a_key_and_where_it_was_used(hub):
    boss = owner(hub)
    made = boss.post("/v1/keys", {"label": "guest", "scopes": ["read"], "spaces": ["notes"]}).json()
    Client(hub.url, made["key"]).get("/v1/spaces")
    listed = {key["id"]: key for key in boss.get("/v1/keys").json()["keys"]}
    assert listed[made["id"]]["maker"]["label"] == "owner"
    assert listed[made["id"]]["last_address"] == "127.0.0.1"
    hub.stop()
    hub.start()
    listed = {key["id"]: key for key in Client(hub.url, boss.key).get("/v1/keys").json()["keys"]}
    assert listed[made["id"]]["last_address"] == "127.0.0.1" and listed[made["id"]]["spaces"] == ["notes"]
    assert json.dumps(listed).count(made["key"]) == 0
