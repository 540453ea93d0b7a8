"""What the command line prints, word by word: lists, single results, empty lists and errors."""
import json

import pytest
from golden import Transcript
from harness import Hub, cli, free_port, wait_until
from node_harness import Node


@pytest.fixture
def hub(tmp_path):
    running = Hub(data=tmp_path / "hub").stay().start()
    yield running
    assert running.stop() in (0, None)


@pytest.fixture
def transcript(tmp_path):
    return Transcript({"SYNCLINE_DATA": str(tmp_path / "hub"), "SYNCLINE_NODE_DATA": str(tmp_path / "device")},
                      {str(tmp_path): "DIR"})


def test_accounts_and_keys(transcript):
    transcript.run("account list")
    transcript.run("account add ann@example.org --plan pro")
    transcript.run("account add ann@example.org --plan pro")
    transcript.run("account add bob@example.org --plan gold")
    transcript.run("account add bob@example.org --plan free")
    transcript.run("account list")
    transcript.run("account list --json")
    transcript.run("account plan carl@example.org pro")
    transcript.run("account invite bob@example.org --plan pro")
    transcript.run("account remove bob@example.org")
    transcript.run("key list")
    transcript.run("key add --account ann@example.org --label laptop --scopes read,write")
    transcript.run("key add --account ann@example.org --label laptop --scopes all")
    transcript.run("key list")
    transcript.run("key revoke k1 --json")
    transcript.run("key revoke k9")
    transcript.run("key revoke k9 --json")
    transcript.check("accounts_and_keys")


def test_spaces_and_conflicts(hub, transcript):
    laptop, phone = hub.client(label="laptop"), hub.client(label="phone")
    transcript.run("space list")
    transcript.run("conflict list")
    transcript.run("space shares")
    laptop.push("notes", [{"collection": "c", "id": "1", "updated_at": "2026-01-01T00:00:00Z", "doc": {"v": "laptop"}}])
    phone.push("notes", [{"collection": "c", "id": "1", "updated_at": "2026-01-02T00:00:00Z", "doc": {"v": "phone"}}])
    transcript.run("space list")
    transcript.run("space history notes c 1 --account ann@example.org")
    transcript.run("space history notes c 2 --account ann@example.org")
    transcript.run("conflict list")
    transcript.run("conflict show 1")
    transcript.run("conflict show 2")
    transcript.run("conflict restore 1 --json")
    transcript.run("conflict restore 1")
    cli("account", "add", "bob@example.org", "--plan", "pro", data=hub.data)
    transcript.run("space share notes --with bob@example.org --rights read")
    transcript.run("space shares")
    transcript.run("space unshare notes --with bob@example.org")
    transcript.check("spaces_and_conflicts")


def test_webhooks(hub, transcript):
    hub.client()
    transcript.run("webhook list")
    made = transcript.run("webhook add https://app.example.org/hook --account ann@example.org --events record.changed")
    name = next(line.split()[1] for line in made.splitlines() if line.startswith("id:"))
    transcript.run("webhook list")
    transcript.run(f"webhook deliveries {name}")
    transcript.run("webhook deliveries wh_unknown")
    transcript.run(f"webhook replay {name} first")
    transcript.run(f"webhook remove {name} --json")
    transcript.check("webhooks")


def test_the_hub_and_its_data(hub, transcript, tmp_path):
    hub.client()
    transcript.run("backup " + str(tmp_path / "copy.db"))
    transcript.run("backup " + str(tmp_path / "copy.db"))
    transcript.run("backup " + str(tmp_path / "none/copy.db"))
    transcript.run("verify")
    transcript.run("clock")
    transcript.run("audit list --limit 2 --action key")
    transcript.run("audit list --action nothing")
    transcript.run("audit verify --json")
    transcript.run("restore " + str(tmp_path / "none.db") + " --data " + str(tmp_path / "restored"))
    transcript.run("restore " + str(tmp_path / "copy.db") + " --data " + str(tmp_path / "restored"))
    transcript.run("restore " + str(tmp_path / "copy.db") + " --data " + str(tmp_path / "restored"))
    transcript.run("account list --data " + str(tmp_path / "mistyped"))
    transcript.run("config show --set nonsense=1")
    transcript.check("the_hub_and_its_data")


def test_doctor(hub, transcript):
    hub.client()
    transcript.run("doctor")
    hub.stop()
    (hub.data / "hub.yaml").write_text("hub:\n  public_url: http://hub.example.org\n")
    transcript.run("doctor")
    transcript.check("doctor")


def test_remote_commands(hub, transcript):
    key = hub.add_key()["key"]
    access = ["--hub", hub.url, "--key", key]
    transcript.run("command list", hidden=access)
    transcript.run("command approvals", hidden=access)
    made = transcript.run("command run --detach --json 'make test'", hidden=access)
    name = json.loads(made)["commandId"]
    transcript.run("command list", hidden=access)
    transcript.run(f"command show {name}", hidden=access)
    transcript.run(f"command cancel {name} --json", hidden=access)
    transcript.run(f"command cancel {name}", hidden=access)
    transcript.run("command show cmd-1", hidden=access)
    transcript.run("command show cmd-1 --json", hidden=access)
    transcript.run("command list", hidden=["--hub", hub.url, "--key", "sl_k1_wrong"])
    transcript.run("command list", hidden=["--hub", f"http://127.0.0.1:{free_port()}", "--key", key])
    transcript.run("command list")
    transcript.check("remote_commands")


def test_a_device(hub, transcript, tmp_path):
    key = hub.add_key()["key"]
    transcript.run("export")
    transcript.run("tail")
    transcript.run("sync status")
    transcript.run("-a claire sync push")
    transcript.run(f"login http://127.0.0.1:{free_port()}", hidden=["--key", key])
    transcript.run(f"login {hub.url}", hidden=["--key", "sl_k1_wrong"])
    transcript.run(f"login {hub.url}")
    transcript.run(f"login {hub.url}", hidden=["--key", hub.add_key(scopes="write")["key"]])
    transcript.run(f"login {hub.url}", hidden=["--key", hub.add_key(scopes="read")["key"]])
    transcript.run(f"login {hub.url}", hidden=["--key", key])
    node = Node()
    node.data = tmp_path / "device"
    node.start()
    try:
        wait_until(lambda: node.is_in_sync() and node.api.get("/profiles").json()["profiles"][0]["live"], "in sync")
        transcript.run("sync status")
        transcript.run("-a claire memory list notes")
        transcript.run("-a claire memory search logs")
        transcript.run("-a claire memory add notes content='Check the logs first'")
        transcript.run("-a claire memory list notes")
        transcript.run("-a claire memory search logs")
        transcript.run("-a claire memory list nothing")
        transcript.run("-a claire memory show notes 1")
        transcript.run("memory list notes")
        transcript.run("entry")
        transcript.run("book 1h30m -c Acme -d 'Code review' --date 2026-01-02 --json")
        transcript.run("entry --period century")
        transcript.run("timer status")
        transcript.run("triage")
        transcript.run("-a claire sync conflicts")
        transcript.run("-a claire sync deadletters")
        transcript.run("-a claire sync full")
        transcript.run("-a claire sync status")
        transcript.run("import " + str(tmp_path / "none.ndjson"))
        (tmp_path / "notes.ndjson").write_text('{"collection":"c","id":"1","doc":{}}\n{"no":"record"}\n')
        transcript.run("import " + str(tmp_path / "notes.ndjson") + " --space notes")
        transcript.run("import " + str(tmp_path / "notes.ndjson") + " --space notes --json")
        transcript.run("tail notes --from-start --count 1")
        transcript.run("export -o " + str(tmp_path / "all.ndjson"))
        transcript.run("export -o " + str(tmp_path / "all.ndjson"))
    finally:
        node.stop()
    transcript.check("a_device")
