import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import Hub  # noqa: E402


@pytest.fixture
def hub():
    running = Hub().start()
    yield running
    if running.process is not None:
        assert running.stop() == 0, running.log_text()[-3000:]
    log = running.log_text()
    assert '"level":"error"' not in log, log[-3000:]
    assert "sl_k" not in log, "a token stands in the log"


@pytest.fixture(scope="module")
def shared_hub():
    running = Hub().start()
    yield running
    assert running.stop() == 0, running.log_text()[-3000:]
