"""The fixtures of tests/process, for tests that play an attacker."""
import importlib.util
import sys
from pathlib import Path

PROCESS_TESTS = Path(__file__).resolve().parents[1] / "process"
sys.path.insert(0, str(PROCESS_TESTS))

_spec = importlib.util.spec_from_file_location("process_fixtures", PROCESS_TESTS / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

hub = _fixtures.hub
forever = _fixtures.forever
shared_hub = _fixtures.shared_hub
site = _fixtures.site
make_site = _fixtures.make_site
nodes = _fixtures.nodes
