"""Runs clang-tidy and clang's thread-safety analysis over every C++ source of the tree.

usage: lint.py [--jobs N] [FILE ...]

A file is checked again only when its text, a header of ours that it includes, its flags, the configuration or an
installed compiler or library has changed since it was last found clean; the record of clean files is shared by all
clones ($XDG_CACHE_HOME/syncline/lint).

Most of clang-tidy's time goes into the system headers of each translation unit, so sources with the same flags are
checked together: a generated file includes several of them. Its name begins with "UnifiedSource", which is how the
static analyzer knows that the included sources are to be analyzed too. Sources that cannot stand in one translation
unit (two anonymous functions of one name) are moved to another.

The builds compile several sources as one, with precompiled headers. So each source that is no test is first compiled by
itself, without them: it must include what it uses.

Exit status: 0 if everything is clean, 1 if there are findings, 2 if the arguments or the build directory are unusable.
"""
import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLEAN = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "syncline/lint"
CLANG, TIDY = "clang++-19", "clang-tidy-19"
# Larger batches share more headers; smaller ones keep both cores busy until the end.
BATCH_FILES_MAX = 18
CLEAN_RECORDS_MAX = 20_000
# Flags that only g++ knows, and its precompiled header.
GCC_ONLY = re.compile(r"-Wno-(maybe-uninitialized|restrict|stringop-\w+)|-fpch-preprocess|-Winvalid-pch|-fno-sanitize.*")
CLANG_FLAGS = ["-Wthread-safety", "-Wno-missing-designated-field-initializers", "-Wno-unknown-warning-option"]
# In full depth the analyzer takes three times as long and has not found more here.
ANALYZER = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
# The generated file is the only one that includes sources.
CHECKS = "--checks=-bugprone-suspicious-include"


@cache
def text_of(path):
    return Path(path).read_bytes()


@cache
def own_includes(path):
    """The headers of ours that a file names, as paths."""
    found = []
    for name in re.findall(rb'^\s*#\s*include\s+"([^"]+)"', text_of(path), re.MULTILINE):
        for base in (Path(path).parent, ROOT / "src", ROOT / "tests"):
            candidate = os.path.normpath(base / name.decode())
            if os.path.exists(candidate):
                found.append(candidate)
                break
    return found


def with_headers(path):
    """A file and every header of ours that it includes, directly or not, in order of their paths."""
    seen, waiting = set(), [str(path)]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += own_includes(current)
    return sorted(seen)


def toolchain_digest():
    """Changes with the configuration, this program, and every installed header package."""
    packages = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "*-dev", "*-19", "clang*"],
                              capture_output=True, check=False).stdout
    return hashlib.sha256(packages + text_of(ROOT / ".clang-tidy") + text_of(__file__)).hexdigest()


def record_of(path, flags, toolchain):
    """Where it is recorded that this file is clean in its present form."""
    digest = hashlib.sha256((toolchain + "\0".join(flags)).encode())
    for each in with_headers(path):
        digest.update(os.path.relpath(each, ROOT).encode() + b"\0" + text_of(each) + b"\0")
    return CLEAN / digest.hexdigest()


def clang_flags(entry):
    """The flags of a compile command as clang takes them; paths below the tree are relative to it, so that clones share."""
    words, flags = iter(shlex.split(entry["command"])[1:]), []
    for word in words:
        if word in ("-o", "-c", "-include"):
            next(words)
        elif not GCC_ONLY.fullmatch(word):
            flags.append(word.replace(f"={ROOT}=", "=").replace(str(ROOT) + "/", ""))
    return [flag for flag in flags if not flag.startswith("-ffile-prefix-map")] + CLANG_FLAGS


def sources():
    """Every source of the tree that is compiled, with its flags."""
    code, out, errors = run("cmake", "--preset", "lint")
    if code != 0:
        fail(f"cmake --preset lint failed: {errors.strip() or out.strip()}")
    commands = ROOT / "build/lint/compile_commands.json"
    found = {}
    for entry in json.loads(commands.read_text()):
        path = Path(entry["file"])
        if path.suffix == ".cpp" and path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
            found.setdefault(str(path), tuple(clang_flags(entry)))
    if not found:
        fail(f"{commands} names no source below {ROOT}")
    return found


def fail(reason):
    print(f"lint: {reason}", file=sys.stderr)
    sys.exit(2)


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


class Batch:
    """Sources that are checked in one translation unit."""

    def __init__(self, files, flags):
        self.files = list(files)
        self.flags = list(flags)

    def write(self, directory):
        name = hashlib.sha256("\0".join(self.files).encode()).hexdigest()[:12]
        unified = Path(directory) / f"UnifiedSource-{name}.cpp"
        unified.write_text("".join(f'#include "{path}"\n' for path in self.files))
        return unified

    def evict_conflicting(self, directory):
        """Takes out the files that do not compile beside the ones before them, and returns them."""
        if len(self.files) == 1:
            return []
        _, _, errors = run(CLANG, "-fsyntax-only", "-ferror-limit=0", *self.flags, str(self.write(directory)))
        blamed = {os.path.normpath(ROOT / name) for name in re.findall(r"^([^:\s]+):\d+:\d+: (?:fatal )?error:", errors, re.MULTILINE)}
        evicted = [path for path in self.files if path in blamed]
        if len(evicted) == len(self.files):
            evicted = evicted[1:]
        self.files = [path for path in self.files if path not in evicted]
        return evicted

    def check(self, directory):
        """What clang-tidy says about the batch; empty if all is clean."""
        code, out, errors = run(TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", CHECKS, *ANALYZER,
                                "--header-filter=(^|/)(src|tests|bench)/", str(self.write(directory)), "--", *self.flags)
        if code == 0 and "error:" not in out:
            return ""
        return out.strip() or errors.strip() or f"{TIDY} ended with status {code} on {', '.join(self.files)}"


def batches_of(files):
    """Files with equal flags together; neighbours first, since they include the same headers."""
    by_flags = {}
    for path, flags in sorted(files.items()):
        by_flags.setdefault(flags, []).append(path)
    for flags, paths in by_flags.items():
        count = -(-len(paths) // BATCH_FILES_MAX)
        size = -(-len(paths) // count)
        for start in range(0, len(paths), size):
            yield Batch(paths[start:start + size], flags)


def compile_alone(path, flags):
    """What clang says of one source by itself; empty if it includes what it uses."""
    code, _, errors = run(CLANG, "-fsyntax-only", *flags, path)
    return "" if code == 0 else errors.strip() or f"{CLANG} ended with status {code} on {path}"


def check_all(files, jobs):
    """Checks the files; yields each batch with its findings as it is done."""
    with tempfile.TemporaryDirectory(prefix="syncline-lint-") as directory, ThreadPoolExecutor(jobs) as pool:
        alone = [path for path in files if not path.endswith("_test.cpp")]
        incomplete = {path: findings for path, findings in
                      zip(alone, pool.map(lambda path: compile_alone(path, files[path]), alone)) if findings}
        for path, findings in incomplete.items():
            yield Batch([path], files[path]), findings
        left = {path: flags for path, flags in files.items() if path not in incomplete}
        while left:
            batches = list(batches_of(left))
            evicted = list(pool.map(lambda batch: batch.evict_conflicting(directory), batches))
            yield from zip(batches, pool.map(lambda batch: batch.check(directory), batches))
            left = {path: left[path] for paths in evicted for path in paths}


def forget_old_records():
    records = list(CLEAN.iterdir())
    if len(records) <= CLEAN_RECORDS_MAX:
        return
    try:
        records.sort(key=lambda path: path.stat().st_mtime)
    except FileNotFoundError:
        return  # another run is at it
    for path in records[:-CLEAN_RECORDS_MAX]:
        path.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="translation units at once")
    parser.add_argument("files", nargs="*", help="only these sources")
    options = parser.parse_args()
    wanted = {str(Path(name).resolve()) for name in options.files}
    everything = sources()
    if missing := wanted - everything.keys():
        parser.error(f"not compiled by the build: {', '.join(sorted(missing))}")
    CLEAN.mkdir(parents=True, exist_ok=True)
    toolchain = toolchain_digest()
    records = {path: record_of(path, flags, toolchain) for path, flags in everything.items()
               if not wanted or path in wanted}
    left = {path: everything[path] for path, record in records.items() if not record.exists()}
    for path, record in records.items():
        if path not in left:
            record.touch()  # in use: not the oldest
    dirty = 0
    for batch, findings in check_all(left, options.jobs):
        if findings:
            # After an error the analyzer leaves the rest of the unit out: nothing in it is known to be clean.
            dirty += len(batch.files)
            print(findings, flush=True)
            continue
        text_of.cache_clear()
        own_includes.cache_clear()
        for path in batch.files:
            if record_of(path, left[path], toolchain) == records[path]:  # not edited meanwhile
                records[path].touch()
    forget_old_records()
    print(f"{len(records) - dirty} files clean, {dirty} in units with findings "
          f"({len(left)} checked, {len(records) - len(left)} unchanged since they were last clean)")
    sys.exit(1 if dirty else 0)


if __name__ == "__main__":
    main()
