"""Real clients against the real binary: the published ones where their text is at hand, ours always."""
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from harness import SEEDS, Client, Waiting

CLIENTS = Path(__file__).parent / "clients"
SEED = SEEDS / "kiro-sync-api.txt"
PUBLISHED_URL = "https://kiro.sovereignroute.com"
needs_seed = pytest.mark.skipif(not SEED.exists(), reason="the published text is not here")


def keys(hub):
    ide = hub.add_key(label="ide", scopes="read,write,commands:submit")["key"]
    agent = hub.add_key(label="agent", scopes="read,commands:run")["key"]
    return ide, agent


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def published_class():
    """The JavaScript class as it stands in the published text."""
    text = SEED.read_text(errors="replace")
    start = text.index("class KiroSyncClient {")
    end = text.index("// Usage", start)
    return text[start:end]


@needs_seed
def test_the_published_javascript_class_runs_with_only_its_base_url_changed(hub, tmp_path):
    ide, agent = keys(hub)
    source = published_class().replace(PUBLISHED_URL, hub.url)
    assert source.count(hub.url) == 1
    script = tmp_path / "published.mjs"
    script.write_text(source + """
      const [ideToken] = process.argv.slice(2);
      const client = new KiroSyncClient(ideToken);
      const before = await client.getSync();
      const { commandId } = await client.submitCommand({ type: 'execute_bash', command: 'ls -la' });
      console.log(commandId);
      const result = await client.waitForCommand(commandId);
      const pushed = await client.pushSync({ ...before, conversations: { c: [
        { role: 'user', content: 'done', timestamp: Date.now() }] }, lastUpdate: Date.now() + 1000 });
      console.log(JSON.stringify({ before, result, pushed }));
    """)
    process = subprocess.Popen(["node", str(script), ide], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    command_id = process.stdout.readline().strip()
    runner = Client(hub.url, agent)
    assert runner.call("PATCH", f"/command/{command_id}", json={"status": "processing"}).ok
    assert runner.call("PATCH", f"/command/{command_id}",
                       json={"status": "completed", "result": {"stdout": "total 48", "exitCode": 0}}).ok
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    seen = json.loads(out)
    assert seen["before"] == {"conversations": {}, "documents": {}, "commands": {}, "lastUpdate": 0}
    assert seen["result"]["result"]["stdout"] == "total 48"
    assert seen["pushed"]["status"] == "updated"
    assert seen["pushed"]["data"]["conversations"]["c"][0]["content"] == "done"


@needs_seed
def test_the_published_class_goes_on_syncing_after_it_cut_an_emoji_in_half(hub, tmp_path):
    ide, _ = keys(hub)
    script = tmp_path / "published.mjs"
    script.write_text(published_class().replace(PUBLISHED_URL, hub.url) + """
      const client = new KiroSyncClient(process.argv[2]);
      const content = 'the build is ok \\u{1F680}'.slice(0, 17);
      const conversations = { c: [{ role: 'user', content, timestamp: 1 }, { role: 'user', content: 'no time' }] };
      for (const timestamp of [2, 3]) {
        conversations.c.push({ role: 'user', content: `message ${timestamp}`, timestamp });
        const pushed = await client.pushSync({ conversations, documents: {}, lastUpdate: Date.now() + 1000 });
        console.log(JSON.stringify(pushed));
      }
      const { commandId } = await client.submitCommand({ type: 'execute_bash', command: content });
      console.log(commandId);
    """)
    *pushes, command_id = run(["node", str(script), ide]).splitlines()
    last = json.loads(pushes[-1])
    assert [message["content"] for message in last["data"]["conversations"]["c"]] == [
        "the build is ok \ufffd", "message 2", "message 3"]
    assert last["ignored"] == [
        {"part": "conversations", "id": "c", "index": 1, "reason": "timestamp is missing"}]
    assert command_id.startswith("cmd-")


def curl_lines():
    """Each curl command of the published text, its continuation lines joined."""
    text = SEED.read_text(errors="replace")
    joined = re.sub(r"\\\n", " ", text)
    return [line for line in joined.splitlines() if line.startswith("curl ")]


@needs_seed
def test_each_published_curl_line_works(hub):
    lines = curl_lines()
    assert len(lines) >= 5
    hub.add_key(token="YOUR_TOKEN_OF_TEST")
    made = None
    for line in lines:
        command = line.replace(PUBLISHED_URL, hub.url).replace("YOUR_TOKEN", "YOUR_TOKEN_OF_TEST")
        if made:
            command = re.sub(r"/command/cmd-\S+", f"/command/{made}", command)
        answer = json.loads(run(["bash", "-c", command.replace("curl ", "curl -sS --fail --max-time 20 ", 1)]))
        made = answer.get("commandId", made)
    assert made and answer["status"] == "pending" and answer["command"] == "uptime"


def test_our_javascript_client_runs_the_four_flows(hub):
    ide, agent = keys(hub)
    assert json.loads(run(["node", str(CLIENTS / "kiro_flows.mjs"), hub.url, ide, agent]))["ok"]


def test_our_python_client_runs_the_flows_with_and_without_prefix(hub):
    ide, agent = keys(hub)
    for base in (hub.url, hub.url + "/kiro"):
        assert json.loads(run([sys.executable, str(CLIENTS / "kiro_flows.py"), base, ide, agent]))["ok"]


def test_curl_lines_beyond_the_published_ones_work(hub):
    hub.add_key(token="secret-token-1")
    curl = ["curl", "-sS", "--max-time", "20", "-H", "Authorization: Bearer secret-token-1", "-H",
            "Content-Type: application/json"]
    state = json.loads(run([*curl, "-d", '{"conversations":{},"documents":{},"lastUpdate":1710338438173}',
                            f"{hub.url}/sync"]))
    assert state["status"] == "updated"
    made = json.loads(run([*curl, "-d", '{"type":"execute_bash","command":"uptime"}', f"{hub.url}/command"]))
    assert json.loads(run([*curl, f"{hub.url}/command/{made['commandId']}"]))["status"] == "pending"
    assert '"error":"Unauthorized"' in run(["curl", "-sS", f"{hub.url}/sync"])


def test_two_clients_that_append_at_once_lose_no_message(hub):
    """Each uploads its own copy of the conversation with an old lastUpdate, again and again, at the same time."""
    clients = [hub.client(label=f"client {number}") for number in range(2)]
    count = 25

    def append(client, name):
        messages = []
        for number in range(count):
            messages.append({"role": "user", "content": f"{name}-{number}", "timestamp": 1_700_000_000_000 + number})
            answer = client.post("/sync", {"conversations": {"c": messages}, "lastUpdate": 1})
            assert answer.status_code == 200, answer.text
            messages = answer.json()["data"]["conversations"]["c"]

    threads = [threading.Thread(target=append, args=(client, name)) for client, name in zip(clients, "ab")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [message["content"] for message in clients[0].get("/sync").json()["conversations"]["c"]]
    assert sorted(stored) == sorted(f"{name}-{number}" for name in "ab" for number in range(count))


def test_waiting_for_a_command_takes_milliseconds_not_polls(hub):
    ide, agent = (Client(hub.url, key) for key in keys(hub))
    made = ide.post("/command", {"type": "execute_bash", "command": "true"}).json()["commandId"]
    agent.post("/command/claim")
    waiting = Waiting(ide, f"/command/{made}?wait=30")
    began = time.monotonic()
    agent.call("PATCH", f"/command/{made}", json={"status": "completed", "result": {"stdout": ""}})
    assert waiting.answer()[1]["status"] == "completed"
    assert time.monotonic() - began < 5


def test_live_output_streams_while_the_command_runs(hub):
    ide, agent = (Client(hub.url, key) for key in keys(hub))
    made = ide.post("/command", {"type": "execute_bash", "command": "make"}).json()["commandId"]
    agent.post("/command/claim")
    stream = ide.get(f"/command/{made}/output", stream=True)
    lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
    for number in range(3):
        agent.post(f"/command/{made}/output", {"stream": "stdout", "data": f"line {number}\n"})
        assert next(line for line in lines if line.startswith("data: ")) == (
            f'data: {{"stream":"stdout","data":"line {number}\\n"}}')
    agent.call("PATCH", f"/command/{made}", json={"status": "completed", "result": {"stdout": "all"}})
    rest = [line for line in lines if line]
    assert rest[0] == "event: end"
    assert json.loads(rest[1].removeprefix("data: "))["status"] == "completed"
