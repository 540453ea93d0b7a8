"""The helpers of the JavaScript client beside the published clients: what one side writes, the other side reads."""
import datetime
import json
import os
import subprocess

import pytest
from harness import ROOT, Hub
from kaisho_devices import Desktop, Phone
from kernle_devices import Home

CLIENT = ROOT / "clients/js"
PRELUDE = """
import { open } from '@syncline/client';
import { kaisho } from '@syncline/client/kaisho';
import { kernle } from '@syncline/client/kernle';
const db = await open({ name: 'device', store: 'memory', url: process.env.HUB_URL, key: process.env.HUB_KEY,
  spaces: ['kaisho', 'kernle/claire'] });
await db.synced();
const { timer, entries, inbox, tasks, notes } = kaisho(db);
const claire = kernle(db, 'claire');
let result;
"""
END = """
await db.synced();
db.close();
console.log(JSON.stringify(result ?? null));
"""

pytestmark = pytest.mark.alone  # the tests of the client build the same files


@pytest.fixture(scope="module", autouse=True)
def built():
    if not (CLIENT / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=CLIENT, timeout=300, check=True)
    subprocess.run(["node", "build.mjs"], cwd=CLIENT, timeout=300, check=True)


@pytest.fixture(name="hub")
def started_hub():
    hub = Hub().start()
    yield hub
    hub.stop()


def run_js(hub, key, body):
    """Runs `body` on a device of its own that is in sync before and afterwards; returns what it assigns to `result`."""
    done = subprocess.run(["node", "--input-type=module", "-e", PRELUDE + body + END], cwd=CLIENT, timeout=60,
                          env=os.environ | {"HUB_URL": hub.url, "HUB_KEY": key}, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_kernle_reads_what_an_agent_remembers_in_javascript_and_the_other_way_round(hub):
    key = hub.add_key(token="knl_sk_" + "6" * 32)["key"]
    home = Home(hub.url, key, "claire")
    ids = run_js(hub, hub.add_key(label="page")["key"], """
        const note = await claire.remember({ text: 'Statement timeout is 5 s', kind: 'decision', tags: ['db'] });
        const episode = await claire.remember({ kind: 'episode', title: 'Port the parser', text: 'It took a day',
          lessons: ['Fuzz first'] });
        result = [note.id, episode.id];""")
    home.pull()
    note, episode = (home.rows[tuple(one.split("/", 1))] for one in ids)
    assert (note["content"], note["note_type"], note["tags"]) == ("Statement timeout is 5 s", "decision", ["db"])
    assert (episode["objective"], episode["outcome"], episode["lessons"]) == ("Port the parser", "It took a day",
                                                                              ["Fuzz first"])
    assert not home.quarantine

    theirs = home.put("notes", "Lunch at noon", note_type="insight", tags=["food"])
    home.push()
    memory, known, found = run_js(hub, hub.add_key(label="other page")["key"], f"""
        result = [await claire.get('notes/{theirs}'), await claire.remember({{ text: 'lunch, at NOON', kind: 'insight' }}),
          (await claire.search('lunch')).map((one) => one.id)];""")
    assert (memory["text"], memory["kind"], memory["tags"]) == ("Lunch at noon", "insight", ["food"])
    assert known == {"status": "already_known", "id": f"notes/{theirs}"}
    assert found == [f"notes/{theirs}"]


def test_kaisho_reads_the_time_that_javascript_books_and_the_other_way_round(hub):
    desktop = Desktop(hub.url, hub.add_key(label="desktop")["key"], datetime.timezone.utc)
    key = hub.add_key(label="page")["key"]
    entry, note, running = run_js(hub, key, """
        const entry = await entries.book({ minutes: 30, customer: 'Acme', description: 'Call' });
        const note = await notes.add({ title: 'Ask', body: 'When?' });
        await inbox.add({ title: 'Idea', type: 'IDEA' });
        await tasks.add({ title: 'Port', tags: ['code'] });
        const running = await timer.start({ customer: 'Acme', description: 'Review' });
        result = [entry, note, running];""")
    desktop.sync()
    assert set(desktop.rows["entries"]) == {entry["id"], running["id"]}
    row = desktop.rows["entries"][entry["id"]]
    assert (row["customer"], row["description"]) == ("Acme", "Call")
    assert desktop.to_wire(row["start"]) == entry["start"]
    assert desktop.rows["notes"][note["id"]]["body"] == "When?"
    assert [item["type"] for item in desktop.rows["inbox"].values()] == ["IDEA"]
    assert [task["tags"] for task in desktop.rows["tasks"].values()] == [["code"]]
    assert Phone(hub.url, key).client.get("/clocks/active").json()["id"] == running["id"]

    desktop.stop_timer()
    desktop.sync()
    still, texts = run_js(hub, key, """
        result = [await timer.running() ?? null, (await entries.between()).map((one) => [one.description, one.end !== null])];
        """)
    assert still is None
    assert sorted(texts) == [["Call", True], ["Review", True]]
