"""What a runner does for its users: the six kinds of command, policies, approvals, live output, the command line."""
import json
import os
import pty
import subprocess
import time
from types import SimpleNamespace

import pytest
import requests
from harness import BINARY, Client, Hub, cli, wait_until
from runner_harness import IDE_SCOPES, Runner, ScriptedHub, wait_for_end
from test_kiro_clients import PUBLISHED_URL, needs_seed, published_class

ASKING_POLICY = """
version: 1
roots: [{path: ROOT, write: true}]
commands:
  execute_bash:
    - deny: rm *
    - ask: touch *
    - allow: echo *
  write_file: ask
"""


def command(site, *words, check=True, stdin=None, key=None):
    """Runs `syncline command ...`; returns (exit code, standard output, standard error)."""
    answers = words[0] in ("approve", "deny", "approvals", "forget")
    key = key or (site.approver if answers else site.ide).key
    environment = {**os.environ, "SYNCLINE_HUB": site.hub.url, "SYNCLINE_KEY": key}
    done = subprocess.run([BINARY, "command", *words], capture_output=True, text=True, timeout=90, env=environment)
    if check:
        assert done.returncode == 0, done.stderr
    return done.returncode, done.stdout, done.stderr


@needs_seed
def test_the_published_javascript_class_gets_the_output_of_a_real_command(site, tmp_path):
    script = tmp_path / "published.mjs"
    script.write_text(published_class().replace(PUBLISHED_URL, site.hub.url) + """
      const client = new KiroSyncClient(process.argv[2]);
      const { commandId } = await client.submitCommand({ type: 'execute_bash', command: 'echo $((6 * 7)); pwd' });
      console.log(JSON.stringify(await client.waitForCommand(commandId)));
    """)
    done = subprocess.run(["node", str(script), site.ide.key], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["stdout"] == f"42\n{site.root}\n"


def test_each_kind_of_command_gives_its_documented_result(site):
    assert site.bash("echo out; echo err >&2; exit 3")["result"] == {"stdout": "out\n", "stderr": "err\n", "exitCode": 3}
    written = site.run(type="write_file", path="notes/a.txt", content="one\ntwo\n")
    assert written["result"] == {"path": f"{site.root}/notes/a.txt", "bytesWritten": 8}
    read = site.run(type="read_file", path=f"{site.root}/notes/a.txt")
    assert read["result"] == {"content": "one\ntwo\n", "size": 8, "encoding": "utf-8", "truncated": False}
    listed = site.run(type="list_directory", path="notes")["result"]
    assert [(entry["name"], entry["type"], entry["size"]) for entry in listed["entries"]] == [("a.txt", "file", 8)]
    assert abs(listed["entries"][0]["modified"] - time.time() * 1000) < 60_000
    found = site.run(type="code_search", query="tw", path="notes")["result"]
    assert found == {"matches": [{"path": f"{site.root}/notes/a.txt", "line": 2, "text": "two"}], "truncated": False}
    found = site.run(type="code_search", query="^t.o$", regex=True, workingDir="notes", glob="*.txt")["result"]
    assert found["matches"] == [{"path": "a.txt", "line": 2, "text": "two"}]
    assert site.run(type="code_search", query="absent")["result"]["matches"] == []
    binary = site.run(type="write_file", path="b", content="/w==", encoding="base64")
    assert binary["result"]["bytesWritten"] == 1 and (site.root / "b").read_bytes() == b"\xff"


def test_rejected_requests_give_a_reason(site):
    def error(**order):
        ended = site.run(**order)
        assert ended["status"] == "failed", ended
        return ended["error"]

    assert error(type="read_file", path="absent") == f"'absent' does not exist in {site.root}"
    assert "is outside all roots" in error(type="read_file", path="/etc/passwd")
    assert "is not the path of a file" in error(type="write_file", path="a/..", content="x")
    assert "'absent' does not exist" in error(type="execute_bash", command="true", workingDir="absent")
    assert "NUL byte" in error(type="execute_bash", command="a\0b")
    assert error(type="execute_bash", command="sleep 60", timeoutMs=500) == "timed out after 0.5 s"


def test_programs_of_a_command_are_found_and_their_exit_codes_returned(site):
    assert site.bash("nonexistent-program")["result"]["exitCode"] == 127
    assert site.bash("kill -9 $$")["result"]["exitCode"] == 137
    assert site.bash("cat")["result"]["exitCode"] == 0, "standard input is empty"


def test_flags_define_a_policy_of_the_listed_types_and_roots(make_site, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for root in (first, second):
        root.mkdir()
        (root / "here").write_text(root.name)
    site = make_site(["--root", str(first), "--root", str(second), "--allow", "read_file,list_directory"])
    assert site.run(type="read_file", path=f"{second}/here")["result"]["content"] == "second"
    assert site.run(type="read_file", path="here")["result"]["content"] == "first"
    for order in ({"type": "execute_bash", "command": "true"}, {"type": "write_file", "path": "x", "content": ""},
                  {"type": "code_search", "query": "x"}):
        refused = site.run(**order)
        assert refused["error"] == f"refused by rule commands.{order['type']} (--allow): commands of type {order['type']} are off"


def test_a_held_command_waits_for_approval_and_then_runs(make_site):
    site = make_site(policy=ASKING_POLICY)
    made = site.submit(type="execute_bash", command="touch made")
    wait_until(lambda: "waits for approval" in site.runner.audit(), "the runner asks")
    assert site.status(made) == "pending" and not (site.root / "made").exists()
    listed = command(site, "list", "--status", "held")[1]
    assert made in listed and "touch made" in listed
    command(site, "approve", made)
    assert site.result(made)["result"]["exitCode"] == 0 and (site.root / "made").exists()
    denied = site.submit(type="write_file", path="x", content="x")
    wait_until(lambda: site.runner.audit().count("waits for approval") == 2, "the runner asks")
    command(site, "deny", denied, "--reason", "no files")
    assert site.result(denied)["error"] == "denied by phone: no files" and not (site.root / "x").exists()


def test_a_standing_approval_covers_its_pattern(make_site):
    site = make_site(policy=ASKING_POLICY)
    made = site.submit(type="execute_bash", command="touch one")
    wait_until(lambda: "waits for approval" in site.runner.audit(), "the runner asks")
    command(site, "approve", made, "--always")
    assert site.bash("touch two")["status"] == "completed" and (site.root / "two").exists()
    approval = json.loads(command(site, "approvals", "--json")[1])["approvals"][0]
    assert (approval["pattern"], approval["type"], approval["by"]) == ("touch *", "execute_bash", "phone")
    command(site, "forget", approval["id"])
    assert json.loads(command(site, "approvals", "--json")[1]) == {"approvals": []}


def test_a_refusal_names_the_rule_and_its_line(make_site):
    site = make_site(policy=ASKING_POLICY)
    assert site.bash("rm -rf x")["error"] == "refused by rule commands.execute_bash[0] (policy.yaml:6): 'rm -rf x' is denied"
    assert site.bash("ls")["error"] == "refused by rule commands.execute_bash (policy.yaml): no pattern allows 'ls'"
    assert "needs a shell" in site.bash("echo a; rm b")["error"]
    assert site.bash("echo '$(id)' \"a b\"")["result"]["stdout"] == "$(id) a b\n", "no shell reads it"
    assert '"event":"refused"' in site.runner.audit() and "policy.yaml:6" in site.runner.audit()


def test_sighup_reloads_the_policy_and_an_invalid_one_is_ignored(make_site):
    site = make_site(policy=ASKING_POLICY)
    policy = site.directory / "policy.yaml"
    good = policy.read_text()
    policy.write_text(good + "surprise: 1\n")
    site.runner.process.send_signal(1)
    wait_until(lambda: "kept the old policy" in site.runner.log_text(), "the reload")
    assert site.bash("echo x")["status"] == "completed"
    policy.write_text(good.replace("- allow: echo *", "- allow: true"))
    site.runner.process.send_signal(1)
    wait_until(lambda: '"outcome":"ok"' in site.runner.log_text(), "the reload")
    assert site.bash("true")["status"] == "completed" and site.bash("echo x")["status"] == "failed"


# Goes on when somebody has seen what it has written.
SLOWLY = "for i in 1 2 3; do echo line $i; until [ -e seen$i ]; do sleep 0.02; done; done; printf last"


def test_live_output_arrives_while_the_command_runs(site):
    made = site.submit(type="execute_bash", command=SLOWLY)
    stream = Client(site.hub.url, site.ide.key).get(f"/command/{made}/output", stream=True)
    seen, number = "", 0
    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith("data: ") and '"data"' in line:
            seen += json.loads(line[6:])["data"]
            while number < 3 and seen.endswith(f"line {number + 1}\n"):
                number += 1
                assert site.status(made) == "processing"
                (site.root / f"seen{number}").touch()
    assert seen == "line 1\nline 2\nline 3\nlast"


def test_command_run_streams_and_returns_the_exit_code(site):
    code, out, err = command(site, "run", "echo to out; echo to err >&2; exit 7", check=False)
    assert (code, out, err) == (7, "to out\n", "to err\n")
    assert command(site, "run", "sleep 0.4; echo slow; sleep 0.4; printf end")[1] == "slow\nend"
    code, _, err = command(site, "run", "--timeout", "1", "sleep 60", check=False)
    assert code == 124 and "timed out after 1 s" in err
    code, out, _ = command(site, "run", "--json", "echo x; exit 2", check=False)
    assert code == 2 and json.loads(out)["result"]["stdout"] == "x\n"
    detached = json.loads(command(site, "run", "--detach", "--json", "true")[1])["commandId"]
    assert site.result(detached)["status"] == "completed"
    shown = json.loads(command(site, "show", detached, "--json")[1])
    assert shown["status"] == "completed"


def without_runner(hub):
    """An IDE of a hub that no runner is connected to."""
    return SimpleNamespace(hub=hub, ide=hub.client(label="ide", scopes=IDE_SCOPES))


def test_command_run_says_that_no_runner_is_connected_and_gives_up_in_time(hub):
    there = without_runner(hub)
    began = time.monotonic()
    code, out, err = command(there, "run", "--timeout", "2", "true", check=False)
    assert code == 124 and out == "", err
    assert err.startswith("syncline: no runner is connected") and ("did not start within 2 s" in err or "expired" in err)
    assert time.monotonic() - began < 20
    code, out, _ = command(there, "run", "--json", "--timeout", "1", "true", check=False)
    assert code == 124 and json.loads(out)["status"] == "failed"
    assert [left["status"] for left in there.ide.get("/command").json()["commands"]] == ["failed", "failed"]
    late = hub.client(label="late", scopes="commands:run")
    assert late.post("/command/claim").status_code == 204


@pytest.mark.parametrize("reported", ["256", "-1", "1.5", '"9"'])
def test_command_run_takes_no_impossible_exit_code_for_success(hub, reported):
    environment = {**os.environ, "SYNCLINE_HUB": hub.url, "SYNCLINE_KEY": hub.client(label="ide", scopes=IDE_SCOPES).key}
    process = subprocess.Popen([BINARY, "command", "run", "true"], stderr=subprocess.DEVNULL, env=environment)
    runner = hub.client(label="runner", scopes="commands:run")
    claimed = runner.post("/command/claim?wait=20").json()["commandId"]
    body = f'{{"status":"completed","result":{{"exitCode":{reported}}}}}'
    requests.patch(f"{hub.url}/command/{claimed}", data=body, timeout=20, headers={
        "Authorization": f"Bearer {runner.key}", "Content-Type": "application/json"}).raise_for_status()
    assert process.wait(timeout=30) == 1


def test_a_command_that_no_runner_takes_fails_after_the_hubs_time():
    hub = Hub(arguments=["--set", "commands.ttl_seconds=1"]).start()
    try:
        code, _, err = command(without_runner(hub), "run", "true", check=False)
        assert code == 124 and "expired: no runner took it within 1 s" in err
    finally:
        hub.stop()


def test_control_characters_of_remote_output_are_escaped_on_a_terminal(site):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "SYNCLINE_HUB": site.hub.url, "SYNCLINE_KEY": site.ide.key,
                   "NO_COLOR": "1"}
    process = subprocess.Popen([BINARY, "command", "run", "--dir", "x\x1b]0;title\x07", "true"], stdout=theirs, stderr=theirs,
                               env=environment)
    process.wait(timeout=60)
    line = "printf 'a\\033[31mb\\302\\2332Jc\\n'"
    subprocess.run([BINARY, "command", "run", line], stdout=theirs, stderr=theirs, timeout=60, env=environment)
    os.close(theirs)
    shown = b""
    while chunk := read_terminal(ours):
        shown += chunk
    assert b"\x1b" not in shown and b"\x07" not in shown and b"\xc2\x9b" not in shown
    assert b"a^[[31mb\\x9b2Jc" in shown and b"x^[]0;title^G" in shown


def read_terminal(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is closed
        return b""


def test_command_run_says_that_it_waits_for_approval(make_site):
    site = make_site(policy=ASKING_POLICY)
    environment = {**os.environ, "SYNCLINE_HUB": site.hub.url, "SYNCLINE_KEY": site.ide.key}
    process = subprocess.Popen([BINARY, "command", "run", "touch made"], stderr=subprocess.PIPE, text=True, env=environment)
    line = process.stderr.readline()
    assert "waiting for approval: syncline command approve cmd-" in line
    command(site, "approve", line.split()[-1])
    assert process.wait(timeout=30) == 0 and (site.root / "made").exists()
    process.stderr.close()


def test_an_interrupt_cancels_the_remote_command(site):
    environment = {**os.environ, "SYNCLINE_HUB": site.hub.url, "SYNCLINE_KEY": site.ide.key}
    process = subprocess.Popen([BINARY, "command", "run", "echo begun; sleep 60"], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE, env=environment)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(2)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "asked the hub to cancel" in err
    made = err.split()[-1]
    assert site.result(made)["error"] == "cancelled"


def test_the_command_line_explains_usage_errors(site):
    code, _, err = command(site, "show", "cmd-none", check=False)
    assert code == 3 and "cmd-none" in err
    code, _, err = command(site, "list", key="sl_wrong", check=False)
    assert code == 5 and "rejected this key" in err
    code, _, err = command(site, "list", "--hub", "http://127.0.0.1:1", check=False)
    assert code == 6 and "http://127.0.0.1:1" in err
    code, _, err = command(site, "approve", "x", "--json", check=False)
    assert code == 3 and json.loads(err)["code"] == "not_found"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    done = subprocess.run([BINARY, "command", "list"], capture_output=True, text=True, env=bare)
    assert done.returncode == 2 and "SYNCLINE_HUB" in done.stderr


@pytest.mark.parametrize("arguments,words", [
    ([], "no policy given"),
    (["--root", "/tmp"], "--allow"),
    (["--allow", "any"], "--root"),
    (["--root", "/", "--allow", "any"], "is the whole file system"),
    (["--root", "/nowhere", "--allow", "any"], "cannot be used"),
    (["--root", "DATA/..", "--allow", "any"], "could reach"),
    (["--root", "ROOT", "--allow", "all"], "unknown command type"),
    (["--policy", "/nowhere.yaml"], "cannot read the policy file"),
    (["--policy", "ROOT/p.yaml"], "could reach"),
])
def test_a_runner_with_an_unsafe_configuration_does_not_start(tmp_path, arguments, words):
    root = tmp_path / "root"
    root.mkdir()
    (root / "p.yaml").write_text(f"version: 1\nroots: [{{path: {root}}}]\ncommands: {{read_file: allow}}\n")
    filled = [word.replace("ROOT", str(root)).replace("DATA", str(tmp_path / "data")) for word in arguments]
    done = subprocess.run([BINARY, "runner", "--hub", "http://127.0.0.1:1", "--key", "k", "--data", str(tmp_path / "data"),
                           *filled], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 or done.returncode == 3, done.stderr
    assert words in done.stderr


def test_without_a_sandbox_the_runner_refuses_to_start(tmp_path):
    """Here bubblewrap may make no namespace, as on a machine where they are off."""
    (tmp_path / "root").mkdir()
    arguments = [BINARY, "runner", "--hub", "http://127.0.0.1:1", "--key", "k", "--data", str(tmp_path / "data"), "--root",
                 str(tmp_path / "root"), "--allow", "any"]
    inner = " ".join(f"'{word}'" for word in arguments)
    nested = ["bwrap", "--unshare-user", "--disable-userns", "--bind", "/", "/", "--dev", "/dev", "bash", "-c", inner]
    done = subprocess.run(nested, capture_output=True, text=True, timeout=60)
    assert done.returncode == 6, done.stderr
    assert "cannot create the sandbox" in done.stderr and "--no-sandbox" in done.stderr


def test_a_wrong_key_stops_the_runner_with_its_own_exit_code(hub, tmp_path):
    runner = Runner(hub.url, "sl_k9_wrong", tmp_path).start(is_accepted=False)
    assert runner.process.stdout.read() == "", "it was never ready"
    assert runner.wait() == 5
    submitter = hub.add_key(label="ide", scopes=IDE_SCOPES)["key"]
    runner = Runner(hub.url, submitter, tmp_path).start(is_accepted=False)
    assert runner.wait() == 5, "the key may not run commands"


def test_the_runner_reconnects_after_a_hub_outage(make_site):
    site = make_site()
    site.hub.kill()
    wait_until(lambda: "hub_away" in site.runner.log_text(), "the runner notices")
    site.hub.start()
    assert site.bash("echo back")["result"]["stdout"] == "back\n"


def test_the_published_api_suffices_with_our_hub(hub, tmp_path):
    ide = hub.client(label="ide")
    key = hub.add_key(label="agent", scopes="read,commands:run")["key"]
    runner = Runner(hub.url, key, tmp_path)
    runner.arguments += ["--published-api", "--poll", "1"]
    runner.start()
    made = ide.post("/command", {"type": "execute_bash", "command": "echo polled"}).json()["commandId"]
    assert wait_for_end(ide, made)["result"]["stdout"] == "polled\n"
    long = ide.post("/command", {"type": "execute_bash", "command": "sleep 60"}).json()["commandId"]
    wait_until(lambda: ide.get(f"/command/{long}").json()["status"] == "processing", "it runs")
    ide.call("DELETE", f"/command/{long}")
    assert wait_for_end(ide, long)["error"] == "cancelled"
    assert runner.stop() == 0


def test_the_runner_works_with_a_hub_of_the_published_api(tmp_path):
    commands = {"cmd-1": {"type": "execute_bash", "command": "echo hello", "status": "pending", "createdAt": 1}}

    def answer(method, path, body):
        if path == "/sync":
            return 200, json.dumps({"conversations": {}, "documents": {}, "commands": commands, "lastUpdate": 1})
        if path.startswith("/command/cmd-") and "?" not in path and not path.endswith("/output"):
            made = commands[path.rsplit("/", 1)[1]]
            if method == "PATCH":
                made.update(json.loads(body))
            return 200, json.dumps(made)
        return 404, '{"error": "Not found"}'

    hub = ScriptedHub(answer)
    runner = Runner(hub.url, "any-token", tmp_path).start(is_accepted=False)
    assert runner.wait() == 2, "it says that --published-api is needed"
    assert "--published-api" in runner.log_text()
    runner.arguments += ["--published-api", "--poll", "1"]
    runner.start()
    wait_until(lambda: commands["cmd-1"]["status"] == "completed", "the command is done")
    assert commands["cmd-1"]["result"] == {"stdout": "hello\n", "stderr": "", "exitCode": 0}
    assert runner.stop() == 0
    hub.close()


def test_aws_operations_run_the_tool_against_the_policy_s_endpoint(make_site):
    seen = []

    def answer(method, path, body):
        seen.append((method, path))
        return 200, "<ListAllMyBucketsResult><Buckets><Bucket><Name>mine</Name></Bucket></Buckets></ListAllMyBucketsResult>"

    store = ScriptedHub(answer)
    site = make_site(policy=f"""
version: 1
roots: [{{path: ROOT}}]
commands: {{aws_operation: [{{allow: s3api list-*}}]}}
network: [aws_operation]
environment: {{set: {{AWS_ACCESS_KEY_ID: a, AWS_SECRET_ACCESS_KEY: b, AWS_EC2_METADATA_DISABLED: "true"}}}}
aws: {{endpoint: "{store.url}", region: eu-central-1}}
""")
    ended = site.run(type="aws_operation", service="s3api", operation="list-buckets", parameters={}, timeoutMs=60_000)
    assert ended["status"] == "completed" and ended["result"]["exitCode"] == 0, ended
    assert ended["result"]["output"]["Buckets"] == [{"Name": "mine"}] and seen
    refused = site.run(type="aws_operation", service="s3api", operation="delete-bucket", parameters={"bucket": "mine"})
    assert "no pattern allows 's3api delete-bucket'" in refused["error"] and len(seen) == 1
    store.close()


def test_the_audit_log_records_who_submitted_what_and_verifies(make_site):
    site = make_site()
    site.bash("echo private > x; exit 4")
    site.run(type="read_file", path="/etc/passwd")
    lines = [json.loads(line) for line in site.runner.audit().splitlines()]
    started, ended = lines[0], lines[1]
    assert (started["event"], started["by"].split()[1], started["subject"]) == ("started", "(ide)", "echo private > x; exit 4")
    assert (ended["event"], ended["exitCode"], ended["rule"]) == ("ended", 4, "--allow execute_bash")
    data = str(site.runner.data)
    assert json.loads(cli("runner", "audit", "verify", "--json", "--data", data)[1])["lines"] == len(lines)
    log = site.runner.data / "audit.log"
    log.write_text(log.read_text().replace("exit 4", "exit 0", 1))
    code, _, err = cli("runner", "audit", "verify", "--data", data, check=False)
    assert code == 18 and "line 2 does not match" in err


def test_explain_prints_the_decision_of_a_policy(tmp_path):
    policy = tmp_path / "p.yaml"
    policy.write_text(ASKING_POLICY.replace("ROOT", "/srv"))

    def verdict(line):
        return json.loads(cli("runner", "explain", "--policy", str(policy), "--json", line)[1])["verdict"]

    assert [verdict(line) for line in ("echo hi", "touch x", "rm x", "ls", "echo; ls")] == ["allow", "ask", "deny", "deny", "deny"]


def test_two_runners_do_not_share_a_data_directory(make_site):
    site = make_site()
    again = subprocess.run([BINARY, "runner", "--hub", site.hub.url, "--key", "k", "--data", str(site.runner.data),
                            *site.runner.arguments], capture_output=True, text=True, timeout=30)
    assert again.returncode == 15 and "in use" in again.stderr
    hubs = subprocess.run([BINARY, "runner", "--hub", site.hub.url, "--key", "k", "--data", str(site.hub.data),
                           *site.runner.arguments], capture_output=True, text=True, timeout=30)
    assert hubs.returncode == 10, hubs.stderr
