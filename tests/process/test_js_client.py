"""The JavaScript client (clients/js) with a real hub and Debian's Chromium: its own tests, as one."""
import os
import re
import subprocess

import pytest
from harness import BINARY, ROOT, SLOW

DEADLINE_S = 900


@pytest.mark.alone
@pytest.mark.skipif(SLOW, reason="the client waits for times that a sanitized hub does not keep")
def test_the_javascript_client_passes_its_tests():
    done = subprocess.run([ROOT / "clients/js/test.sh"], env=os.environ | {"SYNCLINE_BINARY": BINARY}, timeout=DEADLINE_S,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r"\bpass [1-9]", done.stdout), "no test ran"
