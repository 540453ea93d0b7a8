"""The same calls as the published Python client, with requests. Usage: kiro_flows.py BASE_URL IDE_TOKEN AGENT_TOKEN"""
import json
import sys
import time

import requests

base, ide_token, agent_token = sys.argv[1:]


def make_call(token):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(method, path, body=None):
        return requests.request(method, base + path, headers=headers, json=body, timeout=30).json()

    return call


ide, agent = make_call(ide_token), make_call(agent_token)
state = ide("GET", "/sync")
stamp = int(time.time() * 1000)
state["conversations"]["conv-py"] = [{"role": "user", "content": "pwd, bitte: ä", "timestamp": stamp}]
state["lastUpdate"] = stamp + 60_000
answer = ide("POST", "/sync", state)
assert answer["status"] == "updated", answer
assert answer["data"]["conversations"]["conv-py"][0]["content"] == "pwd, bitte: ä"

made = ide("POST", "/command", {"type": "execute_bash", "command": "pwd"})
assert agent("PATCH", f"/command/{made['commandId']}", {"status": "processing"})["status"] == "processing"
agent("PATCH", f"/command/{made['commandId']}", {"status": "failed", "error": "no such directory"})
ended = ide("GET", f"/command/{made['commandId']}")
assert (ended["status"], ended["error"]) == ("failed", "no such directory"), ended
print(json.dumps({"ok": True}))
