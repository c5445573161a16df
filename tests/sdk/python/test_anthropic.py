"""The official Anthropic client: messages, streams, tools, structured output, token counts, errors, retries, timeouts."""

import json

import anthropic
import httpx2
import pydantic
import pytest

from gateway import DIRECT, MODEL, SANDBOX, TOKEN, dial, record, record_of_event, unique

ASK = [{"role": "user", "content": "How is the weather in Lisbon?"}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
MUST_USE = {"tools": [WEATHER], "tool_choice": {"type": "any"}}

ERRORS = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic.ServiceUnavailableError,
    529: anthropic.OverloadedError,
}


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def message(client, **more):
    return client.messages.create(**{"model": MODEL, "max_tokens": 1024, "messages": ASK} | more)


def stream(client, **more):
    return client.messages.stream(**{"model": MODEL, "max_tokens": 1024, "messages": ASK} | more)


def test_message(anthropic_client):
    answer = message(anthropic_client)
    assert answer.content[0].text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_streamed_message_says_the_same(anthropic_client):
    whole = message(anthropic_client)
    with stream(anthropic_client) as streamed:
        texts = list(streamed.text_stream)
        gathered = streamed.get_final_message()
    assert len(texts) > 1
    assert "".join(texts) == gathered.content[0].text == whole.content[0].text
    assert gathered.stop_reason == "end_turn"
    assert (gathered.usage.input_tokens, gathered.usage.output_tokens) == (
        whole.usage.input_tokens,
        whole.usage.output_tokens,
    )


def test_raw_events_come_in_order(anthropic_client):
    kinds = [event.type for event in message(anthropic_client, stream=True)]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") >= 1


def test_tools_round_trip(anthropic_client):
    asked = message(anthropic_client, **MUST_USE)
    assert asked.stop_reason == "tool_use"
    (call,) = [block for block in asked.content if block.type == "tool_use"]
    assert call.name == "weather"
    assert isinstance(call.input["city"], str)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": '{"sky":"clear"}'}
    follow_up = [*ASK, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
    answer = message(anthropic_client, messages=follow_up, tools=[WEATHER])
    assert answer.stop_reason == "end_turn"
    assert answer.content[0].text


def test_streamed_tool_call(anthropic_client):
    (whole,) = [block for block in message(anthropic_client, **MUST_USE).content if block.type == "tool_use"]
    with stream(anthropic_client, **MUST_USE) as streamed:
        pieces = [event.partial_json for event in streamed if event.type == "input_json"]
        (call,) = [block for block in streamed.get_final_message().content if block.type == "tool_use"]
    assert len([piece for piece in pieces if piece]) > 1
    assert json.loads("".join(pieces)) == call.input == whole.input


def test_structured_output(anthropic_client):
    answer = anthropic_client.messages.parse(model=MODEL, max_tokens=1024, messages=ASK, output_format=City)
    assert isinstance(answer.parsed_output, City)


def test_count_tokens(anthropic_client):
    short = anthropic_client.messages.count_tokens(model=MODEL, messages=ASK)
    long = anthropic_client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "word " * 500}])
    assert 0 < short.input_tokens < long.input_tokens
    assert short.input_tokens == message(anthropic_client).usage.input_tokens


@pytest.mark.parametrize("status", ERRORS)
def test_a_status_becomes_the_clients_own_error(anthropic_client, status):
    with pytest.raises(ERRORS[status]) as raised:
        message(anthropic_client, model=dial(status=status))
    assert type(raised.value) is ERRORS[status]
    assert raised.value.body["type"] == "error"
    assert raised.value.body["error"]["message"]


def test_an_error_while_asking_for_a_stream(anthropic_client):
    with pytest.raises(anthropic.RateLimitError), stream(anthropic_client, model=dial(status=429)) as streamed:
        streamed.until_done()


def test_an_invalid_request_is_the_providers_to_refuse(anthropic_client):
    with pytest.raises(anthropic.BadRequestError):
        message(anthropic_client, messages="not a list")


@pytest.mark.parametrize("status", [429, 500, 529])
def test_the_client_retries_by_itself(anthropic_client, status):
    patient = anthropic_client.with_options(max_retries=2)
    model = dial(fail=2, status=status, key=unique())
    raw = patient.messages.with_raw_response.create(model=model, max_tokens=64, messages=ASK)
    assert raw.retries_taken == 2
    assert raw.parse().content[0].text


def test_the_clients_timeout(anthropic_client):
    event = unique()
    impatient = anthropic_client.with_options(timeout=0.3)
    with pytest.raises(anthropic.APITimeoutError):
        message(impatient, model=dial(latency=30_000), extra_headers={"cf-aig-event-id": event})
    if not DIRECT:
        assert record_of_event(event)["success"] is False


def test_a_stream_cut_by_the_provider_is_an_error(anthropic_client):
    events, heard = message(anthropic_client, model=dial(cut=3), stream=True), []
    with pytest.raises((anthropic.APIError, httpx2.TransportError)):
        heard.extend(event for event in events)
    assert heard[0].type == "message_start" and heard[-1].type != "message_stop"


@pytest.mark.gateway
@pytest.mark.parametrize("key", ["cf-aig-authorization", "x-api-key"])
def test_the_token_in_other_places(key):
    with anthropic.Anthropic(
        base_url=SANDBOX, api_key="fake", default_headers={key: TOKEN}, max_retries=0
    ) as client:
        assert message(client).content[0].text


@pytest.mark.gateway
def test_the_record_has_tokens_cost_and_metadata(anthropic_client):
    raw = anthropic_client.messages.with_raw_response.create(
        model=MODEL, max_tokens=64, messages=ASK, extra_headers={"cf-aig-metadata": '{"team":"sdk"}'}
    )
    usage = raw.parse().usage
    row = record(raw.headers["cf-aig-log-id"])
    assert (row["provider"], row["model"], row["path"]) == ("sandbox", MODEL, "v1/messages")
    assert (row["tokens_in"], row["tokens_out"]) == (usage.input_tokens, usage.output_tokens)
    assert row["cost"] > 0
    assert json.loads(row["metadata"]) == {"team": "sdk"}


@pytest.mark.gateway
def test_the_record_of_a_stream(anthropic_client):
    raw = anthropic_client.messages.with_raw_response.create(model=MODEL, max_tokens=64, messages=ASK, stream=True)
    events = list(raw.parse())
    (last,) = [event for event in events if event.type == "message_delta"]
    row = record(raw.headers["cf-aig-log-id"])
    assert (row["success"], row["tokens_out"]) == (True, last.usage.output_tokens)
    assert row["cost"] > 0


@pytest.mark.gateway
def test_the_second_time_it_comes_from_the_cache(anthropic_client):
    create = anthropic_client.messages.with_raw_response.create
    asked = {"model": MODEL, "max_tokens": 64, "messages": ASK, "extra_headers": {"cf-aig-cache-key": unique()}}
    first, second = create(**asked), create(**asked)
    assert first.headers["cf-aig-cache-status"] == "MISS"
    assert second.headers["cf-aig-cache-status"] == "HIT"
    assert second.parse() == first.parse()
