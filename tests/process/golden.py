"""Transcripts of the command line, compared with files that people have read.

UPDATE_GOLDEN=1 python3 -m pytest tests/process/test_cli_golden.py
writes the files anew; read the difference as a user would before you commit it.
"""
import os
import re
import shlex
import subprocess
from pathlib import Path

from harness import BINARY

FOLDER = Path(__file__).parent / "golden"
# Replacements keep the length, because tables pad their columns.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d"), r"2026-01-02\g<1>03:04:05"),
    (re.compile(r"(?<=03:04:05)\.\d{6}Z"), ".000000Z"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "01234567-89ab-cdef-0123-456789abcdef"),
    (re.compile(r"\bcmd-\d{13}-[a-z0-9]+"), lambda found: "cmd-0000000000000-" + "x" * (len(found[0]) - 18)),
    (re.compile(r"\bsl_k\d+_[A-Za-z0-9_-]+"), "sl_TOKEN"),
    (re.compile(r"\bwh_[0-9a-f]+"), lambda found: "wh_" + "0" * (len(found[0]) - 3)),
    (re.compile(r"\bwhsec_\S+"), "whsec_SECRET"),
    (re.compile(r"\b[0-9a-f]{12}-[0-9a-f]{12}(?=\.\d)"), "0" * 12 + "-" + "0" * 12),
    (re.compile(r"(?<=^epoch: )(r?)[0-9a-f]{12}", re.MULTILINE), r"\g<1>000000000000"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "0" * 64),
    (re.compile(r"(?<=127\.0\.0\.1:)\d{5}"), "55555"),
    (re.compile(r"\b\d+ MiB free"), "99999 MiB free"),
    (re.compile(r"^(open files +\w+ +)\d+", re.MULTILINE), r"\g<1>1048576"),
]


class Transcript:
    """Command lines with what they print, as a person would see them in a terminal that is wide."""

    def __init__(self, environment, names):
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
        self.environment |= {"TZ": "Europe/Berlin"} | environment
        self.names = names  # what stands for paths and ports of this run
        self.text = ""

    def run(self, line, stdin=None, hidden=()):
        """Runs `syncline LINE`; `hidden` follows it and is not shown. Returns standard output."""
        done = subprocess.run([BINARY, *shlex.split(line), *hidden], capture_output=True, text=True, timeout=60,
                              env=self.environment, input=stdin)
        self.text += f"$ syncline {line}\n{done.stdout}"
        self.text += "".join(f"! {said}\n" for said in done.stderr.splitlines())
        self.text += f"(exit {done.returncode})\n\n" if done.returncode else "\n"
        return done.stdout

    def check(self, name):
        text = self.text
        for real, shown in sorted(self.names.items(), key=lambda each: -len(each[0])):
            text = text.replace(real, shown)
        for pattern, shown in VOLATILE:
            text = pattern.sub(shown, text)
        file = FOLDER / f"{name}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            file.write_text(text)
        assert text == file.read_text(), f"{file.name} differs; see golden.py"
