"""Runs the failed tests of a run again, alone: a test with a deadline may fail because builds ran beside it.

A test that then passes every time counts as passed, and the run reports its name: it has a race or a tight deadline that
somebody should mend. A run in which more than a few tests fail has another cause and gets no second chance.
"""
import os
import re
import subprocess

TESTS_MAX = 3
TIMES = 3

GTEST = re.compile(r"^\[  FAILED  \] (\w[\w/]*\.[\w/]+)", re.MULTILINE)
PYTEST = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+)", re.MULTILINE)


def failed_tests(output):
    """The names in what GoogleTest or pytest printed, each once."""
    return list(dict.fromkeys(GTEST.findall(output) + PYTEST.findall(output)))


def again(command, name):
    """The stage's command for one test only."""
    if "::" not in name:
        return [part for part in command if not part.startswith("--gtest_filter")] + [f"--gtest_filter={name}"]
    paths = [part for part in command if part.startswith("tests/")]
    return [part for part in command if part not in paths and part not in parallel_options(command)] + [name]


def parallel_options(command):
    return command[command.index("-n"):command.index("-n") + 2] if "-n" in command else []


def passes(command, environment, root):
    result = subprocess.run(command, cwd=root, env=os.environ | environment, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, errors="replace", check=False)
    ran = re.search(r"\[  PASSED  \] [1-9]|(?:^|[ =])[1-9]\d* passed", result.stdout, re.MULTILINE)
    return result.returncode == 0 and ran is not None


def give(stages, root):
    """Corrects the counts of stages and returns the names of the tests that passed now. Nothing may run beside it."""
    failed = [(stage, failed_tests(stage.output)) for stage in stages if stage.failed]
    # A stage that crashed, or that was not a test, does not name what failed.
    if any(len(names) != stage.failed for stage, names in failed) or sum(len(names) for _, names in failed) > TESTS_MAX:
        return []
    passed = []
    for stage, names in failed:
        for name in names:
            if all(passes(again(stage.command, name), stage.environment, root) for _ in range(TIMES)):
                stage.failed -= 1
                stage.passed += 1
                passed.append(f"{stage.name}: {name}")
    return passed
