"""Commands that try to leave their root, to outlive their time, or to be something else than they are."""
import base64
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from harness import BINARY, SLOW, wait_until
from runner_harness import Runner, processes_with, wait_for_end

PROBE = Path(__file__).parent / "sandbox_probe.py"
FACTOR = 4 if SLOW else 1


def gone(marker, seconds=5):
    wait_until(lambda: not processes_with(marker), f"processes with {marker} are gone", seconds * FACTOR)


def test_nothing_escapes_the_sandbox(site):
    shutil.copy(PROBE, site.root / "probe.py")
    core_pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    ended = site.bash(f"python3 probe.py {site.root} {site.hub.port}", timeoutMs=120_000)
    assert ended["status"] == "completed", ended
    assert ended["result"]["stdout"].splitlines() == ["probed"], ended["result"]
    site.bash("echo '|/tmp/escape' > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger")
    assert Path("/proc/sys/kernel/core_pattern").read_text() == core_pattern


def test_commands_do_not_see_the_runners_environment_and_key(make_site):
    site = make_site(environment={"PRIVATE_THING": "sl_k1_private"})
    seen = site.bash("env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'")["result"]["stdout"]
    assert "sl_k" not in seen and "PRIVATE_THING" not in seen and "--key" not in seen
    arguments = Path(f"/proc/{site.runner.process.pid}/cmdline").read_text()
    assert "sl_k" not in arguments, "the list of processes shows the key"


def test_a_root_without_write_is_read_only_for_programs_and_for_write_file(make_site):
    site = make_site(policy="""
version: 1
roots: [{path: ROOT}]
commands: {execute_bash: any, write_file: allow, read_file: allow}
""")
    (site.root / "kept").write_text("kept")
    ended = site.bash("echo changed > kept; echo new > made; rm -f kept; ls")
    assert ended["result"]["stdout"] == "kept\n"
    refused = site.run(type="write_file", path="kept", content="changed")
    assert refused["status"] == "failed" and refused["error"].startswith("refused by rule roots[0] (policy.yaml:3)")
    assert (site.root / "kept").read_text() == "kept" and os.listdir(site.root) == ["kept"]


INJECTIONS = ["$(touch made)", "`touch made`", "; touch made", "| touch made", "&& touch made", "\n touch made", "' ; touch made '",
              "\" ; touch made \"", "--pre=/bin/touch", "--pre touch", "-f/etc/passwd", "--files", "--hostname-bin=touch",
              "-e", "--", "../*", "$IFS", "%n%n", "\\", "*", "--search-zip", "--follow", "--passthru", "-uuu", "{touch,made}"]


def test_fields_are_literal_arguments(site):
    (site.root / "words.txt").write_text("\n".join(INJECTIONS + ["plain"]) + "\n")
    for text in INJECTIONS:
        found = site.run(type="code_search", query=text, path="words.txt")
        one_line = text.strip("\n").splitlines()[0] if text.strip() else text
        assert found["status"] == "completed" or "\n" in text, (text, found)
        if "\n" not in text:
            assert any(one_line in match["text"] for match in found["result"]["matches"]), (text, found)
        for order in ({"type": "code_search", "query": "plain", "glob": text}, {"type": "read_file", "path": text},
                      {"type": "list_directory", "path": text}, {"type": "code_search", "query": "root", "path": text},
                      {"type": "execute_bash", "command": "true", "workingDir": text},
                      {"type": "aws_operation", "service": text, "operation": text, "parameters": {}},
                      {"type": "aws_operation", "service": "s3", "operation": "ls", "parameters": {text: "x"}}):
            ended = site.run(**order)
            assert "root:x:0" not in str(ended.get("result")), (order, ended)
    assert not (site.root / "made").exists()


def test_aws_parameters_cannot_be_options_of_the_tool(site):
    for name, value in (("endpoint-url", "http://127.0.0.1:1"), ("endpointUrl", "x"), ("endpoint-ur", "x"), ("profile", "x"),
                        ("verify-ssl", False), ("noVerifySsl", True), ("debug", True), ("-x", 1), ("--debug", True), ("", "x")):
        ended = site.run(type="aws_operation", service="s3api", operation="list-buckets", parameters={name: value})
        assert ended["status"] == "failed" and "option" in ended["error"], (name, ended)


@pytest.mark.alone
def test_ten_gigabytes_of_output_are_bounded(site):
    before = resident_kib(site.runner.process.pid)
    # One program that writes large pieces: what is looked at is the reader, not the pipes before it.
    (site.root / "flood.py").write_text("import os\n"
                                        "piece = b'0123456789012345678901234567890123456789\\n' * 1598\n"
                                        "for _ in range((10 << 30) // len(piece) + 1): os.write(1, piece)\n")
    ended = site.bash("echo first; python3 flood.py; echo; echo last", timeoutMs=300_000, deadline_s=330)
    output = ended["result"]["stdout"]
    assert ended["status"] == "completed" and ended["result"]["truncated"] is True, ended.get("error")
    assert output.startswith("first\n") and output.endswith("\nlast\n") and "bytes omitted" in output
    assert len(output) < 1_100_000
    if not SLOW:
        assert resident_kib(site.runner.process.pid) - before < 16 * 1024


def resident_kib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


@pytest.mark.alone
def test_a_fork_bomb_ends(site, forever):
    ended = site.bash(f":(){{ :|:& }};: ; sleep {forever}", timeoutMs=20_000)
    assert ended["status"] == "failed" or ended["result"]["exitCode"] != 0, ended
    gone(forever)
    assert site.bash("echo alive")["result"]["stdout"] == "alive\n"


def test_memory_is_bounded(site):
    hog = "python3 -c 'x = bytearray(3 << 30)'"
    ended = site.bash(hog)
    assert ended["status"] == "failed" or ended["result"]["exitCode"] != 0, ended
    many = "for i in 1 2 3 4 5 6; do python3 -c 'import time; x = bytearray(b\"x\") * (200 << 20); time.sleep(20)' & done; wait"
    ended = site.bash(many)
    assert ended["status"] == "failed" and "limits.memory_mib" in ended["error"], ended


STUBBORN = {
    "ignores SIGTERM": "trap '' TERM; sleep FOREVER & sleep FOREVER; sleep FOREVER; sleep FOREVER",
    "double fork": "(setsid bash -c 'setsid sleep FOREVER & disown; setsid sleep FOREVER' &) ; sleep FOREVER",
    "stops itself": "sleep FOREVER & kill -STOP $!; kill -STOP $$; sleep FOREVER",
    "closes its output": "exec >&- 2>&-; sleep FOREVER & sleep FOREVER",
    "daemon": "python3 -c 'import os,time,sys\nif os.fork(): time.sleep(60)\nos.setsid()\nif os.fork(): os._exit(0)\n"
              "import signal\n[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\n"
              "os.execvp(\"sleep\", [\"sleep\", \"FOREVER\"])'; sleep FOREVER",
}


@pytest.mark.parametrize("walls", ["sandbox", "no sandbox"])
@pytest.mark.parametrize("how", STUBBORN)
def test_all_processes_of_a_command_end_whatever_it_does(make_site, how, walls, forever):
    site = make_site()
    if walls == "no sandbox":
        site.runner.stop()
        site.runner.arguments += ["--no-sandbox"]
        site.runner.start()
    began = time.monotonic()
    ended = site.bash(STUBBORN[how].replace("FOREVER", forever), timeoutMs=1000)
    assert ended["status"] == "failed" and ended["error"] == "timed out after 1 s", ended
    assert time.monotonic() - began < 6 * FACTOR
    gone(forever, 2)


@pytest.mark.parametrize("walls", [[], ["--no-sandbox"]])
def test_background_processes_end_with_their_command(make_site, walls, forever):
    site = make_site()
    site.runner.stop()
    site.runner.arguments += walls
    site.runner.start()
    ended = site.bash(f"sleep {forever} & (setsid sleep {forever} &) ; echo done")
    assert ended["status"] == "completed" and ended["result"]["stdout"] == "done\n", ended
    gone(forever)


def test_without_a_sandbox_a_program_that_kills_its_supervisor_is_ended(make_site, forever):
    site = make_site()
    site.runner.stop()
    site.runner.arguments += ["--no-sandbox"]
    site.runner.start()
    ended = site.bash(f"(sleep {forever}; echo survived > survived) & kill -9 $PPID; sleep {forever}")
    assert ended["status"] == "failed" and "killed its supervisor" in ended["error"], ended
    gone(forever)
    assert site.bash("echo alive")["result"]["stdout"] == "alive\n"


def test_no_setuid_file_is_left_behind(site):
    made = "cp /bin/true su; chmod 4755 su; chmod u+s su; chmod 2755 su; install -m 4755 /bin/true su2; " \
           "python3 -c 'import os; os.close(os.open(\"su3\", os.O_CREAT | os.O_WRONLY, 0o4755))'; mkdir -m 2775 d"
    site.bash(made)
    kept = [path.name for path in site.root.iterdir() if path.lstat().st_mode & 0o6000]
    assert kept == [] and (site.root / "su").exists()


def test_a_read_only_path_is_visible_but_not_writable(make_site, tmp_path):
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "tool").write_text("tool")
    site = make_site(policy=f"""
version: 1
roots: [{{path: ROOT, write: true}}]
read_only_paths: [{shown}]
commands: {{execute_bash: any}}
""")
    ended = site.bash(f"cat {shown}/tool; echo x > {shown}/tool")
    assert ended["result"]["stdout"] == "tool" and "Read-only" in ended["result"]["stderr"]


@pytest.mark.alone
def test_a_non_root_runner_is_confined_and_the_kernel_limits_its_processes(hub):
    if os.geteuid() != 0:
        pytest.skip("this test becomes another user")
    directory = Path(tempfile.mkdtemp())
    os.chmod(directory, 0o755)
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*as_nobody, BINARY, "--version"], capture_output=True).returncode != 0:
        pytest.skip("nobody cannot reach the binary here")
    runner = Runner(hub.url, hub.add_key(label="agent", scopes="commands:run")["key"], directory)
    runner.data.mkdir(mode=0o700)
    for path in (runner.root, runner.data):
        os.chown(path, 65534, 65534)
    runner.before = as_nobody
    runner.start()
    shutil.copy(PROBE, runner.root / "probe.py")
    ide = hub.client(label="ide")

    def bash(line, **more):
        made = ide.post("/command", {"type": "execute_bash", "command": line, **more}).json()["commandId"]
        return wait_for_end(ide, made)["result"]

    assert bash(f"python3 probe.py {runner.root} {hub.port}", timeoutMs=60_000)["stdout"] == "probed\n"
    # It ends when the limit has been met, and until then needs no process of its own to see that.
    until = 'until [[ $seen == *unavailable* ]]; do read -rN 2000 seen < errors; done; echo "$seen" >&2'
    assert "Resource temporarily unavailable" in bash(":(){ :|:& };: 2> errors; " + until, timeoutMs=60_000)["stderr"]
    assert runner.stop() == 0
    shutil.rmtree(directory)


def test_output_that_is_not_text_comes_as_base64(site):
    ended = site.bash("printf '\\377\\000\\033[31m'; printf 'x' >&2")
    assert ended["result"]["encoding"] == "base64"
    assert base64.b64decode(ended["result"]["stdout"]) == b"\xff\0\x1b[31m"
    assert base64.b64decode(ended["result"]["stderr"]) == b"x"
    (site.root / "binary").write_bytes(b"\xff\0")
    read = site.run(type="read_file", path="binary")["result"]
    assert read == {"content": base64.b64encode(b"\xff\0").decode(), "size": 2, "encoding": "base64", "truncated": False}


def test_only_regular_files_are_read(site):
    for made in ("pipe", "folder"):
        shutil.rmtree(site.root / made, ignore_errors=True)
    os.mkfifo(site.root / "pipe")
    os.mkdir(site.root / "folder")
    for path in ("pipe", "folder"):
        ended = site.run(type="read_file", path=path)
        assert ended["status"] == "failed" and "not a regular file" in ended["error"]
    os.unlink(site.root / "pipe")
