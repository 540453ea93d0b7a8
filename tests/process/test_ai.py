"""The AI gateway of a real hub, in front of an upstream that behaves and misbehaves."""
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness import Client, Hub, ROOT, cli_json, wait_until

sys.path.insert(0, str(ROOT / "tests/support"))
from ai_upstream import ANSWER, USAGE, AiUpstream  # noqa: E402

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def upstream():
    server = AiUpstream()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ai_hub(upstream, tmp_path_factory):
    key_file = tmp_path_factory.mktemp("key") / "key"
    key_file.write_text("upstream-secret-key\n")
    settings = {"ai.url": upstream.url, "ai.key_file": key_file, "ai.model": "good", "ai.timeout_seconds": 2,
                "ai.model_advisor": "no-usage", "ai.requests_at_once": 4}
    running = Hub(arguments=[word for key, value in settings.items() for word in ("--set", f"{key}={value}")]).start()
    yield running
    assert running.stop() == 0
    assert "upstream-secret-key" not in running.log_text()
    assert '"level":"error"' not in running.log_text()


@pytest.fixture
def client(ai_hub):
    """A client of an account of its own."""
    return ai_hub.client(email=f"a{time.monotonic_ns()}@example.org")


@pytest.fixture
def hub_for(upstream):
    """Starts a hub whose default model is the one named."""
    hubs = []

    def start(model):
        hubs.append(Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", f"ai.model={model}",
                                   "--set", f"ai.timeout_seconds={1 if model in ('slow', 'stream-silent') else 2}"]).start())
        return hubs[-1].client()

    yield start
    for hub in hubs:
        assert hub.stop() == 0


def total(client):
    return client.get("/ai/usage").json()["total_tokens"]


def events(answer):
    return [line[len("data: "):] for line in answer.text.splitlines() if line.startswith("data: ")]


def test_a_completion_in_kaishos_form(client, upstream):
    assert client.get("/ai/usage").json() == {"month": time.strftime("%Y-%m", time.gmtime()), "input_tokens": 0,
                                              "output_tokens": 0, "total_tokens": 0, "request_count": 0, "cap": 200000}
    answer = client.post("/ai/complete", {"system": "be brief", "messages": MESSAGES, "max_tokens": 50_000})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"text": ANSWER, "tool_calls": None, "finish_reason": "stop",
                             "usage": {"input_tokens": 11, "output_tokens": 7}}
    sent = upstream.requests[-1]
    assert sent["messages"] == [{"role": "system", "content": "be brief"}, *MESSAGES]
    assert sent["model"] == "good" and sent["max_tokens"] == 8192
    assert upstream.keys[-1] == "Bearer upstream-secret-key"
    usage = client.get("/ai/usage").json()
    assert (usage["input_tokens"], usage["output_tokens"], usage["request_count"]) == (11, 7, 1)


def test_modes_and_aliases_choose_the_model(client, upstream):
    for fields, model in (({"mode": "advisor"}, "no-usage"), ({"mode": "cron"}, "good"), ({"mode": "default"}, "good"),
                          ({"model": "kaisho:advisor"}, "no-usage"), ({"model": "kaisho:cron"}, "good")):
        assert client.post("/ai/complete", {"messages": MESSAGES, **fields}).status_code == 200
        assert upstream.requests[-1]["model"] == model
    assert "max_tokens" not in upstream.requests[-1], "nobody asked for a limit, and the cap is far"


def test_an_answer_without_usage_is_charged_by_estimate(client):
    answer = client.post("/ai/complete", {"messages": MESSAGES, "mode": "advisor"}).json()
    assert answer["usage"]["input_tokens"] > 0 and answer["usage"]["output_tokens"] > 0
    assert total(client) == sum(answer["usage"].values())


def test_tool_calls_and_their_results_are_forwarded(hub_for, upstream):
    client = hub_for("tools")
    tools = [{"type": "function", "function": {"name": "f"}}]
    answer = client.post("/ai/complete", {"messages": MESSAGES, "tools": tools}).json()
    assert answer["text"] == "" and answer["finish_reason"] == "tool_calls"
    assert answer["tool_calls"][0]["function"] == {"name": "f", "arguments": "{\"a\":1}"}
    turn = [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": answer["tool_calls"]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"}]
    assert client.post("/ai/complete", {"messages": turn, "tools": tools}).status_code == 200
    assert upstream.requests[-1]["messages"] == turn and upstream.requests[-1]["tools"] == tools


def test_bad_ai_requests_get_400(client, upstream):
    seen = len(upstream.requests)
    for body in ({}, {"messages": "hi"}, {"messages": []}, {"messages": [1]}, {"messages": [{"content": "x"}]},
                 {"messages": MESSAGES, "max_tokens": 0}, {"messages": MESSAGES, "mode": "fast"},
                 {"messages": MESSAGES, "tools": {}}, []):
        answer = client.call("POST", "/ai/complete", json=body)
        assert answer.status_code == 400 and answer.json()["error"], body
    assert client.post("/ai/complete", {"messages": MESSAGES, "model": "other"}).status_code == 400
    for body in ({"n": 2}, {"best_of": 2}, {"stream": 1}, {"max_tokens": "many"}):
        assert client.post("/v1/chat/completions", {"messages": MESSAGES, **body}).status_code == 400, body
    answer = client.post("/v1/chat/completions", {"messages": MESSAGES, "model": "other"})
    assert answer.status_code == 404 and "not offered" in answer.json()["error"]["message"]
    assert len(upstream.requests) == seen and total(client) == 0


@pytest.mark.parametrize("model, status, code", [("busy", 503, "upstream_busy"), ("refused", 502, "upstream_refused"),
                                                 ("broken", 502, "upstream_failed"), ("html", 502, "upstream_failed"),
                                                 ("rejects", 400, "upstream_rejected"), ("slow", 504, "upstream_timeout")])
def test_upstream_errors_are_reported_and_not_charged(hub_for, model, status, code):
    client = hub_for(model)
    answer = client.post("/ai/complete", {"messages": MESSAGES})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    open_ai = client.post("/v1/chat/completions", {"messages": MESSAGES})
    assert (open_ai.status_code, open_ai.json()["error"]["code"]) == (status, code)
    if model == "rejects":
        assert "rejects says no" in answer.json()["error"]
    if model == "slow":
        assert total(client) > 0, "the upstream has worked on it"
    elif model != "html":
        assert total(client) == 0


def test_a_missing_or_unreachable_upstream_is_reported(hub):
    client = hub.client()
    assert client.post("/ai/complete", {"messages": MESSAGES}).status_code == 503
    assert client.post("/v1/chat/completions", {"messages": MESSAGES}).json()["error"]["code"] == "no_upstream"
    assert client.get("/v1/models").json() == {"object": "list", "data": []}
    away = Hub(arguments=["--set", "ai.url=http://127.0.0.1:9/v1", "--set", "ai.model=m"]).start()
    answer = away.client().post("/ai/complete", {"messages": MESSAGES})
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unreachable")
    assert away.stop() == 0


def test_models_are_listed_and_unknown_members_are_forwarded(client, upstream):
    models = client.get("/v1/models").json()
    assert [model["id"] for model in models["data"]] == ["kaisho:advisor", "kaisho:cron", "no-usage", "good"]
    answer = client.post("/v1/chat/completions", {"model": "kaisho:cron", "messages": MESSAGES, "temperature": 0.25,
                                                  "future_member": {"x": 1}, "max_completion_tokens": 99})
    assert answer.json()["choices"][0]["message"]["content"] == ANSWER and answer.json()["usage"] == USAGE
    sent = upstream.requests[-1]
    assert sent["temperature"] == 0.25 and sent["future_member"] == {"x": 1}
    assert sent["max_completion_tokens"] == 99 and sent["model"] == "good"


@pytest.mark.parametrize("model", ["stream-good", "stream-late", "stream-junk"])
def test_a_stream_is_forwarded_and_usage_is_stripped_unless_requested(hub_for, upstream, model):
    client = hub_for(model)
    plain = client.post("/v1/chat/completions", {"messages": MESSAGES, "stream": True})
    assert plain.headers["Content-Type"] == "text/event-stream"
    assert upstream.requests[-1]["stream_options"] == {"include_usage": True}
    chunks = events(plain)
    assert chunks[-1] == "[DONE]"
    assert "usage" not in plain.text
    words = "".join(json.loads(chunk)["choices"][0]["delta"]["content"] for chunk in chunks[:-1])
    assert words.startswith("Hellofromupstream")
    assert total(client) == 18, "asked from the upstream all the same"
    asked = client.post("/v1/chat/completions", {"messages": MESSAGES, "stream": True,
                                                 "stream_options": {"include_usage": True}})
    assert json.loads(events(asked)[-2])["usage"] == USAGE
    assert total(client) == 36


def test_streams_without_usage_or_an_end(hub_for):
    client = hub_for("stream-no-usage")
    assert events(client.post("/v1/chat/completions", {"messages": MESSAGES, "stream": True}))[-1] == "[DONE]"
    estimated = total(client)
    assert 0 < estimated < 1000
    for model in ("stream-cut", "stream-silent"):
        client = hub_for(model)
        chunks = events(client.post("/v1/chat/completions", {"messages": MESSAGES, "stream": True}))
        assert "[DONE]" not in chunks and "error" in json.loads(chunks[-1])
        assert total(client) > 0, "what came is charged"


def test_a_reader_that_leaves_ends_the_stream_at_the_upstream(hub_for, upstream):
    client = hub_for("stream-endless")
    gone = upstream.readers_gone
    with client.call("POST", "/v1/chat/completions", json={"messages": MESSAGES, "stream": True}, stream=True) as answer:
        next(answer.iter_content(100))
    wait_until(lambda: upstream.readers_gone > gone, "the upstream's reader to leave")
    wait_until(lambda: client.get("/ai/usage").json()["output_tokens"] != 16384, "the charge to be settled")


def test_a_stopping_hub_does_not_wait_for_a_stream(upstream):
    hub = Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", "ai.model=stream-endless"]).start()
    client = hub.client()
    with client.call("POST", "/v1/chat/completions", json={"messages": MESSAGES, "stream": True}, stream=True) as answer:
        pieces = answer.iter_content(100)
        next(pieces)
        began = time.monotonic()
        assert hub.stop() == 0
        assert time.monotonic() - began < 9
        with pytest.raises(requests.exceptions.RequestException):
            for _ in pieces:
                pass  # a part is not taken for the whole


def test_the_cap_holds_for_concurrent_requests(ai_hub, upstream):
    email = "capped@example.org"
    client = ai_hub.client(email=email)
    assert cli_json("account", "ai-cap", email, "100", data=ai_hub.data)["account"] == email
    assert client.get("/ai/usage").json()["cap"] == 100
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: Client(ai_hub.url, client.key).post("/ai/complete", {"messages": MESSAGES}),
                                range(2)))
    assert sorted(answer.status_code for answer in answers) in ([200, 429], [200, 200])
    assert upstream.requests[-1]["max_tokens"] < 100, "no more than there is room for"
    for _ in range(8):
        last = client.post("/ai/complete", {"messages": MESSAGES})
        assert total(client) < 100 + 18, "an answer in progress may go past it, no new one begins"
    assert last.status_code == 429
    body = last.json()
    assert body["error"] and body["cap"] == 100 and body["usage"]["total_tokens"] < 118
    open_ai = client.post("/v1/chat/completions", {"messages": MESSAGES})
    assert open_ai.status_code == 429 and open_ai.json()["error"]["type"] == "insufficient_quota"
    cli_json("account", "ai-cap", email, "default", data=ai_hub.data)
    assert client.post("/ai/complete", {"messages": MESSAGES}).status_code == 200


def test_one_account_cannot_use_all_ai_slots(upstream):
    hub = Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", "ai.model=slow", "--set", "ai.timeout_seconds=2"]).start()
    client, other = hub.client(), hub.client(email="other@example.org")
    seen = len(upstream.requests)
    with ThreadPoolExecutor(9) as pool:
        greedy = [pool.submit(lambda: Client(client.url, client.key).post("/ai/complete", {"messages": MESSAGES}))
                  for _ in range(8)]
        wait_until(lambda: sum(future.done() for future in greedy) == 2 and len(upstream.requests) == seen + 6,
                   "what has no place is refused, the others are with the upstream")
        polite = other.post("/ai/complete", {"messages": MESSAGES})
        refused = [answer for answer in (future.result() for future in greedy) if answer.status_code == 503]
    assert len(refused) == 2 and refused[0].headers["Retry-After"]
    assert polite.status_code == 504, "it had a place"
    assert hub.stop() == 0


def test_the_answer_names_a_plan_without_ai(upstream):
    hub = Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", "ai.model=good", "--set", "plans.enforce=true"]).start()
    client = hub.client(email="small@example.org")
    assert client.post("/ai/complete", {"messages": MESSAGES}).status_code == 200
    cli_json("account", "plan", "small@example.org", "companion", data=hub.data)
    answer = client.post("/ai/complete", {"messages": MESSAGES})
    assert answer.status_code == 403 and answer.json()["current_plan"] == "companion"
    assert client.get("/ai/usage").status_code == 200
    assert hub.stop() == 0
