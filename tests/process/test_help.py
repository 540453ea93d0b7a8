"""What the program says of itself: the overview, the help of every command, versions, and the names it suggests.

UPDATE_GOLDEN=1 python3 -m pytest tests/process/test_help.py
writes golden/help/ anew; read the difference as a user would before you commit it.
"""
import os
import re
import subprocess
from pathlib import Path

import pytest
from harness import BINARY, cli

FOLDER = Path(__file__).parent / "golden/help"
WIDTH = 80


@pytest.fixture
def kernle(tmp_path):
    """Runs the program by that name; returns (exit code, standard output, standard error)."""
    link = tmp_path / "kernle"
    link.symlink_to(BINARY)

    def run(*words):
        done = subprocess.run([link, *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return run


def commands_in(text):
    """The names in the lists of commands of a help text."""
    body = text.partition("\nUsage:\n")[2]
    lists = [part for part in body.split("\n\n")
             if not part.startswith(("Arguments:", "Options:", "Exit codes:")) and re.match(r"[A-Z][^\n]*:\n  \w", part)]
    return [name for part in lists for name in re.findall(r"^  ([a-z]\S*)", part, re.MULTILINE)]


def helps(run, words=()):
    """The help text of every command and group, with its words."""
    code, text, error = run(*words, "--help")
    assert (code, error) == (0, ""), words
    yield words, text
    for name in commands_in(text):
        yield from helps(run, (*words, name))


def run_cli(*words):
    return cli(*words, check=False)


def flat(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def texts():
    return dict(helps(run_cli))


def test_every_help_text_is_as_reviewed(texts, kernle):
    files = {"overview.txt": cli()[1], "kernle-overview.txt": kernle()[1]}
    files |= {"-".join(("syncline", *words)) + ".txt": text for words, text in texts.items()}
    files |= {"-".join(("kernle", *words)) + ".txt": text for words, text in helps(kernle)}
    if os.environ.get("UPDATE_GOLDEN"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for stale in FOLDER.iterdir():
            stale.unlink()
        for name, text in files.items():
            (FOLDER / name).write_text(text)
    assert {path.name for path in FOLDER.iterdir()} == set(files)
    assert [name for name, text in files.items() if text != (FOLDER / name).read_text()] == []


def test_every_help_text_is_complete(texts):
    assert {("hub",), ("account", "add"), ("conflict", "restore"), ("sync", "push"), ("command", "run"),
            ("runner", "audit", "verify")} <= set(texts)
    for words, text in texts.items():
        lines = text.splitlines()
        assert max(map(len, lines)) <= WIDTH, words
        assert not any(line != line.rstrip() for line in lines), words
        titles = re.findall(r"^(Examples?|Usage|Options|Exit codes):$", text, re.MULTILINE)
        is_group = "describes a command" in text
        expected = ["Examples", "Usage", "Options"] + ([] if is_group and "Exit codes" not in text else ["Exit codes"])
        assert [title.replace("Example", "Examples") if title == "Example" else title for title in titles] == expected, words
        command = " ".join(("syncline", *words))
        assert text.partition("\nUsage:\n")[2].startswith(f"  {command}"), words
        assert re.search(r"^  (syncline|source <\(syncline) ", text.partition("\nUsage:\n")[0], re.MULTILINE), words
        # Every value has a word of its own, and no word of the parser shows.
        assert not re.search(r"(?<!:)\b(TEXT|INT|UINT|FLOAT)\b| in \[|:\{|:POSITIVE|SUBCOMMAND", text), words


def test_options_say_their_values_ranges_and_defaults(texts):
    assert "seconds between polls, with --published-api; 1 to 3600 (default: 5)" in flat(texts[("runner",)])
    for words in (("account", "add"), ("account", "plan")):
        assert "plan of the account: free, companion, pro or team" in flat(texts[words])
    assert "; may be given several times" in flat(texts[("hub",)])


@pytest.mark.parametrize("words", [("help", "account", "add"), ("account", "help", "add"), ("account", "add", "-h"),
                                   ("-h", "account", "add"), ("help", "accounts", "add")])
def test_help_can_be_asked_for_anywhere(words, texts):
    assert run_cli(*words)[:2] == (0, texts[("account", "add")])


def test_help_lists_all_commands_of_the_program_and_of_a_group(texts):
    assert run_cli("help")[:2] == run_cli("-h")[:2] == (0, texts[()])
    assert run_cli("account", "help")[:2] == run_cli("help", "account")[:2] == (0, texts[("account",)])
    assert run_cli("hub", "help")[:2] == (0, texts[("hub",)])
    assert "write-documentation" not in texts[()]


@pytest.mark.parametrize("words", [("--version",), ("-V",), ("version",), ("account", "--version"),
                                   ("account", "add", "-V"), ("hub", "--version")])
def test_the_version_can_be_asked_for_anywhere(words):
    code, out, error = run_cli(*words)
    assert (code, error) == (0, "") and re.fullmatch(r"syncline \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize("words, expected", [
    (("key", "add", "--lable", "x"), "unknown option '--lable'; did you mean '--label'?"),
    (("hub", "--hlep"), "unknown option '--hlep'; did you mean '--help'?"),
    (("help", "acount"), "unknown command 'acount'; did you mean 'account'?"),
    (("help", "hub", "x"), "'syncline hub' has no command 'x'; see 'syncline hub --help'"),
    (("acount", "--help"), "unknown command 'acount'; did you mean 'account'?"),
    (("account", "ad", "--help"), "unknown command 'ad'; did you mean 'add'?"),
    (("sl_secret", "--help"), "unknown command '***'; see 'syncline --help'"),
    (("wirte-documentation",), "unknown command 'wirte-documentation'; see 'syncline --help'"),
    (("completions", "tcsh"), "SHELL: expected bash, zsh or fish, not 'tcsh'; see 'syncline completions --help'"),
])
def test_a_slip_is_answered_with_the_nearest_name(words, expected):
    assert run_cli(*words) == (2, "", f"syncline: {expected}\n")


def test_kernle_has_the_published_commands_and_no_others(kernle):
    found = dict(helps(kernle))
    assert {words for words in found if len(words) == 1} == {(name,) for name in
                                                             ("sync", "search", "auth", "help", "version")}
    assert {words[1] for words in found if words[:1] == ("sync",) and len(words) == 2} == {
        "status", "push", "pull", "full", "conflicts"}
    assert [words for words, text in found.items() if "syncline" in text.lower()] == []
    assert re.fullmatch(r"kernle \d+\.\d+\.\d+\n", kernle("--version")[1])
    for word in ("hub", "account", "memory", "login", "completions"):
        code, out, error = kernle(word)
        assert (code, out) == (2, "") and error.startswith(f"kernle: unknown command '{word}'; "), error
    assert kernle("sync", "pusj")[2] == "kernle: unknown command 'pusj'; did you mean 'push'?\n"
    assert kernle("sync", "push", "--data", "x")[2].startswith("kernle: unknown option '--data'; ")
