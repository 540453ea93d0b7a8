"""The service units: how much of the machine a hub that was taken over would have, and where secrets lie."""
import re
import shutil
import subprocess

import pytest
from harness import ROOT

UNITS = ROOT / "packaging/systemd"
EXPOSURE_MAX = 2.0
# In a user's manager these come with a user namespace of the service's own.
IMPLY_A_USER_NAMESPACE = ("PrivateUsers", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadOnlyPaths",
                          "ReadWritePaths", "InaccessiblePaths", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths",
                          "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
                          "ProtectProc", "ProcSubset", "ProtectClock", "ProtectHostname", "PrivateNetwork", "PrivateIPC",
                          "RootDirectory", "RootImage")


def settings_of(name):
    """The settings of a unit, by name; of several, all values."""
    settings = {}
    for line in (UNITS / name).read_text().splitlines():
        if found := re.match(r"(\w+)=(.*)", line):
            settings.setdefault(found[1], []).append(found[2])
    return settings


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze cannot be installed here")
def test_the_hubs_unit_exposes_little():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(UNITS / "syncline.service")],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for syncline.service: ([\d.]+)", done.stdout)
    assert found and float(found[1]) < EXPOSURE_MAX, done.stdout + done.stderr


def test_the_hub_has_a_user_of_its_own_and_gets_secrets_as_credentials():
    settings = settings_of("syncline.service")
    assert settings["User"] == ["syncline"] and settings["UMask"] == ["0077"]
    assert settings["LoadCredential"] == ["ai-key:syncline.ai-key",
                                          "oidc-client-secret:syncline.oidc-client-secret"]
    for name in ("syncline.service", "syncline-runner.service", "syncline-node.service"):
        text = (UNITS / name).read_text()
        assert not re.search(r"sl_k1|SYNCLINE_(KEY|AI_KEY)=", text), f"{name} has a secret in its environment"


def test_the_nodes_unit_keeps_the_users_namespace():
    """In a namespace of its own a node cannot tell who uses its API."""
    settings = settings_of("syncline-node.service")
    assert "User" not in settings
    assert [name for name in IMPLY_A_USER_NAMESPACE if name in settings] == []
    assert "AF_NETLINK" in settings["RestrictAddressFamilies"][0], "it asks the kernel who is at the other end"
