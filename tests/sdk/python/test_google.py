"""The official Google client: content, streams, functions, structured output, embeddings, errors, retries, timeouts."""

import json

import httpx2
import pydantic
import pytest
from google.genai import errors, types

from gateway import DIRECT, MODEL, SANDBOX, dial, record, record_of_event, unique

ASK = "How is the weather in Lisbon?"
WEATHER = types.FunctionDeclaration(
    name="weather",
    description="The weather of a city.",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
MUST_USE = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[WEATHER])],
    tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
)


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def generate(client, **more):
    return client.models.generate_content(**{"model": MODEL, "contents": ASK} | more)


def with_headers(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers=named))


def test_content(google_client):
    answer = generate(google_client)
    assert answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count > 0


def test_streamed_content_says_the_same(google_client):
    whole = generate(google_client)
    chunks = list(google_client.models.generate_content_stream(model=MODEL, contents=ASK))
    assert len(chunks) > 1
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata.total_token_count == whole.usage_metadata.total_token_count


def test_either_version_of_the_api(google_client):
    for version in ("v1", "v1beta"):
        config = types.GenerateContentConfig(http_options=types.HttpOptions(base_url=SANDBOX, api_version=version))
        assert generate(google_client, config=config).text


def test_functions_round_trip(google_client):
    asked = generate(google_client, config=MUST_USE)
    (call,) = asked.function_calls
    assert call.name == "weather"
    assert isinstance(call.args["city"], str)
    history = [
        types.Content(role="user", parts=[types.Part.from_text(text=ASK)]),
        asked.candidates[0].content,
        types.Content(role="user", parts=[types.Part.from_function_response(name=call.name, response={"sky": "clear"})]),
    ]
    assert generate(google_client, contents=history).text


def test_streamed_function_call(google_client):
    whole = generate(google_client, config=MUST_USE).function_calls
    chunks = google_client.models.generate_content_stream(model=MODEL, contents=ASK, config=MUST_USE)
    streamed = [call for chunk in chunks for call in chunk.function_calls or []]
    assert [(call.name, call.args) for call in streamed] == [(call.name, call.args) for call in whole]


def test_structured_output(google_client):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
    assert isinstance(generate(google_client, config=config).parsed, City)


def test_embeddings(google_client):
    one = google_client.models.embed_content(model=MODEL, contents="a")
    two = google_client.models.embed_content(model=MODEL, contents=["a", "b"])
    assert len(two.embeddings) == 2
    assert one.embeddings[0].values == two.embeddings[0].values != two.embeddings[1].values


def test_count_tokens(google_client):
    counted = google_client.models.count_tokens(model=MODEL, contents=ASK)
    assert counted.total_tokens == generate(google_client).usage_metadata.prompt_token_count


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_status_becomes_the_clients_own_error(google_client, status):
    with pytest.raises(errors.ClientError if status < 500 else errors.ServerError) as raised:
        generate(google_client, model=dial(status=status))
    assert raised.value.code == status
    # The fields that the client looks for in Google's own error body.
    assert raised.value.status
    assert raised.value.message


def test_an_error_while_asking_for_a_stream(google_client):
    with pytest.raises(errors.ClientError) as raised:
        list(google_client.models.generate_content_stream(model=dial(status=429), contents=ASK))
    assert raised.value.code == 429


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(("attempts", "answered"), [(3, True), (2, False)])
def test_the_client_retries_as_often_as_it_was_told(google_client, status, attempts, answered):
    retry = types.HttpRetryOptions(attempts=attempts, initial_delay=0.01, max_delay=0.02)
    config = types.GenerateContentConfig(http_options=types.HttpOptions(retry_options=retry))
    model = dial(fail=2, status=status, key=unique())
    if answered:
        assert generate(google_client, model=model, config=config).text
    else:
        with pytest.raises(errors.APIError) as raised:
            generate(google_client, model=model, config=config)
        assert raised.value.code == status


def test_the_clients_timeout(google_client):
    event = unique()
    options = types.HttpOptions(timeout=300, headers={"cf-aig-event-id": event})
    with pytest.raises(httpx2.TimeoutException):
        config = types.GenerateContentConfig(http_options=options)
        generate(google_client, model=dial(latency=30_000), config=config)
    if not DIRECT:
        assert record_of_event(event)["success"] is False


@pytest.mark.gateway
def test_the_record_has_tokens_cost_and_metadata(google_client):
    answer = generate(google_client, config=with_headers(cf_aig_metadata='{"team":"sdk"}'))
    usage = answer.usage_metadata
    row = record(answer.sdk_http_response.headers["cf-aig-log-id"])
    assert (row["provider"], row["model"]) == ("sandbox", MODEL)
    assert row["path"].endswith(f"/models/{MODEL}:generateContent")
    assert (row["tokens_in"], row["tokens_out"]) == (usage.prompt_token_count, usage.candidates_token_count)
    assert row["cost"] > 0
    assert json.loads(row["metadata"]) == {"team": "sdk"}


@pytest.mark.gateway
def test_the_record_of_a_stream(google_client):
    chunks = list(google_client.models.generate_content_stream(model=MODEL, contents=ASK))
    row = record(chunks[0].sdk_http_response.headers["cf-aig-log-id"])
    assert row["success"] is True
    assert row["tokens_out"] == chunks[-1].usage_metadata.candidates_token_count
    assert row["cost"] > 0


@pytest.mark.gateway
def test_the_second_time_it_comes_from_the_cache(google_client):
    config = with_headers(cf_aig_cache_key=unique())
    first, second = (generate(google_client, config=config) for _ in range(2))
    assert first.sdk_http_response.headers["cf-aig-cache-status"] == "MISS"
    assert second.sdk_http_response.headers["cf-aig-cache-status"] == "HIT"
    assert second.text == first.text
