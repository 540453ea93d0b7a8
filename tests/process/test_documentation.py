"""What packages install beside the program: man pages and completion scripts, where Debian looks for them."""
import os
import re
import subprocess
from pathlib import Path

import pytest
from harness import BINARY, cli


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    subprocess.run([BINARY, "write-documentation", directory], check=True, env=environment, timeout=60)
    return directory


def pages_in(share):
    return sorted((share / "man").rglob("*.[158]"))


def read(page):
    """The page as a person sees it."""
    done = subprocess.run(["mandoc", "-Tutf8", "-Owidth=200", page], capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", done.stdout)


def test_mandoc_finds_nothing_to_complain_about(share):
    pages = pages_in(share)
    assert len(pages) > 30
    done = subprocess.run(["mandoc", "-Tlint", *pages], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_command_has_a_page_with_its_options_and_examples(share):
    listed = re.findall(r"^  ([a-z]+) ", cli("help")[1].partition("Usage:")[2].partition("\nOptions:")[0], re.MULTILINE)
    names = {page.name for page in pages_in(share) if page.suffix == ".1"}
    assert names == {"syncline.1"} | {f"syncline-{name}.1" for name in listed if name != "syncline"}
    page = read(share / "man/man1/syncline-key.1")
    for text in ("syncline key add --account EMAIL", "--scopes SCOPES", "commands:submit", "EXIT STATUS",
                 "syncline key add --account me@example.org --label laptop --scopes read,write"):
        assert text in re.sub(r" \\\n +", " ", page), text
    whole = read(share / "man/man1/syncline.1")
    assert "124" in whole and "syncline-hub.yaml(5)" in whole and "2026-01-01" in whole


def test_the_page_of_settings_has_every_setting_with_its_default(share, tmp_path):
    page = read(share / "man/man5/syncline-hub.yaml.5")
    shown = cli("config", "show", "--data", str(tmp_path))[1]
    keys = re.findall(r"^([a-z_]+\.[a-z_]+|listen|rate_limit)\b", shown, re.MULTILINE)
    assert len(keys) > 40 and [key for key in keys if not re.search(rf"^ +{re.escape(key)}( |$)", page, re.MULTILINE)] == []
    assert "default: 127.0.0.1:8080" in page and "SYNCLINE_TLS_CERTIFICATE" in page


def test_the_service_has_a_page(share):
    assert "systemctl enable --now syncline" in read(share / "man/man8/syncline.service.8")


def test_an_installation_has_everything_in_its_place(tmp_path):
    build = Path(BINARY).parent
    done = subprocess.run(["cmake", "--install", str(build), "--prefix", str(tmp_path / "usr")], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    usr = tmp_path / "usr"
    for path in ("bin/syncline", "share/man/man1/syncline.1", "share/man/man5/syncline-hub.yaml.5",
                 "share/man/man8/syncline.service.8", "share/bash-completion/completions/syncline",
                 "share/zsh/vendor-completions/_syncline", "share/fish/vendor_completions.d/syncline.fish",
                 "lib/systemd/system/syncline.service", "lib/systemd/user/syncline-node.service",
                 "share/doc/syncline/operating.md", "share/doc/syncline/runner.md", "share/doc/syncline/api/node.md",
                 "share/doc/syncline/examples/policies/project.yaml"):
        assert (usr / path).is_file(), path
    for unit in usr.glob("lib/systemd/*/*.service"):
        for document in re.findall(r"file:///usr/(\S+)", unit.read_text()):
            assert (usr / document).is_file(), f"{unit.name} names {document}"
    for shell, path in (("bash", "share/bash-completion/completions/syncline"),
                        ("zsh", "share/zsh/vendor-completions/_syncline"),
                        ("fish", "share/fish/vendor_completions.d/syncline.fish")):
        assert (usr / path).read_text() == cli("completions", shell)[1]
