"""The limit of an answer: when the gateway sends one, what it calls it, and what a client learns of a cut answer."""
import json
import time

import pytest

from harness import Hub, cli_json
from test_ai import MESSAGES, events, total, upstream  # noqa: F401


@pytest.fixture
def hub_for(upstream):  # noqa: F811
    """Starts a hub whose default model is the one named, and returns a client of it."""
    hubs = []

    def start(model, cap=None, **more):
        settings = {"ai.url": upstream.url, "ai.model": model, "ai.timeout_seconds": 2, **more}
        hub = Hub(arguments=[word for key, value in settings.items() for word in ("--set", f"{key}={value}")]).start()
        hubs.append(hub)
        email = f"a{time.monotonic_ns()}@example.org"
        client = hub.client(email=email)
        if cap:
            cli_json("account", "ai-cap", email, str(cap), data=hub.data)
        return client

    yield start
    for hub in hubs:
        assert hub.stop() == 0


def chat(client, **more):
    return client.post("/v1/chat/completions", {"messages": MESSAGES, **more})


def limits(request):
    return {name: value for name, value in request.items() if name.startswith("max_")}


@pytest.mark.parametrize("model", ["good", "new-model", "old-model"])
def test_no_limit_is_sent_while_the_cap_is_far(hub_for, upstream, model):  # noqa: F811
    client = hub_for(model)
    seen = len(upstream.requests)
    assert chat(client).status_code == 200
    assert client.post("/ai/complete", {"messages": MESSAGES}).status_code == 200
    assert [limits(request) for request in upstream.requests[seen:]] == [{}, {}]
    assert total(client) == 36


@pytest.mark.parametrize("model, first, name", [("new-model", "max_tokens", "max_completion_tokens"),
                                                ("old-model", "max_completion_tokens", "max_tokens")])
def test_a_limit_that_the_model_refuses_is_sent_once_more_by_its_other_name(hub_for, upstream, model, first, name):  # noqa: F811
    client = hub_for(model)
    for turn, wanted in enumerate(([{first: 55}, {name: 55}], [{name: 55}])):
        seen = len(upstream.requests)
        assert chat(client, **{first: 55}).status_code == 200
        assert [limits(request) for request in upstream.requests[seen:]] == wanted, "remembered at the second turn"
        assert total(client) == 18 * (turn + 1), "what was refused cost nothing"
    assert chat(client, stream=True, **{first: 55}).text.count("data: [DONE]") == 1


def test_a_fixed_name_is_used_at_once_and_no_other_is_tried(hub_for, upstream):  # noqa: F811
    client = hub_for("new-model", **{"ai.limit_parameter": "max_completion_tokens"})
    seen = len(upstream.requests)
    assert chat(client, max_tokens=55).status_code == 200
    assert [limits(request) for request in upstream.requests[seen:]] == [{"max_completion_tokens": 55}]
    client = hub_for("new-model", **{"ai.limit_parameter": "max_tokens"})
    answer = chat(client, max_tokens=55)
    assert answer.status_code == 400 and "Unsupported parameter" in answer.json()["error"]["message"]
    assert total(client) == 0


def test_near_the_cap_the_limit_is_what_is_left(hub_for, upstream):  # noqa: F811
    client = hub_for("new-model", cap=1000)
    assert chat(client).status_code == 200
    left = limits(upstream.requests[-1])["max_completion_tokens"]
    assert 900 < left < 1000
    assert total(client) == 18


@pytest.mark.parametrize("cap, limit, why", [(1000, None, "monthly_cap"), (None, 55, "request_limit"),
                                             (None, None, "model")])
def test_a_cut_answer_says_so_and_why(hub_for, cap, limit, why):
    client = hub_for("cut", cap=cap)
    more = {"max_tokens": limit} if limit else {}
    answer = chat(client, **more)
    assert answer.json()["choices"][0]["finish_reason"] == "length"
    assert answer.json()["cut_by"] == answer.headers["X-Cut-By"] == why
    for_kaisho = client.post("/ai/complete", {"messages": MESSAGES, **more})
    assert for_kaisho.json()["finish_reason"] == "length"
    assert for_kaisho.json()["cut_by"] == for_kaisho.headers["X-Cut-By"] == why
    response = client.post("/v1/responses", {"input": "hi", **({"max_output_tokens": limit} if limit else {})})
    assert response.json()["status"] == "incomplete" and response.json()["cut_by"] == why


def test_a_cut_stream_says_so_and_why(hub_for):
    chunks = [json.loads(chunk) for chunk in events(chat(hub_for("stream-cut-off", cap=1000), stream=True))[:-1]]
    assert [chunk.get("cut_by") for chunk in chunks][-1] == "monthly_cap"
    assert chunks[-1]["choices"][0]["finish_reason"] == "length" and "cut_by" not in chunks[0]


def test_a_complete_answer_has_no_cut_by(hub_for):
    answer = chat(hub_for("good", cap=1000))
    assert "cut_by" not in answer.json() and "X-Cut-By" not in answer.headers
