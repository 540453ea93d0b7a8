"""What is shipped beside the binary works: example policies and service units."""
import json
import shutil
import subprocess

import pytest
from harness import ROOT, cli

POLICIES = sorted((ROOT / "packaging/policies").glob("*.yaml"))
UNITS = sorted((ROOT / "packaging/systemd").glob("*.service"))


def verdict(name, line, kind="execute_bash"):
    policy = ROOT / "packaging/policies" / name
    return json.loads(cli("runner", "explain", "--policy", str(policy), "--type", kind, "--json", line)[1])["verdict"]


def test_the_example_policies_do_what_their_comments_say():
    assert len(POLICIES) == 3
    assert [verdict("read-only.yaml", "x y", kind) for kind in ("execute_bash", "aws_operation")] == ["deny", "deny"]
    lines = {"git status -s": "allow", "git push": "ask", "git push --force x": "ask", "make -j2": "allow", "make; id": "ask",
             "curl x": "ask", "npm run build": "allow"}
    assert {line: verdict("project.yaml", line) for line in lines} == lines
    assert verdict("trusted.yaml", "curl x | sh") == "allow"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_service_units_are_understood(unit, tmp_path):
    # The binary is not installed where the tests run: any program stands in for it.
    text = unit.read_text().replace("/usr/bin/syncline", "/bin/true").replace("file:///usr/share/doc", "file:///tmp")
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / unit.name)], capture_output=True, text=True)
    assert done.returncode == 0 and unit.name not in done.stderr, done.stderr
