"""The command line on a terminal: lists fit its width, colours can be switched off, times are those of the device."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest
from harness import BINARY, Hub, cli, cli_json


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    data = tmp_path_factory.mktemp("terminal") / "data"
    cli("account", "add", "a.rather.long.address@department.example.org", "--plan", "pro", data=data)
    for number in range(3):
        cli("key", "add", "--account", "a.rather.long.address@department.example.org", "--label",
            f"the key of machine number {number}", "--scopes", "read,write,keys", data=data)
    return data


def on_terminal(*arguments, columns, data, **environment):
    """What a person sees on a terminal of that width; 0: one that does not say."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen([BINARY, *arguments, "--data", str(data)], stdout=far, stderr=far,
                               env=plain | {"TERM": "xterm", "TZ": "Europe/Berlin"} | environment)
    os.close(far)
    shown = b""
    try:
        while piece := os.read(near, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(near)
    assert process.wait(timeout=60) == 0, shown
    return shown.decode().replace("\r\n", "\n")


def without_colours(text):
    return re.sub(r"\x1b\[\d*m", "", text)


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
@pytest.mark.parametrize("words", [("account", "list"), ("key", "list"), ("audit", "list"), ("doctor",)])
def test_lists_fit_the_width(data, words, columns):
    lines = without_colours(on_terminal(*words, columns=columns, data=data)).splitlines()
    assert len(lines) > 1 and max(map(len, lines[:3])) <= columns, lines


def test_columns_that_do_not_fit_are_counted(data):
    narrow = without_colours(on_terminal("key", "list", columns=60, data=data))
    found = re.search(r"\(\d more columns; --json has all\)\n$", narrow)
    assert found, narrow
    wide = without_colours(on_terminal("key", "list", columns=300, data=data))
    assert "more column" not in wide and "EXPIRES" in wide


def test_a_terminal_that_does_not_say_its_width_has_that_of_columns(data):
    narrow = without_colours(on_terminal("key", "list", columns=0, data=data, COLUMNS="60"))
    assert max(map(len, narrow.splitlines())) <= 60 and "more columns" in narrow
    assert "more columns" not in without_colours(on_terminal("key", "list", columns=0, data=data))


def test_a_pipe_gets_every_column_whatever_the_environment(data):
    done = subprocess.run([BINARY, "key", "list", "--data", str(data)], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"COLUMNS": "40"})
    assert "REVOKED" in done.stdout and "the key of machine number 2" in done.stdout


def test_colours_are_for_terminals_that_want_them(data):
    coloured = on_terminal("doctor", columns=120, data=data)
    assert "\x1b[1m" in coloured and "\x1b[32mok\x1b[0m" in coloured
    for environment, more in (({"NO_COLOR": "1"}, []), ({"TERM": "dumb"}, []), ({}, ["--no-color"])):
        plain = on_terminal("doctor", *more, columns=120, data=data, **environment)
        assert "\x1b" not in plain, environment
        assert re.search(r"^store +ok ", plain, re.MULTILINE), "the state is a word"
    assert "\x1b" not in cli("doctor", data=data, check=False)[1]


def test_times_are_local_with_the_zone_named_once_and_utc_in_json(data):
    key = cli_json("key", "list", data=data)["keys"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", key["created_at"])

    def listed(zone):
        done = subprocess.run([BINARY, "key", "list", "--data", str(data)], capture_output=True, text=True, timeout=60,
                              env=os.environ | {"TZ": zone})
        return done.stdout

    utc = key["created_at"].replace("T", " ")[:19]
    assert utc in listed("UTC") and "CREATED (UTC)" in listed("UTC")
    there = listed("Asia/Kolkata")
    assert there.count("(Asia/Kolkata)") == 1 and utc not in there, there
    minutes = [int(text[14:16]) for text in (utc, re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", there)[0])]
    assert (minutes[1] - minutes[0]) % 60 == 30


def test_config_show_and_doctor_tell_what_the_running_hub_has(tmp_path):
    hub = Hub(data=tmp_path / "data", arguments=["--set", "history.days=40"]).start()
    try:
        code, out, _ = cli("config", "show", data=hub.data)
        assert out.startswith("Settings of the running hub:\n") and re.search(r"^history\.days +40 ", out, re.MULTILINE)
        (hub.data / "hub.yaml").write_text("rate_limit: 9\nhistory: {days: 50}\n")
        out = cli("config", "show", "--origin", data=hub.data)[1]
        assert out.startswith("Settings of the running hub; a restart changes 1 of them:\n"), out
        assert re.search(r"^rate_limit +0 +9 +default ", out, re.MULTILINE), out
        shown = cli_json("config", "show", data=hub.data)
        rows = {row["key"]: (row["value"], row["after_restart"]) for row in shown["settings"]}
        assert shown["hub_is_running"] and rows["rate_limit"] == ("0", "9")
        assert rows["history.days"] == ("40", "40"), "the flag counts again after a restart"
        checks = {row["check"]: row for row in json.loads(cli("doctor", "--json", data=hub.data, check=False)[1])["checks"]}
        assert checks["hub"]["state"] == "warning" and "rate_limit" in checks["hub"]["detail"]
        assert "history.days" not in checks["hub"]["detail"]
    finally:
        assert hub.stop() == 0
    out = cli("config", "show", data=hub.data)[1]
    assert out.startswith(f"No hub runs on {hub.data}. One would start with these settings:\n"), out
    assert re.search(r"^rate_limit +9 ", out, re.MULTILINE)


def test_the_list_of_accounts_has_the_limits_without_a_hub(tmp_path):
    data = tmp_path / "data"
    cli("account", "add", "ann@example.org", "--plan", "free", data=data)
    assert cli_json("account", "list", data=data)["accounts"][0]["bytes_max"] == 100_000_000
    (data / "hub.yaml").write_text("quota:\n  bytes: free=1500\n")
    assert cli_json("account", "list", data=data)["accounts"][0]["bytes_max"] == 1500
    assert "1.5 kB" in cli("account", "list", data=data)[1]
    (data / "hub.yaml").write_text("quota:\n  bytes: free=much\n")
    assert cli("account", "list", data=data, check=False)[0] == 2
    assert cli("key", "list", data=data, check=False)[0] == 0, "other commands do without the settings"


def test_a_mistyped_data_directory_is_not_taken_for_the_right_one(tmp_path):
    data = tmp_path / "mistyped"
    code, _, error = cli("account", "add", "ann@example.org", "--plan", "pro", data=data)
    assert code == 0 and f"created a new store in {data}" in error and "check --data" in error
    assert cli("account", "add", "bob@example.org", "--plan", "pro", data=data)[2] == ""
    hub = Hub(data=tmp_path / "other").start()
    said = hub.process.stdout.readline()
    assert said.startswith(f"Created a new store in {hub.data}, without accounts; if you expected some, check --data. ")
    assert hub.stop() == 0
    assert not hub.start().process.stdout.readline().startswith("Created")
    assert hub.stop() == 0
    code, out, error = cli("export", data=tmp_path / "none", check=False)
    assert (code, out) == (3, "") and "no data of a node" in error and not (tmp_path / "none").exists()
