"""OpenAI's own client in front of the gateway: what it reads, and what it makes of errors."""
import json
import subprocess
import time
from pathlib import Path

import pytest

from harness import Hub, cli_json
from test_ai import ANSWER, total, upstream  # noqa: F401

CLIENT = Path(__file__).parent / "openai_client"


def ask(url, key, step, model="good"):
    done = subprocess.run(["node", "client.mjs", f"{url}/v1", key, step, model], cwd=CLIENT, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def gateway(upstream):  # noqa: F811
    settings = {"ai.url": upstream.url, "ai.model": "good", "ai.model_advisor": "tools", "ai.model_cron": "new-model",
                "ai.model_embeddings": "embedder"}
    hub = Hub(arguments=[word for key, value in settings.items() for word in ("--set", f"{key}={value}")]).start()
    yield hub
    assert hub.stop() == 0


@pytest.fixture
def client(gateway):
    return gateway.client(email=f"o{time.monotonic_ns()}@example.org")


def test_models_answers_tools_and_streams(gateway, client):
    def step(name, model="good"):
        return ask(gateway.url, client.key, name, model)["answer"]
    assert step("models") == ["kaisho:advisor", "kaisho:cron", "tools", "new-model", "good", "embedder"]
    plain = step("plain")
    assert plain["choices"][0]["message"]["content"] == ANSWER and plain["usage"]["total_tokens"] == 18
    assert step("plain", "new-model")["choices"][0]["finish_reason"] == "stop"
    assert step("limited", "new-model")["choices"][0]["finish_reason"] == "stop"
    assert step("tools", "tools")["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "f"
    chunks = step("stream")
    assert "".join(one["choices"][0]["delta"]["content"] for one in chunks if one["choices"]) == ANSWER.replace(" ", "")
    assert chunks[-1]["usage"]["total_tokens"] == 18
    assert total(client) == 5 * 18


def test_embeddings_and_responses_are_forwarded_and_metered(gateway, client, upstream):  # noqa: F811
    assert ask(gateway.url, client.key, "embeddings", "embedder")["answer"]["data"][0]["embedding"] == [1, 2]
    assert total(client) == 3
    response = ask(gateway.url, client.key, "responses")["answer"]
    assert response["output_text"] == ANSWER
    assert "max_output_tokens" not in upstream.requests[-1] and total(client) == 21
    pieces = ask(gateway.url, client.key, "response_stream")["answer"]
    assert [piece["type"] for piece in pieces] == ["response.output_text.delta", "response.completed"]
    assert pieces[-1]["response"]["usage"]["output_tokens"] == 7 and total(client) == 39
    answer = client.post("/v1/responses", {"input": "hi", "background": True})
    assert answer.status_code == 400 and total(client) == 39


def test_a_route_that_the_upstream_lacks_is_a_404(upstream):  # noqa: F811
    hub = Hub(arguments=["--set", f"ai.url={upstream.url}", "--set", "ai.model=no-routes"]).start()
    client = hub.client()
    for step in ("embeddings", "responses", "response_stream"):
        failed = ask(hub.url, client.key, step, "no-routes")
        assert (failed["error"], failed["status"]) == ("NotFoundError", 404) and "no such route" in failed["message"]
    assert total(client) == 0
    assert hub.stop() == 0


def test_errors_reach_the_client_as_its_own_types(gateway):
    assert ask(gateway.url, "sl_wrong", "plain")["error"] == "AuthenticationError"
    email = f"o{time.monotonic_ns()}@example.org"
    client = gateway.client(email=email)
    assert ask(gateway.url, client.key, "plain", "other")["error"] == "NotFoundError"
    cli_json("account", "ai-cap", email, "1", data=gateway.data)
    for step in ("plain", "stream", "responses", "embeddings"):
        failed = ask(gateway.url, client.key, step, "embedder" if step == "embeddings" else "good")
        assert (failed["error"], failed["code"]) == ("RateLimitError", "insufficient_quota"), step
