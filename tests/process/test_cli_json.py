"""--json: every command prints the one document that docs/cli-json.md describes, and nothing else."""
import json
import os
import re
import subprocess
from types import SimpleNamespace

import pytest
from harness import BINARY, ROOT, Hub, wait_until
from node_harness import Node
from runner_harness import Runner
from test_help import commands_in, helps, run_cli

SERVERS = {"hub", "node", "runner"}
TEXTS = {"help", "version", "completions"}  # for people and shells
LINES = {"tail"}  # print a document per line
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

# In the order in which they run: each may need what those before it left. Words in capitals come from the world.
LINES_TO_RUN = """
setup --data FRESH
account add bob@example.org --plan free
account list
account plan bob@example.org pro
account role bob@example.org admin
account role bob@example.org member
account label bob@example.org sync_ai
account password bob@example.org --password-file PASSWORD
account reset bob@example.org
account invite carl@example.org --plan pro
account ai-cap bob@example.org 500
key add --account bob@example.org --label x --scopes read
key list
key revoke KEY_ID
space list
space history notes c 1 --account ann@example.org
space share notes --with bob@example.org --rights read
space shares
space unshare notes --with bob@example.org
conflict list
conflict show 1
conflict restore 1
conflict dismiss 2
webhook add https://app.example.org/ --account ann@example.org --events record.changed
webhook list
webhook rotate WEBHOOK
webhook enable WEBHOOK
webhook deliveries WEBHOOK
webhook replay WEBHOOK failed
webhook remove WEBHOOK
account undo-wipe bob@example.org
audit list
audit verify
backup COPY
restore COPY --data RESTORED
verify
doctor
clock
clock accept
config show
command run --detach true
command list
command show COMMAND
command approve HELD --always
command approvals
command forget APPROVAL
command deny OTHER_HELD
command cancel COMMAND
login URL
profile list
profile add work
profile use work
profile use default
profile accept-clock work
profile remove work
memory add notes content=hello
memory list notes
memory search hello
memory show notes MEMORY
memory forget notes MEMORY
timer status
timer start -c Acme
timer stop
book 1h
entry
triage
sync push
sync pull
sync full
sync status
sync conflicts
sync deadletters
export -o FILE
import FILE
tail notes --from-start --count 1
runner audit verify --data RUNNER
runner explain --policy POLICY true
account remove bob@example.org --yes
"""


def documented():
    """By command: the members of its document, and of the elements of its list."""
    rows = {}
    for line in (ROOT / "docs/cli-json.md").read_text().splitlines():
        if line.startswith("| `"):
            commands, members, of_elements = (cell.strip() for cell in line.strip("|").split("|"))
            for command in re.findall(r"`([^`]+)`", commands):
                rows[command] = [names_in(cell) for cell in (members, of_elements)]
    return rows


def names_in(cell):
    """Members, without what stands in parentheses behind one or behind a semicolon, which is of other calls."""
    plain = re.sub(r"(?<=` )\((?!`\w+\?`\))[^)]*\)", "", cell.split(";")[0])
    return [name for name in re.findall(r"`([^`]+)`", plain) if not name.startswith("-")]


def misfits(found, described):
    """Members that are missing or not described."""
    required = {name for name in described if not name.endswith("?")}
    known = {name.rstrip("?") for name in described}
    return sorted(required - set(found)) + sorted("+" + name for name in set(found) - known)


def leaves():
    """All commands that are no groups, with their words."""
    return {" ".join(words) for words, text in helps(run_cli) if words and not commands_in(text)} | {"clock", "runner"}


def test_every_command_is_described_and_run():
    described = set(documented())
    assert leaves() - SERVERS - TEXTS == described, (leaves() - SERVERS - TEXTS) ^ described
    lines = [line for line in LINES_TO_RUN.split("\n") if line]
    not_run = {command for command in described if not any((line + " ").startswith(command + " ") for line in lines)}
    assert not_run == set()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A hub with a conflict and two held commands, a runner that holds them, and a node."""
    folder = tmp_path_factory.mktemp("json")
    hub, fresh = Hub(data=folder / "hub").stay().start(), Hub(data=folder / "fresh").start()
    client, other = hub.client(), hub.client(label="other")
    for name in "12":  # each with a version that loses
        for day, writer in enumerate((client, other), 1):
            writer.push("notes", [{"collection": "c", "id": name, "updated_at": f"2026-01-0{day}T00:00:00Z", "doc": {"n": day}}])
    (folder / "password.txt").write_text("a long password\n")
    (folder / "policy.yaml").write_text(f"version: 1\nroots: [{{path: {folder}/root, write: true}}]\n"
                                        "commands: {execute_bash: [{ask: touch *}, {allow: 'true'}]}\n")
    runner = Runner(hub.url, hub.add_key(scopes="read,commands:run")["key"], folder,
                    ["--policy", str(folder / "policy.yaml"), "--no-sandbox"]).start()
    held = [client.post("/command", {"type": "execute_bash", "command": f"touch {name}"}).json()["commandId"]
            for name in "ab"]
    for command in held:
        wait_until(lambda of=command: "approval" in client.get(f"/command/{of}").json(), f"{command} is held")
    assert runner.stop() == 0
    node = Node(environment={"SYNCLINE_KEY": client.key}).start()
    words = {"PASSWORD": folder / "password.txt", "COPY": folder / "copy.db", "RESTORED": folder / "restored",
             "URL": hub.url, "HELD": held[0], "OTHER_HELD": held[1], "FILE": folder / "all.ndjson",
             "FRESH": fresh.data, "RUNNER": runner.data, "POLICY": folder / "policy.yaml"}
    approver = hub.add_key(label="approver", scopes="read,write,commands:submit,commands:approve")["key"]
    yield SimpleNamespace(hub=hub, node=node, words={name: str(word) for name, word in words.items()},
                          environment={"SYNCLINE_DATA": str(hub.data), "SYNCLINE_NODE_DATA": str(node.data),
                                       "SYNCLINE_HUB": hub.url, "SYNCLINE_KEY": approver})
    node.stop()
    assert (hub.stop(), fresh.stop()) == (0, 0)


# The words that later lines take from the document of an earlier one.
FOUND = {"key add": ("KEY_ID", lambda made: made["id"]),
         "webhook add": ("WEBHOOK", lambda made: made["id"]),
         "command run": ("COMMAND", lambda made: made["commandId"]),
         "command approvals": ("APPROVAL", lambda made: made["approvals"][0]["id"]),
         "memory add": ("MEMORY", lambda made: made["id"])}


def times_in(value, path=""):
    """All texts in a document that look like times, with where they stand."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from times_in(member, f"{path}.{name}")
    elif isinstance(value, list):
        for element in value:
            yield from times_in(element, path)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        yield path, value


def test_documents_are_as_described(world):
    described, wrong = documented(), []
    for line in filter(None, LINES_TO_RUN.split("\n")):
        command = max((name for name in described if (line + " ").startswith(name + " ")), key=len)
        words = [world.words.get(word, word) for word in line.split()]
        agent = ["-a", "claire"] if words[0] in ("memory", "sync") and words[1] != "status" else []
        done = subprocess.run([BINARY, *agent, *words, "--json"], capture_output=True, text=True, timeout=60,
                              env=os.environ | world.environment)
        if done.returncode != 0 or done.stderr:
            wrong.append(f"{line}: exit {done.returncode}, {done.stderr}")
            continue
        documents = [json.loads(text) for text in done.stdout.splitlines()]
        if len(documents) != 1:
            wrong.append(f"{line}: {len(documents)} documents")
        document = documents[0]
        if command in FOUND:
            name, find = FOUND[command]
            world.words[name] = find(document)
        members, of_elements = described[command]
        found = misfits(document, members)
        lists = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        found += [each for value in lists if of_elements for element in value for each in misfits(element, of_elements)]
        found += [f"{path}: {text}" for path, text in times_in(document)
                  if not TIME.fullmatch(text) and not path.startswith((".settings", ".results", ".entries", ".records"))]
        if found:
            wrong.append(f"{line}: {found} in {done.stdout[:600]}")
    assert wrong == [], "\n".join(wrong)
