"""PouchDB, unmodified, against a hub that has the test-only face."""
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "process"))
import harness  # noqa: E402

COUCH_HUB = Path(harness.BINARY).with_name("couch_hub")


def test_pouchdb_copies_documents_both_ways():
    hub = harness.Hub(binary=COUCH_HUB).start()
    try:
        key = hub.add_key()["key"]
        done = subprocess.run(["node", "replicate.mjs", f"{hub.url}/couch/notes", key], cwd=HERE / "pouchdb",
                              capture_output=True, text=True, timeout=harness.DEADLINE_S * 2, env=os.environ)
        assert done.returncode == 0, done.stderr[-3000:] + hub.log_text()[-2000:]
        copied = json.loads(done.stdout)
        assert [copied[name] for name in ("pushed", "phone_pushed", "phone_pulled", "pulled", "failures")] == \
            [100, 100, 100, 100, 0]
        assert (copied["edits"], copied["again"]) == (2, 0)
        assert copied["laptop"] == copied["phone"]
        assert len(copied["laptop"]) == 199
        by_id = {document["_id"]: document for document in copied["laptop"]}
        assert by_id["laptop-7"]["text"] == "edited on the phone"
        assert by_id["phone-3"]["text"] == "note 3 äöü 🦊"
        assert "laptop-8" not in by_id
        # The same records through the hub's own API.
        spaces = harness.Client(hub.url, key).get("/v1/spaces").json()["spaces"]
        assert [space["name"] for space in spaces] == ["couch/notes"]
    finally:
        assert hub.stop() == 0, hub.log_text()[-3000:]
