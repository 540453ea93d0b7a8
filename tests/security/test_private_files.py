"""Another user of the machine looks for what it may read."""
import json
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from harness import BINARY, Hub, cli, cli_json
from node_harness import Node

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


@pytest.fixture(autouse=True)
def generous_umask():
    """As careless as a shell can be."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(*places):
    """Files and directories at or below the places that a group or everybody has a right on."""
    found = []
    for place in places:
        paths = [Path(place), *Path(place).rglob("*")]
        assert len(paths) > 1 or paths[0].is_file(), f"nothing at {place}"
        found += [f"{path} {stat.filemode(path.lstat().st_mode)}" for path in paths
                  if not path.is_symlink() and path.lstat().st_mode & 0o077]
    return found


def test_what_a_hub_and_its_commands_write_is_private(hub, tmp_path):
    client = hub.client()
    client.push("notes", [{"collection": "n", "id": "1", "doc": {"secret": True}}])
    cli("backup", str(tmp_path / "backup.db"), data=hub.data)
    (tmp_path / "loose.db").write_bytes((tmp_path / "backup.db").read_bytes())
    assert (tmp_path / "loose.db").stat().st_mode & 0o077
    cli("restore", str(tmp_path / "loose.db"), data=tmp_path / "restored")
    cli("export", "--hub", hub.url, "--key", client.key, "-o", str(tmp_path / "export.ndjson"))
    assert (hub.data / "control").exists()
    assert open_to_others(hub.data, tmp_path / "backup.db", tmp_path / "restored", tmp_path / "export.ndjson") == []


def test_what_a_node_writes_is_private(hub):
    node = Node().start()
    try:
        node.connect(hub.url, hub.add_key()["key"])
        assert node.api.post("/profiles", {"name": "work"}).status_code < 300
        assert node.api.delete("/profiles/work").status_code < 300
        assert open_to_others(node.data) == []
    finally:
        node.stop()


def test_a_runners_records_are_private_and_what_commands_make_is_not_its_business(make_site):
    os.umask(0o022)
    site = make_site()
    assert site.bash("umask; echo x > made; mkdir folder")["result"]["stdout"].strip() == "0022"
    assert site.run(type="write_file", path="new/written", content="x")["status"] == "completed"
    modes = {name: stat.S_IMODE((site.root / name).stat().st_mode) for name in ("made", "folder", "new", "new/written")}
    assert modes == {"made": 0o644, "folder": 0o755, "new": 0o755, "new/written": 0o644}
    assert open_to_others(site.runner.data) == []


def test_files_that_others_could_read_are_taken_from_them_at_start_and_said_once():
    hub = Hub().stay().start()
    hub.add_key()
    assert hub.stop() == 0
    (hub.data / "hub.yaml").write_text("log: {level: warning}\n")
    for name in ("syncline.db", "lock"):
        (hub.data / name).chmod(0o644)
    checks = {row["check"]: row for row in json.loads(cli("doctor", "--json", data=hub.data, check=False)[1])["checks"]}
    assert checks["files"]["state"] == "warning" and "chmod 600" in checks["files"]["detail"], checks
    for name in ("syncline.db", "lock"):
        (hub.data / name).chmod(0o644)
    for _ in range(2):
        hub.start()
        assert hub.stop() == 0
    said = [json.loads(line) for line in hub.log_text().splitlines() if "files_made_private" in line]
    assert [line["files"] for line in said] == [2], said
    assert open_to_others(hub.data) == [f"{hub.data}/hub.yaml -rw-rw-rw-"], "the settings are the operator's"


def test_a_nodes_settings_with_its_key_are_taken_from_others_at_start():
    node = Node().start()
    assert node.stop() == 0
    settings = node.profile / "settings.yaml"
    settings.write_text("cloud_sync: {enabled: false, api_key: secret}\n")
    settings.chmod(0o644)
    node.profile.chmod(0o755)
    node.start()
    try:
        assert open_to_others(node.data) == []
    finally:
        node.stop()


def test_a_directory_that_cannot_be_made_private_is_an_error():
    if os.geteuid() != 0:
        pytest.skip("this test becomes another user")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        if subprocess.run([*NOBODY, BINARY, "--version"], capture_output=True, check=False).returncode != 0:
            pytest.skip("nobody cannot reach the binary here")
        done = subprocess.run([*NOBODY, BINARY, "account", "add", "a@example.org", "--plan", "pro", "--data", directory],
                              capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "other users have rights on" in done.stderr, done
        assert not (Path(directory) / "syncline.db").exists()


def test_doctor_warns_of_a_key_that_everybody_can_read(tmp_path):
    data = tmp_path / "data"
    cli("account", "add", "a@example.org", "--plan", "pro", data=data)
    key = tmp_path / "tls.key"
    key.write_text("key")
    for mode, state in ((0o644, "warning"), (0o640, "ok")):
        key.chmod(mode)
        (data / "hub.yaml").write_text(f"tls: {{certificate: {key}, key: {key}}}\n")
        checks = {row["check"]: row["state"] for row in cli_json("doctor", data=data)["checks"]}
        assert checks["tls key"] == state and checks["files"] == "ok", checks
