"""A failed test runs again alone, and counts as passed only if it then passes every time."""
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import second_chance  # noqa: E402

# Stands in for a program of GoogleTest: fails the first N runs, as a file counts them.
PROGRAM = """
import pathlib, sys
runs, failing, name = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3].partition("=")[2]
count = int(runs.read_text()) if runs.exists() else 0
runs.write_text(str(count + 1))
if count < failing:
    sys.exit(f"[  FAILED  ] {name}")
print("[  PASSED  ] 1 test.")
"""


@dataclass
class Stage:
    command: list
    output: str
    failed: int
    name: str = "unit tests"
    passed: int = 10
    environment: dict = field(default_factory=dict)


def stage(folder, failing_runs, names=("Space.push",), failed=None):
    program = folder / "program.py"
    program.write_text(PROGRAM)
    output = "".join(f"[  FAILED  ] {name} (3 ms)\n" for name in names) * 2
    return Stage([sys.executable, str(program), str(folder / "runs"), str(failing_runs)], output,
                 failed or len(names))


def test_a_test_that_passes_alone_counts_as_passed_and_is_named(tmp_path):
    flaky = stage(tmp_path, failing_runs=0)
    assert second_chance.give([flaky], tmp_path) == ["unit tests: Space.push"]
    assert (flaky.passed, flaky.failed) == (11, 0)
    assert (tmp_path / "runs").read_text() == str(second_chance.TIMES)


def test_a_test_that_fails_again_stays_failed(tmp_path):
    broken = stage(tmp_path, failing_runs=1)
    assert second_chance.give([broken], tmp_path) == []
    assert (broken.passed, broken.failed) == (10, 1)


@pytest.mark.parametrize("changes", [
    {"names": [f"Space.push{n}" for n in range(second_chance.TESTS_MAX + 1)]},
    {"names": [], "failed": 1},  # a crash names no test
    {"names": ["Space.push"], "failed": 2},
])
def test_a_run_that_is_broken_as_a_whole_gets_none(tmp_path, changes):
    broken = stage(tmp_path, failing_runs=0, **changes)
    assert second_chance.give([broken], tmp_path) == []
    assert not (tmp_path / "runs").exists()


def test_a_process_test_runs_by_its_name_only():
    command = ["python3", "-m", "pytest", "-q", "-n", "6", "-m", "not alone", "tests/process", "tests/security"]
    output = "FAILED tests/process/test_a.py::test_b[x-1] - AssertionError\n1 failed, 3 passed in 1 s"
    assert second_chance.failed_tests(output) == ["tests/process/test_a.py::test_b[x-1]"]
    assert second_chance.again(command, "tests/process/test_a.py::test_b[x-1]") == [
        "python3", "-m", "pytest", "-q", "-m", "not alone", "tests/process/test_a.py::test_b[x-1]"]


def test_a_test_with_parameters_has_its_whole_name():
    output = "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Stores/StoreTest.reads/1, where GetParam() = sqlite\n"
    assert second_chance.failed_tests(output) == ["Stores/StoreTest.reads/1"]
