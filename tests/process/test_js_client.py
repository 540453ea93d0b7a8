"""The JavaScript client (clients/js) with a real hub and Debian's Chromium: its own tests, as one."""
import pytest
from harness import SLOW, run_own_tests


@pytest.mark.alone
@pytest.mark.skipif(SLOW, reason="the client waits for times that a sanitized hub does not keep")
def test_the_javascript_client_passes_its_tests():
    run_own_tests("clients/js/test.sh")
