"""The tree checks itself: layers, sizes, words that must not stay, format."""
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What a folder of src/ may include from: itself and what lies below it.
LAYERS = {
    "base": set(),
    "core": {"base"},
    "store": {"core", "base"},
    "wire": {"store", "core", "base"},
    "service": {"store", "core", "base"},
    "http": {"base"},
    "net": {"http", "base"},
    "runner": {"http", "store", "core", "base"},
    "webhooks": {"service", "http", "store", "core", "base"},
    "replica": {"wire", "service", "http", "store", "core", "base"},
    "node": {"replica", "wire", "service", "http", "store", "core", "base"},
    "api": {"node", "replica", "webhooks", "wire", "service", "http", "store", "core", "base"},
    "cli": {"base"},
    "app": {"cli", "api", "node", "replica", "webhooks", "runner", "net", "wire", "service", "http", "store", "core", "base"},
}
LINES_MAX = 450
HEADER_LINES_MAX = 300


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()]


def sources():
    return tracked("src/*.cpp", "src/*.hpp")


def includes(path):
    return re.findall(r'^#include ["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


def test_dependencies_point_down_only():
    wrong = []
    for path in sources():
        layer = path.relative_to(ROOT / "src").parts[0]
        for name in includes(path):
            target = name.split("/")[0]
            is_test = path.stem.endswith("_test")
            if target in LAYERS and target != layer and target not in LAYERS[layer] and not is_test:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert wrong == []


def test_every_folder_of_src_is_a_layer():
    assert {path.name for path in (ROOT / "src").iterdir() if path.is_dir()} == set(LAYERS)


def test_link_lines_match_the_layers():
    wrong = []
    for layer, below in LAYERS.items():
        text = (ROOT / "src" / layer / "CMakeLists.txt").read_text()
        for linked in set(re.findall(r"syncline_(\w+)", text)) & set(LAYERS):
            if linked != layer and linked not in below:
                wrong.append(f"{layer} links {linked}")
    assert wrong == []


@pytest.mark.parametrize("word,allowed", [
    ("boost/beast", {"net"}),
    ("boost/asio", {"net"}),
    ("sqlite3.h", {"store"}),
    ("CLI/", {"cli/command_line.cpp"}),  # seconds of compile time for each file that includes it
    ("prometheus/", {"api"}),
    ("curl/", {"net"}),
    ("seccomp.h", {"runner"}),
    ("qrencode.h", {"base/qr_code.cpp"}),
    ("argon2.h", {"base/password.cpp"}),
    ("openssl/", {"net", "base/public_key.cpp"}),
])
def test_a_library_is_included_in_one_place(word, allowed):
    used = {path.relative_to(ROOT / "src") for path in sources()
            if any(name.startswith(word) for name in includes(path))}
    assert {str(path) for path in used if not {str(path), path.parts[0]} & allowed} == set()


def test_files_stay_small():
    files = tracked("src/*.cpp", "src/*.hpp", "tests/*.cpp", "tests/*.hpp", "*.py", "bench/*.cpp", "bench/*.hpp", "dev")
    large = [f"{path.relative_to(ROOT)}: {count}" for path in files
             if (count := len(path.read_text().splitlines())) > (HEADER_LINES_MAX if path.suffix == ".hpp" else LINES_MAX)]
    assert large == []


def test_every_python_file_compiles():
    for path in tracked("*.py"):
        compile(path.read_text(), str(path), "exec")


def test_no_todo_markers_remain():
    marker = re.compile(r"(?<!\")\b(TODO|FIXME|XXX|HACK)\b")  # a word in quotes may be a client's
    left = [f"{path.relative_to(ROOT)}:{number}" for path in tracked("src/*", "bench/*.cpp", "bench/*.py")
            if path.suffix in {".cpp", ".hpp", ".py"}
            for number, line in enumerate(path.read_text().splitlines(), 1) if marker.search(line)]
    assert left == []


def test_the_core_does_no_io_and_reads_no_clock():
    banned = {"fstream", "iostream", "thread", "mutex", "chrono", "filesystem", "unistd.h", "random"}
    used = [f"{path.relative_to(ROOT)} includes {name}" for path in tracked("src/core/*")
            if path.suffix in {".cpp", ".hpp"} and not path.stem.endswith("_test")
            for name in includes(path) if name in banned]
    assert used == []


def test_only_faces_and_their_wire_formats_name_products():
    """Folders below api/ and wire/ serve every API; app/ has the list of faces."""
    product = re.compile(r"kaisho|kernle|kiro", re.IGNORECASE)
    layers = set(LAYERS) - {"wire", "api", "app"}
    named = [f"{path.relative_to(ROOT)}:{number}" for path in sources()
             if path.relative_to(ROOT / "src").parts[0] in layers and not path.stem.endswith("_test")
             for number, line in enumerate(path.read_text().splitlines(), 1) if product.search(line)]
    assert named == []


def test_only_annotated_mutexes_are_used():
    replacements = {
        "std::mutex": "Mutex", "std::shared_mutex": "SharedMutex", "std::recursive_mutex": "RecursiveMutex",
        "std::lock_guard": "MutexLock", "std::scoped_lock": "MutexLock", "std::unique_lock": "MutexLock",
        "std::shared_lock": "SharedLock", "std::condition_variable": "CondVar",
        "std::condition_variable_any": "StoppableCondVar"}
    needed = "spdlog::sinks::base_sink<std::mutex>"  # spdlog's library has it for no other mutex
    used = [f"{path.relative_to(ROOT)}:{number}: {name}: use {replacements[name]} of base/mutex.hpp"
            for path in sources() if path != ROOT / "src/base/mutex.hpp"
            for number, line in enumerate(path.read_text().splitlines(), 1)
            for name in re.findall(r"std::\w+", line.replace(needed, "")) if name in replacements]
    assert used == []


def test_every_header_starts_with_a_description():
    silent = [str(path.relative_to(ROOT)) for path in tracked("src/*.hpp", "tests/*.hpp", "bench/*.hpp")
              if not path.read_text().startswith("// ")]
    assert silent == []


def test_document_links_resolve():
    broken = []
    for path in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_no_registry_host_is_named():
    named = [str(path.relative_to(ROOT)) for path in tracked("*package-lock.json", "*package.json", "dev")
             if re.search(r"registry\.npmjs|\"resolved\"", path.read_text())]
    assert named == []


def test_lock_files_match_their_packages():
    for path in tracked("*package.json"):
        wanted = json.loads(path.read_text())
        locked = json.loads((path.parent / "package-lock.json").read_text())["packages"][""]
        for kind in ("dependencies", "devDependencies"):
            assert wanted.get(kind) == locked.get(kind), f"{path}: {kind}"


def test_everything_is_formatted():
    files = [str(path) for path in tracked("src/*.cpp", "src/*.hpp", "tests/*.cpp", "tests/*.hpp", "bench/*.cpp", "bench/*.hpp")]
    checked = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True,
                             text=True)
    assert checked.returncode == 0, checked.stderr[-2000:]


@pytest.mark.parametrize("patch", sorted((ROOT / "tests/planted").rglob("*.patch")), ids=lambda patch: patch.stem)
def test_a_planted_patch_still_applies(patch):
    done = subprocess.run(["git", "apply", "--check", patch], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_test_is_compiled():
    listed = (ROOT / "tests/CMakeLists.txt").read_text()
    forgotten = [str(path.relative_to(ROOT)) for path in tracked("src/*_test.cpp", "tests/*_test.cpp")
                 if path.name not in listed]
    assert forgotten == []
