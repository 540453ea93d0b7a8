import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import CHANCE, Hub  # noqa: E402
from node_harness import Node  # noqa: E402
from runner_harness import Site  # noqa: E402


def pytest_collection_modifyitems(config, items):
    """In parallel runs, starts tests marked `long` early and spread apart, so that none of them is last."""
    if not hasattr(config, "workerinput"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in long]
    for number, item in enumerate(long):
        items.insert(5 * number, item)


@pytest.fixture
def hub():
    running = Hub().stay().start()
    yield running
    if running.process is not None:
        assert running.stop() == 0, running.log_text()[-3000:]
    log = running.log_text()
    assert '"level":"error"' not in log, log[-3000:]
    assert "sl_k" not in log, "a token stands in the log"


@pytest.fixture
def forever():
    """A unique number of seconds for a command to sleep; `processes_with` finds this test's processes by it."""
    return str(CHANCE.randrange(10**8, 10**9))


@pytest.fixture(scope="module")
def shared_hub():
    running = Hub().stay().start()
    yield running
    assert running.stop() == 0, running.log_text()[-3000:]


@pytest.fixture(scope="module")
def site(shared_hub, tmp_path_factory):
    """A client and a runner that may execute any command below its root. All tests of a module share them."""
    made = Site(shared_hub, tmp_path_factory.mktemp("site"))
    yield made
    assert made.runner.stop() == 0, made.runner.log_text()[-3000:]


@pytest.fixture
def make_site(hub, tmp_path):
    """Returns a function that makes a site of the test's own hub, with given runner arguments or a policy."""
    sites = []

    def make(arguments=None, policy=None, environment=None):
        directory = tmp_path / f"site{len(sites)}"
        directory.mkdir()
        if policy is not None:
            (directory / "policy.yaml").write_text(policy.replace("ROOT", str(directory / "root")))
            arguments = ["--policy", str(directory / "policy.yaml"), *(arguments or [])]
        sites.append(Site(hub, directory, arguments, environment))
        return sites[-1]

    yield make
    for made in sites:
        if made.runner.process is not None:
            made.runner.stop()


@pytest.fixture
def nodes():
    """Two devices of one person."""
    running = [Node().start(), Node().start()]
    yield running
    for node in running:
        node.stop()
