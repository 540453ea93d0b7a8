"""Completion in the real shells, which run interactively on a terminal of their own and get the Tab key."""
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from harness import BINARY, DEADLINE_S, cli

PROMPT = "READY>"
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x1b\][^\x07]*\x07|[\x07\x0f]")


class Shell:
    """A shell in a directory where `syncline` is a command."""

    def __init__(self, words, directory, setup):
        environment = {"PATH": f"{directory / 'bin'}:/usr/bin:/bin", "HOME": str(directory), "TERM": "dumb",
                       "LC_ALL": "C.UTF-8", "PS1": PROMPT, "COLUMNS": "200"}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execve(words[0], words, environment)
        self.seen = b""
        for line in setup:
            self.send(line + "\n")
        # The typed line shows the two words apart, so only its output is matched.
        self.send("echo set''up\n")
        self.wait_for(rb"(?m)^setup")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern):
        """Returns the match in what the shell has written, and forgets that up to its end."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            text = ESCAPES.sub(b"", self.seen).replace(b"\r", b"\n")
            if found := re.search(pattern, text):
                self.seen = text[found.end():]
                return found
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.terminal], [], [], left)[0], f"no {pattern!r} in {text!r}"
            self.seen += os.read(self.terminal, 65536)

    def complete(self, line):
        """The words of the line after Tab: the shell prints them when the line begins with printf."""
        self.send(line + "\t")
        # Ctrl-A and Ctrl-E: to the beginning and to the end of the line.
        self.send("\x01printf '<%s>' START \x05 END\n")
        return self.wait_for(rb"<START>(.*?)<END>")[1].decode()

    def stop(self):
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, tmp_path):
    directory = tmp_path / "home"
    (directory / "bin").mkdir(parents=True)
    (directory / "bin/syncline").symlink_to(BINARY)
    (directory / "settings.yaml").write_text("")
    (directory / "folder").mkdir()
    script = directory / "_syncline"
    script.write_text(cli("completions", request.param)[1])
    if request.param == "bash":
        words = ["/usr/bin/bash", "--norc", "--noprofile", "-i"]
        setup = [f"PS1='{PROMPT}'", "bind 'set bell-style none'", f". {script}"]
    else:
        words = ["/usr/bin/zsh", "-f", "-i"]
        setup = [f"PS1='{PROMPT}'", "unsetopt prompt_sp auto_remove_slash auto_param_slash", "unset zle_bracketed_paste", "bindkey -e", f"fpath=({directory} $fpath)",
                 "autoload -U compinit && compinit -u -D"]
    running = Shell(words, directory, setup)
    yield running
    running.stop()


@pytest.mark.parametrize("line, completed", [
    ("syncline acc", "<syncline><account>"),
    ("syncline account inv", "<syncline><account><invite>"),
    ("syncline help account rem", "<syncline><help><account><remove>"),
    ("syncline key add --lab", "<syncline><key><add><--label>"),
    ("syncline command list --status he", "<syncline><command><list><--status><held>"),
    ("syncline command list --status=he", "<syncline><command><list><--status=held>"),
    ("syncline completions zs", "<syncline><completions><zsh>"),
    ("syncline key add --label 'my laptop' --scopes read,commands:su",
     "<syncline><key><add><--label><my laptop><--scopes><read,commands:submit>"),
    ("syncline hub --config sett", "<syncline><hub><--config><settings.yaml>"),
    ("syncline hub --config=sett", "<syncline><hub><--config=settings.yaml>"),
    ("syncline hub --data fol", "<syncline><hub><--data><folder/>"),
    ("syncline hub --set cors.or", "<syncline><hub><--set><cors.origins=>"),
    ("syncline nothing-of-that-name", "<syncline><nothing-of-that-name>"),
])
def test_tab_completes(shell, line, completed):
    assert shell.complete(line) == completed


def fish(directory, line):
    """What fish offers for a line, with its descriptions."""
    done = subprocess.run(["fish", "--no-config", "-c", f"source syncline.fish; complete -C {line!r}"], cwd=directory,
                          capture_output=True, text=True, timeout=DEADLINE_S,
                          env={"PATH": f"{directory / 'bin'}:/usr/bin:/bin", "HOME": str(directory), "TERM": "dumb"})
    assert done.returncode == 0, done.stderr
    return dict(line.partition("\t")[::2] for line in done.stdout.splitlines())


def test_fish_completes(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/syncline").symlink_to(BINARY)
    (tmp_path / "settings.yaml").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "syncline.fish").write_text(cli("completions", "fish")[1])
    assert fish(tmp_path, "syncline acc") == {"account": "Manage accounts"}
    assert set(fish(tmp_path, "syncline sync ")) == {"status", "push", "pull", "full", "conflicts", "deadletters"}
    assert set(fish(tmp_path, "syncline key add --lab")) == {"--label"}
    assert set(fish(tmp_path, "syncline command list --status ")) == {"held", "pending", "processing", "completed",
                                                                       "failed"}
    assert set(fish(tmp_path, "syncline command list --status=he")) == {"--status=held"}
    assert set(fish(tmp_path, "syncline hub --config sett")) == {"settings.yaml"}
    assert set(fish(tmp_path, "syncline hub --config=sett")) == {"--config=settings.yaml"}
    assert set(fish(tmp_path, "syncline hub --data fol")) == {"folder/"}


def test_each_shell_completes_every_command_that_help_lists(tmp_path):
    """The scripts ask the program, so this holds for all three."""
    listed = re.findall(r"^  ([a-z]+) ", cli("help")[1].partition("Usage:")[2].partition("\nOptions:")[0], re.MULTILINE)
    offered = [line.partition("\t")[0] for line in cli("__complete", "")[1].splitlines()]
    assert offered == [name for name in listed if name != "syncline"] and len(offered) > 25
