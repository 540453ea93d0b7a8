"""What a node notices without being asked: a key that was revoked, and answers that are not the hub's."""
import time

from harness import Client, cli, wait_until
from node_harness import Node


def status_of(node, space="notes"):
    return node.status()[space]


def test_a_revoked_key_is_reported_although_nobody_writes(hub):
    key = hub.add_key()
    Client(hub.url, key["key"]).push("notes", [{"collection": "items", "id": "n1", "doc": {}}])
    node = Node().start()
    try:
        node.connect(hub.url, key["key"])
        wait_until(lambda: "notes" in node.status() and status_of(node)["reason"] == "in sync", "the link stands")
        cli("key", "revoke", key["id"], data=hub.data)
        # The interval between two polls is five minutes.
        wait_until(lambda: status_of(node)["state"] == "reauth", "the status says that the key is not accepted", 20)
        assert "does not accept the key" in status_of(node)["reason"]
        assert "401" in status_of(node)["reason"]
    finally:
        assert node.stop() == 0
