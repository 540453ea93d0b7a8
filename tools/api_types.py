"""Writes the TypeScript types of the native API into the JavaScript client, from the OpenAPI document of a hub.

usage: api_types.py

It starts a hub of build/release/syncline, or of SYNCLINE_BINARY.
"""
import os
import subprocess
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TYPES = ROOT / "clients/js/src/http/api_types.ts"
GENERATOR = ROOT / "tests/process/openapi_client"
DEADLINE_S = 120


@contextmanager
def running_hub():
    binary = os.environ.get("SYNCLINE_BINARY", ROOT / "build/release/syncline")
    with tempfile.TemporaryDirectory(prefix="syncline-types-") as folder:
        hub = subprocess.Popen([binary, "hub", "--data", f"{folder}/data", "--listen", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            yield hub.stdout.readline().split()[-1]
        finally:
            hub.terminate()
            hub.wait()


def make_types(document):
    """The text of the types of a document, which is a text too."""
    with tempfile.TemporaryDirectory(prefix="syncline-types-") as folder:
        source, made = Path(folder) / "api.json", Path(folder) / "api.ts"
        source.write_text(document)
        subprocess.run(["node", "node_modules/openapi-typescript/bin/cli.js", source, "--output", made,
                        "--empty-objects-unknown"], cwd=GENERATOR, check=True, stdout=subprocess.DEVNULL,
                       timeout=DEADLINE_S)
        return made.read_text()


def main():
    # The hub is on this machine: no proxy may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with running_hub() as url:
        document = opener.open(f"{url}/openapi/native.json", timeout=DEADLINE_S).read().decode()
    TYPES.write_text(make_types(document))


if __name__ == "__main__":
    main()
