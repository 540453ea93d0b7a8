"""The description of the API holds for programs that others wrote: a linter, a generator of types, a compiler, and a
client made from them; and for people in a browser."""
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from harness import ROOT, SLOW
from node_harness import Node

sys.path.insert(0, str(ROOT / "tools"))
from api_types import TYPES, make_types  # noqa: E402

CLIENT = Path(__file__).parent / "openapi_client"
DEADLINE_S = 180
pytestmark = pytest.mark.skipif(SLOW, reason="what others make of a document does not depend on how the hub was built")


@pytest.fixture(scope="module")
def documents(shared_hub):
    """Each document of a hub, and that of a node, as text by the name of a file."""
    whole = get(shared_hub, "/openapi.json").text
    faces = [tag["name"] for tag in json.loads(whole)["tags"]]
    assert {"native", "kaisho", "kernle", "kiro"} < set(faces)
    node = Node().start()
    of_node = get(node, "/openapi.json").text
    assert node.stop() == 0
    return {"all.json": whole, "node.json": of_node} | {
        f"{face}.json": get(shared_hub, f"/openapi/{face}.json").text for face in faces}


def get(server, path):
    session = requests.Session()
    session.trust_env = False
    answer = session.get(server.url + path, timeout=DEADLINE_S)
    assert answer.status_code == 200, answer.text
    return answer


def run(*command, **options):
    return subprocess.run(command, cwd=CLIENT, text=True, capture_output=True, timeout=DEADLINE_S, check=False, **options)


def lint(folder, documents):
    """The problems that Redocly finds, as (file, rule, severity)."""
    for name, text in documents.items():
        (folder / name).write_text(text)
    done = run("node", "node_modules/@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "json",
               "--max-problems", "1000", *sorted(folder.iterdir()),
               env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    found = []
    rest = done.stdout.lstrip()
    while rest:  # a report for each document
        report, end = json.JSONDecoder().raw_decode(rest)
        rest = rest[end:].lstrip()
        found += [(Path(one["location"][0]["source"]["ref"]).name, one["ruleId"], one["severity"], one["message"])
                  for one in report["problems"]]
    assert (done.returncode == 0) == all(severity != "error" for _, _, severity, _ in found), done.stderr
    return found


def test_every_document_passes_a_linter(documents, tmp_path):
    assert lint(tmp_path, documents) == []


def test_the_linter_would_find_a_fault(documents, tmp_path):
    broken = json.loads(documents["native.json"])
    broken["paths"]["/v1/me"]["get"]["operationId"] = "get_v1_time"
    broken["components"]["schemas"]["Push"]["examples"] = [{"ops": 7}]
    found = lint(tmp_path, {"native.json": json.dumps(broken)})
    assert {rule for _, rule, _, _ in found} == {"operation-operationId-unique", "no-invalid-schema-examples"}


def test_no_object_has_a_key_twice(documents):
    def check(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)
    for text in documents.values():
        json.loads(text, object_pairs_hook=check)


def test_the_types_of_the_javascript_client_are_those_of_the_hub(documents):
    assert make_types(documents["native.json"]) == TYPES.read_text(), "run ./dev api-types"


def test_types_made_of_any_document_compile(documents, tmp_path):
    for name in ("all.json", "node.json"):  # the first has all faces
        (tmp_path / f"{name}.ts").write_text(make_types(documents[name]))
    done = run("node", "node_modules/typescript/bin/tsc", "--strict", "--noEmit", "--module", "NodeNext", "--types", "node",
               *sorted(tmp_path.iterdir()))
    assert done.returncode == 0, done.stdout


def test_a_client_made_of_the_types_pushes_and_pulls(shared_hub):
    done = run("node", "node_modules/typescript/bin/tsc", "-p", ".")
    assert done.returncode == 0, done.stdout
    done = run("node", "client.mjs", shared_hub.url, shared_hub.add_key()["key"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"verdicts": ["applied", "applied"], "texts": ["hello", "world"],
                                       "error": "not_found"}


def page_in_browser(url, tmp_path):
    """The document as it stands once its script has run."""
    done = run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               f"--user-data-dir={tmp_path}", "--virtual-time-budget=2000", "--dump-dom", url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_search_works_under_the_policy_of_the_page(shared_hub, tmp_path):
    page = page_in_browser(f"{shared_hub.url}/docs?q=Changes+cursor", tmp_path)
    shown = re.findall(r'<li data-entry="">.*?<code>(.*?)</code>', page)
    assert "/v1/spaces/{space}/changes" in shown, page[:2000]
    assert "/health" not in shown and "/health" in page
    assert f"{len(shown)} of {page.count('<li data-entry')}" in page


def test_errors_before_a_route_is_known_are_described_too(shared_hub, documents):
    with socket.create_connection(("127.0.0.1", shared_hub.port), timeout=DEADLINE_S) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n\r\n")  # without a Host
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    problem = json.loads(answer.split("\r\n\r\n", 1)[1])
    schema = json.loads(documents["all.json"])["components"]["schemas"]["Problem"]
    assert set(schema["required"]) <= set(problem)
    assert (problem["status"], problem["code"]) == (400, "malformed_request")
    assert "Correct it" in get(shared_hub, problem["type"]).text
