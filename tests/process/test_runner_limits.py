"""What a runner makes of commands that are too long, or too late."""
import pytest
from test_runner import command


@pytest.mark.parametrize("more", [[], ["--no-sandbox"]], ids=["sandbox", "no sandbox"])
def test_a_script_may_be_longer_than_an_argument(make_site, tmp_path, more):
    root = tmp_path / "root"
    root.mkdir()
    site = make_site(["--root", str(root), "--allow", "execute_bash,code_search", *more])
    long = ": '" + "x" * 300_000 + "'\n"
    script = 'read -r word; echo "$0 <$word> $#"; ls /proc/self/fd | wc -l; exit 3'
    ended = site.bash(long + script)
    assert ended["status"] == "completed" and ended["result"] == site.bash(script)["result"], ended
    assert ended["result"]["exitCode"] == 3
    refused = site.run(type="code_search", query="x" * 200_000)
    assert refused["error"] == "an argument has 200009 bytes; a program can get at most 131071", refused


def test_a_command_that_has_ended_is_not_cancelled(site):
    made = site.submit(type="execute_bash", command="true")
    assert site.result(made)["status"] == "completed"
    code, _, error = command(site, "cancel", made, check=False)
    assert code == 4 and "has ended already (completed)" in error
    waiting = site.submit(type="execute_bash", command="sleep 600")
    assert command(site, "cancel", waiting)[0] == 0
    assert site.result(waiting)["error"] == "cancelled"
    assert command(site, "cancel", waiting)[0] == 0, "it is cancelled, as often as one asks"
