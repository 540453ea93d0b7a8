"""A hub that is not what the runner takes it for."""
import json
from pathlib import Path

import pytest
from harness import SLOW, cli, wait_until
from hostile_server import HostileServer, endless
from runner_harness import Runner, ScriptedHub

ROUTES = {"claims": [], "published": ["--published-api", "--poll", "1"]}


@pytest.mark.parametrize("routes", ROUTES)
def test_a_redirection_does_not_end_a_runner(tmp_path, routes):
    body = json.dumps({"type": "/problems/moved", "code": "moved", "status": 302, "error": "moved"})
    hub = ScriptedHub(lambda method, path, sent: (302, body))
    (tmp_path / "root").mkdir()
    runner = Runner(hub.url, "key", tmp_path, ["--root", str(tmp_path / "root"), "--allow", "any", *ROUTES[routes]]).start(is_accepted=False)
    wait_until(lambda: len(hub.requests) >= 3 or runner.process.poll() is not None, "the runner tries again")
    assert runner.process.poll() is None, runner.log_text()
    assert runner.stop() == 0
    hub.close()


@pytest.mark.alone
@pytest.mark.parametrize("routes", ROUTES)
def test_a_runner_reads_no_more_of_an_answer_than_a_command_can_have(tmp_path, routes):
    hub = HostileServer(lambda method, path: endless(b'{"commandId": "', b"x"))
    (tmp_path / "root").mkdir()
    runner = Runner(hub.url, "key", tmp_path, ["--root", str(tmp_path / "root"), "--allow", "any", "--concurrency", "1",
                                               *ROUTES[routes]]).start(is_accepted=False)
    wait_until(lambda: "hub_away" in runner.log_text() or runner.process.poll() is not None, "the runner gives up", 120)
    assert "the answer is larger than" in runner.log_text()
    if not SLOW:
        status = Path(f"/proc/{runner.process.pid}/status").read_text().splitlines()
        peak_mib = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) >> 10
        assert peak_mib < {"claims": 80, "published": 200}[routes], peak_mib
    assert runner.stop() == 0
    hub.close()


def test_an_audit_log_that_was_cut_with_its_head_is_noticed(make_site):
    site = make_site()
    for number in range(3):
        assert site.bash(f"echo {number}")["status"] == "completed"
    assert site.runner.stop() == 0
    log = site.runner.data / "audit.log"
    whole = log.read_text().splitlines(keepends=True)
    log.write_text("".join(whole[:3]))
    (site.runner.data / "audit.log.head").unlink()
    code, _, error = cli("runner", "audit", "verify", data=site.runner.data, check=False)
    assert code != 0 and f"{len(whole)} were written, 3 remain" in error, error
    log.unlink()
    code, _, error = cli("runner", "audit", "verify", data=site.runner.data, check=False)
    assert code != 0 and f"{len(whole)} were written, 0 remain" in error, error


def test_a_policy_that_can_be_walked_round_does_not_load(hub, tmp_path):
    (tmp_path / "root").mkdir()
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"version: 1\nroots: [{{path: {tmp_path / 'root'}}}]\ncommands:\n  execute_bash:\n"
                      "    - deny: git push --force *\n    - allow: any\n")
    code, _, error = cli("runner", "--hub", hub.url, "--key", "key", "--policy", str(policy), data=tmp_path / "data",
                         check=False)
    assert code == 2 and "policy.yaml:6: 'allow: any' would let everything run" in error, error


def test_a_person_sees_what_an_approval_covers(make_site):
    site = make_site(policy="""
version: 1
roots: [{path: ROOT, write: true}]
commands: {execute_bash: [{ask: touch *}]}
""")
    made = site.submit(type="execute_bash", command="touch x")
    access = ["--hub", site.hub.url, "--key", site.approver.key]
    wait_until(lambda: "waits for approval" in site.runner.audit(), "the runner asks")
    assert "touch *" in cli("command", "list", "--status", "held", *access)[1]
    said = cli("command", "approve", made, "--always", *access)[2]
    assert "'touch *'" in said and "every later execute_bash command" in said, said
    assert site.result(made)["status"] == "completed"
