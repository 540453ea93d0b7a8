"""Exit codes: one table, the same in the sources and in the documents, and what commands end with."""
import json
import re
import signal
import socket
import subprocess

import pytest
from harness import BINARY, ROOT, cli, free_port, wait_until


def documented():
    section = (ROOT / "docs/operating.md").read_text().split("## Exit codes")[1].split("\n## ")[0]
    return {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}


def test_the_documents_list_the_codes_of_the_sources():
    source = (ROOT / "src/app/exit_codes.hpp").read_text()
    assert documented() == {int(code) for code in re.findall(r"kExit\w+ = (\d+);", source)}


@pytest.fixture(scope="module")
def key(shared_hub):
    return shared_hub.add_key()["key"]


CASES = [
    (0, "account list --data HUB"),
    (1, "doctor --data NONE"),
    (1, "backup LONG --data HUB"),
    (2, "account list --nonsense"),
    (2, "command list --hub URL"),
    (2, "export --hub not-a-url --key KEY"),
    (3, "account list --data NONE"),
    (3, "backup NONE/copy.db --data HUB"),
    (3, "restore NONE/copy.db --data NONE"),
    (3, "command show cmd-1 --hub URL --key KEY"),
    (3, "command list --hub URL --key-file NONE/key"),
    (3, "export no-such-space --hub URL --key KEY"),
    (3, "export -o NONE/all.ndjson --hub URL --key KEY"),
    (3, "import NONE/all.ndjson --hub URL --key KEY"),
    (3, "tail --data NONE"),
    (4, "account add ann@example.org --plan pro --data HUB"),
    (4, "tail kept --since 0000000000000000.7 --hub URL --key KEY"),
    (5, "command list --hub URL --key sl_k1_wrong"),
    (5, "command run true --hub URL --key READER"),
    (5, "login URL --key READER --data NONE"),
    (5, "login URL --key WRITER --data NONE"),
    (6, "command list --hub NOWHERE --key KEY"),
    (6, "export --hub NOWHERE --key KEY"),
    (6, "login NOWHERE --key KEY --data NONE"),
    (6, "tail kept --hub NOWHERE --key KEY"),
    (10, "hub --listen 127.0.0.1:0 --data FOREIGN"),
]


@pytest.mark.parametrize("code, line", CASES, ids=[line for _, line in CASES])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_command_ends_with_the_code_of_its_outcome(shared_hub, key, tmp_path, code, line, form):
    shared_hub.client().push("kept", [{"collection": "c", "id": "1", "doc": {}}])
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/letter.txt").write_text("dear")
    words = {"HUB": str(shared_hub.data), "NONE": str(tmp_path / "none"), "FOREIGN": str(tmp_path / "foreign"), "LONG": str(tmp_path / ("x" * 300)),
             "URL": shared_hub.url, "NOWHERE": f"http://127.0.0.1:{free_port()}", "KEY": key}
    for name, scopes in (("READER", "read"), ("WRITER", "write")):
        if name in line:
            words[name] = shared_hub.add_key(scopes=scopes, label=name)["key"]
    arguments = [re.sub("|".join(words), lambda found: words[found[0]], word) for word in line.split()]
    ended, out, error = cli(*arguments, *(["--json"] if form == "json" else []), check=False)
    assert ended == code, (ended, out, error)
    if form == "text":
        assert code == 0 or error.startswith("syncline: ") or out, error
    elif code != 0:
        problem = json.loads(error)
        assert problem["exit_code"] == code and problem["detail"] and problem["title"]
        assert problem["type"] == "/problems/" + problem["code"]


def test_a_server_that_does_not_answer_is_unreachable(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code, _, error = cli("login", url, "--key", "sl_k1_x", data=tmp_path / "device", check=False)
        assert code == 6 and "no answer in time" in error, (code, error)


def test_an_interrupted_export_ends_with_130(shared_hub, key, tmp_path):
    client = shared_hub.client()
    for start in range(0, 80_000, 5000):
        client.push("many", [{"collection": "c", "id": str(start + number), "doc": {"text": "x" * 400}}
                             for number in range(5000)])
    file = tmp_path / "all.ndjson"
    with subprocess.Popen([BINARY, "export", "many", "-o", str(file), "--hub", shared_hub.url, "--key", key],
                          stderr=subprocess.PIPE, text=True) as process:
        while not file.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "run the same command again to resume" in error, (process.returncode, error)


def test_an_interrupted_import_ends_with_130(shared_hub, key):
    with subprocess.Popen([BINARY, "import", "-", "--space", "some", "--hub", shared_hub.url, "--key", key],
                          stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        def catches_interrupts():
            with open(f"/proc/{process.pid}/status") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
            return int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1

        def has_ended_with_one_line_more():
            try:
                process.stdin.write(b'{"collection":"c","id":"1","doc":{}}\n')
                process.stdin.flush()
            except BrokenPipeError:
                pass
            return process.poll() is not None

        wait_until(catches_interrupts, "the import is ready for a signal")
        process.send_signal(signal.SIGINT)
        wait_until(has_ended_with_one_line_more, "the import ends")
        error = process.stderr.read().decode()
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
    assert process.returncode == 130 and "interrupted" in error, (process.returncode, error)
