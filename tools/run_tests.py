"""Runs every test of the tree in stages: builds beside tests that mostly wait, and what measures time by itself.

usage: run_tests.py [fast]

Prints each stage's result as it ends, the output of those that fail, a table of all stages, and as its last line
"N passed, N failed". Exit status 0 if nothing failed. If only a few tests failed, they run again at the end
(second_chance.py).

fast: tree checks, unit and API tests, 500 simulations, and the process tests whose files differ from the last commit.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import second_chance

ROOT = Path(__file__).resolve().parents[1]
CORES = os.cpu_count() or 2
# Most process tests wait for a process or a deadline: more of them than cores.
PROCESS_TESTS_AT_ONCE = CORES * 3
SHOWN_LINES_OF_FAILURE = 200
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
IN_PARALLEL = ["-n", str(PROCESS_TESTS_AT_ONCE), "-m", "not alone"]

PASSED = re.compile(r"\[  PASSED  \] (\d+)|(?:^|[ =])(\d+) passed")
FAILED = re.compile(r"^ ?(\d+) FAILED TEST|(?:^|[ =])(\d+) (?:failed|errors?\b)")


@dataclass
class Stage:
    """One command. It starts when the stages it needs are over and its lane is free."""
    name: str
    command: list
    lane: str  # "build", "test", or "alone": with nothing beside it
    needs: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    # set by run()
    passed: int = 0
    failed: int = 0
    seconds: float = 0
    output: str = ""

    def run(self):
        began = time.monotonic()
        # Tests have deadlines, builds have none.
        nice = ["nice", "-n", "10"] if self.lane == "build" else []
        with tempfile.TemporaryFile("w+", errors="replace") as log:
            code = subprocess.run(nice + self.command, cwd=ROOT, env=os.environ | self.environment, stdout=log,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False).returncode
            log.seek(0)
            self.output = log.read()
        self.seconds = time.monotonic() - began
        self.passed, self.failed = counts_in(self.output)
        if code != 0:
            self.failed = max(self.failed, 1)
        elif self.passed == 0 and self.lane != "build":
            self.failed = 1
            self.output += "\nno test ran"

    def skip(self, needed):
        self.failed = 1
        self.output = f"not run: '{needed}' failed"

    def result(self):
        return f"{self.name}: {self.passed} passed, {self.failed} failed, {self.seconds:.0f} s"


def counts_in(output):
    """What gtest, pytest and our own programs say at their end."""
    passed = failed = 0
    for line in output.splitlines():
        if found := PASSED.search(line):
            passed = int(found[1] or found[2])
        if found := FAILED.findall(line):
            failed = sum(int(number) for groups in found for number in groups if number)
    return passed, failed


def build(preset, *targets):
    return ["./dev", "build", preset, *(["--target", *targets] if targets else [])]


def unit_tests(preset, *arguments):
    return [f"build/{preset}/unit_tests", "--gtest_brief=1", *arguments]


def binary(preset):
    return {"SYNCLINE_BINARY": str(ROOT / f"build/{preset}/syncline")}


def simulation(*arguments):
    return ["build/release/sim", "--jobs", str(CORES), *arguments]


def all_stages():
    release, asan, tsan = "build", "build with address and undefined behaviour sanitizers", "build with thread sanitizer"
    sanitized = binary("asan") | {"SYNCLINE_SLOW": "1"}
    process, process_sanitized = "process tests", "process tests, sanitized"
    return [
        Stage("tree and format", [*PYTEST, "tests/tidy"], "test"),
        Stage(release, build("release"), "build"),
        Stage(asan, build("asan", "unit_tests", "syncline"), "build", [release]),
        Stage(tsan, build("tsan", "thread_tests"), "build", [release]),
        Stage("lint", ["/usr/bin/python3", "tools/lint.py"], "build", [release]),
        Stage(process, [*PYTEST, *IN_PARALLEL, "tests/process", "tests/security", "tests/durability",
                        "tests/couch_face"], "test", [release],
              binary("release")),
        Stage("unit and API tests", unit_tests("release"), "test", [release]),
        Stage("simulation", simulation("--seeds", "tests/sim/seeds.txt", "--runs", "3000"), "test", [release]),
        # Each write function runs twice and names what it looks up: a run must be the same as without that.
        Stage("simulation, writes run twice", simulation("--runs", "300", "--twice", "--strict"), "test", [release]),
        # With files: both stores must make the same run of a seed.
        Stage("simulation on SQLite", simulation("--deep", "--runs", "200"), "test", [release]),
        # What clients see of times must not depend on where the hub stands.
        *(Stage(f"Kaisho scenarios, {zone}", unit_tests("release", "--gtest_filter=Kaisho*"), "test", [release],
                {"TZ": zone}) for zone in ("America/Los_Angeles", "Asia/Tokyo")),
        Stage("unit and API tests, sanitized", unit_tests("asan"), "test", [asan]),
        Stage(process_sanitized, [*PYTEST, *IN_PARALLEL, "tests/process", "tests/security"], "test", [asan], sanitized),
        Stage("tests of threads, sanitized", ["build/tsan/thread_tests", "--gtest_brief=1"], "test", [tsan]),
        Stage("process tests that measure", [*PYTEST, "-m", "alone", "tests/process", "tests/security", "tests/durability"],
              "alone", [release], binary("release")),
        Stage("process tests that measure, sanitized", [*PYTEST, "-m", "alone", "tests/process", "tests/security"], "alone",
              [asan], sanitized),
    ]


def changed_process_tests():
    changed = subprocess.run(["git", "status", "--porcelain", "--no-renames", "-uall", "-z", "--", "tests/process",
                              "tests/security", "tests/durability", "tests/couch_face"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in (entry[3:] for entry in changed.split("\0"))
                  if re.search(r"/test_\w+\.py$", path) and (ROOT / path).exists())


def fast_stages():
    release = "build"
    stages = [
        Stage("tree and format", [*PYTEST, "tests/tidy"], "test"),
        Stage(release, build("release"), "build"),
        Stage("unit and API tests", unit_tests("release"), "test", [release]),
        Stage("simulation", simulation("--seeds", "tests/sim/seeds.txt", "--runs", "500"), "test", [release]),
    ]
    if tests := changed_process_tests():
        stages.append(Stage("changed process tests", [*PYTEST, *tests], "test", [release], binary("release")))
    return stages


class Schedule:
    """Starts stages in their order as lanes become free. Used from the main thread; each stage has its own."""

    def __init__(self, stages):
        self.waiting = list(stages)
        self.running = []
        self.over = {}
        self.changed = threading.Condition()

    def next_stage(self):
        for stage in self.waiting:
            if not all(need in self.over for need in stage.needs):
                continue
            busy = {other.lane for other in self.running}
            if stage.lane == "alone":
                if not busy and all(other.lane == "alone" for other in self.waiting):
                    return stage
            elif stage.lane not in busy and "alone" not in busy:
                return stage
        return None

    def run(self):
        with self.changed:
            while self.waiting or self.running:
                stage = self.next_stage()
                if stage is None:
                    self.changed.wait()
                    continue
                self.waiting.remove(stage)
                failed = [need for need in stage.needs if self.over[need].failed]
                if failed:
                    stage.skip(failed[0])
                    self.end(stage)
                else:
                    self.running.append(stage)
                    threading.Thread(target=self.run_one, args=(stage,)).start()

    def run_one(self, stage):
        try:
            stage.run()
        except Exception as error:  # whatever it is: the others must not wait for this stage
            stage.failed, stage.output = 1, repr(error)
        with self.changed:
            try:
                self.running.remove(stage)
                self.end(stage)
            finally:
                self.changed.notify()

    def end(self, stage):
        self.over[stage.name] = stage
        if stage.failed:
            print(*stage.output.splitlines()[-SHOWN_LINES_OF_FAILURE:], sep="\n")
        print(f"== {stage.result()}", flush=True)


def main():
    if sys.argv[1:] and [word.lower() for word in sys.argv[1:]] != ["fast"]:
        sys.exit(__doc__)
    began = time.monotonic()
    stages = fast_stages() if sys.argv[1:] else all_stages()
    Schedule(stages).run()
    for name in second_chance.give(stages, ROOT):
        print(f"== failed beside other work, passed {second_chance.TIMES} times alone: {name}", flush=True)
    width = max(len(stage.name) for stage in stages)
    print(f"\n{'stage':<{width}}  seconds  passed  failed")
    for stage in stages:
        print(f"{stage.name:<{width}}  {stage.seconds:>7.0f}  {stage.passed:>6}  {stage.failed:>6}")
    print(f"{'all, from start to end':<{width}}  {time.monotonic() - began:>7.0f}\n")
    passed, failed = sum(stage.passed for stage in stages), sum(stage.failed for stage in stages)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
