"""The official OpenAI client: chat, responses, tools, structured output, embeddings, errors, retries, timeouts."""

import asyncio
import json

import httpx2
import openai
import pydantic
import pytest

from gateway import DIRECT, MODEL, ROOT, SANDBOX, TOKEN, dial, record, record_of_event, unique

ASK = [{"role": "user", "content": "How is the weather in Lisbon?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
TEXT_FORMAT = {"type": "function", "name": "weather", "parameters": WEATHER["function"]["parameters"], "strict": True}

ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def chat(client, **more):
    return client.chat.completions.create(**{"model": MODEL, "messages": ASK} | more)


def test_chat(openai_client):
    answer = chat(openai_client)
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_streamed_chat_says_the_same(openai_client):
    whole = chat(openai_client)
    chunks = list(chat(openai_client, stream=True, stream_options={"include_usage": True}))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) > 1
    assert "".join(texts) == whole.choices[0].message.content
    assert [chunk.usage for chunk in chunks if chunk.usage] == [whole.usage]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


def test_stream_helper_gathers_the_answer(openai_client):
    with openai_client.chat.completions.stream(model=MODEL, messages=ASK) as stream:
        kinds = {event.type for event in stream}
        gathered = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert gathered.choices[0].message.content == chat(openai_client).choices[0].message.content


def test_tools_round_trip(openai_client):
    asked = chat(openai_client, tools=[WEATHER], tool_choice="required")
    assert asked.choices[0].finish_reason == "tool_calls"
    (call,) = asked.choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"sky":"clear"}'}
    answer = chat(openai_client, messages=[*ASK, asked.choices[0].message, result], tools=[WEATHER])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


def test_streamed_tool_call(openai_client):
    whole = chat(openai_client, tools=[WEATHER], tool_choice="required").choices[0].message.tool_calls[0]
    name, arguments, pieces = "", "", 0
    for chunk in chat(openai_client, tools=[WEATHER], tool_choice="required", stream=True):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
            pieces += 1
    assert pieces > 1
    assert (name, json.loads(arguments)) == ("weather", json.loads(whole.function.arguments))


def test_structured_output(openai_client):
    answer = openai_client.chat.completions.parse(model=MODEL, messages=ASK, response_format=City)
    assert isinstance(answer.choices[0].message.parsed, City)


def test_response(openai_client):
    answer = openai_client.responses.create(model=MODEL, input="How is the weather in Lisbon?")
    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


def test_streamed_response_says_the_same(openai_client):
    asked = {"model": MODEL, "input": "How is the weather in Lisbon?"}
    whole = openai_client.responses.create(**asked)
    events = list(openai_client.responses.create(**asked, stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1
    assert "".join(deltas) == whole.output_text
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage == whole.usage


def test_response_with_tools(openai_client):
    asked = {"model": MODEL, "tools": [TEXT_FORMAT], "tool_choice": "required"}
    question = [{"role": "user", "content": "How is the weather in Lisbon?"}]
    first = openai_client.responses.create(**asked, input=question)
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert isinstance(json.loads(call.arguments)["city"], str)
    told = {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky":"clear"}'}
    second = openai_client.responses.create(model=MODEL, tools=[TEXT_FORMAT], input=[*question, *first.output, told])
    assert second.output_text


def test_response_with_structure(openai_client):
    answer = openai_client.responses.parse(model=MODEL, input="Name a city.", text_format=City)
    assert isinstance(answer.output_parsed, City)


def test_embeddings(openai_client):
    one = openai_client.embeddings.create(model=MODEL, input="a")
    two = openai_client.embeddings.create(model=MODEL, input=["a", "b"], encoding_format="float")
    assert len(two.data) == 2
    assert len(one.data[0].embedding) == len(two.data[1].embedding) > 1
    # Asked for as base64 by the client itself, and as numbers: the same vector.
    assert one.data[0].embedding == pytest.approx(two.data[0].embedding, rel=1e-6)
    assert two.data[0].embedding != two.data[1].embedding
    assert two.usage.prompt_tokens > 0


@pytest.mark.parametrize("status", ERRORS)
def test_a_status_becomes_the_clients_own_error(openai_client, status):
    with pytest.raises(ERRORS[status]) as raised:
        chat(openai_client, model=dial(status=status))
    assert type(raised.value) is ERRORS[status]
    assert raised.value.status_code == status
    # The provider's own body, untouched: the client found the fields that it looks for.
    assert raised.value.body["message"]
    assert raised.value.type


def test_an_error_while_asking_for_a_stream(openai_client):
    with pytest.raises(openai.RateLimitError):
        chat(openai_client, model=dial(status=429), stream=True)


def test_retry_after_is_visible(openai_client):
    with pytest.raises(openai.RateLimitError) as raised:
        chat(openai_client, model=dial(status=429, retry_after=7))
    assert raised.value.response.headers["retry-after"] == "7"


def test_the_sandboxs_header_works_like_a_dial(openai_client):
    with pytest.raises(openai.InternalServerError):
        chat(openai_client, extra_headers={"tollgate-sandbox": "status=503"})


def test_an_invalid_request_is_the_providers_to_refuse(openai_client):
    with pytest.raises(openai.BadRequestError):
        openai_client.chat.completions.create(model=MODEL, messages="not a list")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_client_retries_by_itself(openai_client, status):
    model = dial(fail=2, status=status, key=unique())
    raw = openai_client.with_options(max_retries=2).chat.completions.with_raw_response.create(model=model, messages=ASK)
    assert raw.retries_taken == 2
    assert raw.parse().choices[0].message.content


def test_the_client_gives_up_retrying(openai_client):
    with pytest.raises(openai.RateLimitError):
        chat(openai_client.with_options(max_retries=1), model=dial(fail=2, status=429, key=unique()))


def test_the_clients_timeout(openai_client):
    event = unique()
    impatient = openai_client.with_options(timeout=0.3)
    with pytest.raises(openai.APITimeoutError):
        chat(impatient, model=dial(latency=30_000), extra_headers={"cf-aig-event-id": event})
    if not DIRECT:
        # The upstream was left as well: the record is there long before the sandbox would have answered.
        assert record_of_event(event)["success"] is False


def test_a_stream_cut_by_the_provider_is_an_error(openai_client):
    stream, heard = chat(openai_client, model=dial(cut=3), stream=True), []
    with pytest.raises((openai.APIError, httpx2.TransportError)):
        heard.extend(chunk for chunk in stream)
    assert len(heard) == 3


def test_many_at_once_each_get_their_own(openai_client):
    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=f"{SANDBOX}/v1", api_key=TOKEN, max_retries=0) as client:
            return await asyncio.gather(*(client.embeddings.create(model=MODEL, input=f"text {n}") for n in range(40)))

    together = [tuple(answer.data[0].embedding) for answer in asyncio.run(all_of_them())]
    assert len(set(together)) == 40
    alone = openai_client.embeddings.create(model=MODEL, input="text 7")
    assert together[7] == tuple(alone.data[0].embedding)


def test_async_stream(openai_client):
    async def texts():
        async with openai.AsyncOpenAI(base_url=f"{SANDBOX}/v1", api_key=TOKEN, max_retries=0) as client:
            stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
            return [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]

    assert "".join(text or "" for text in asyncio.run(texts())) == chat(openai_client).choices[0].message.content


@pytest.mark.gateway
def test_the_gateways_own_refusal(openai_client):
    with pytest.raises(openai.BadRequestError) as raised:
        chat(openai_client.with_options(base_url=f"{ROOT}/no-such-provider/v1"))
    assert raised.value.body[0]["code"] == 2008
    assert raised.value.response.json()["name"] == "AiGatewayError"


@pytest.mark.gateway
def test_the_token_beside_a_key(openai_client):
    both = openai_client.with_options(api_key="fake", default_headers={"cf-aig-authorization": f"Bearer {TOKEN}"})
    assert chat(both).choices[0].message.content


@pytest.mark.gateway
def test_the_record_has_tokens_cost_and_metadata(openai_client):
    marks = {"team": "sdk", "n": 7, "dry": True}
    raw = openai_client.chat.completions.with_raw_response.create(
        model=MODEL, messages=ASK, extra_headers={"cf-aig-metadata": json.dumps(marks)}
    )
    usage = raw.parse().usage
    row = record(raw.headers["cf-aig-log-id"])
    assert (row["provider"], row["model"], row["path"]) == ("sandbox", MODEL, "v1/chat/completions")
    assert (row["status_code"], row["success"], row["cached"]) == (200, True, False)
    assert (row["tokens_in"], row["tokens_out"]) == (usage.prompt_tokens, usage.completion_tokens)
    assert row["cost"] > 0
    assert json.loads(row["metadata"]) == marks
    assert row["user_agent"].startswith("OpenAI/Python ")


@pytest.mark.gateway
def test_the_record_of_a_stream_has_tokens_the_caller_did_not_ask_for(openai_client):
    raw = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK, stream=True)
    assert all(chunk.usage is None for chunk in raw.parse())
    row = record(raw.headers["cf-aig-log-id"])
    assert row["success"] is True
    assert row["tokens_in"] > 0 and row["tokens_out"] > 0
    assert row["cost"] > 0


@pytest.mark.gateway
def test_custom_cost(openai_client):
    price = {"per_token_in": 0.000001, "per_token_out": 0.000002}
    raw = openai_client.chat.completions.with_raw_response.create(
        model=MODEL, messages=ASK, extra_headers={"cf-aig-custom-cost": json.dumps(price)}
    )
    usage = raw.parse().usage
    row = record(raw.headers["cf-aig-log-id"])
    assert row["custom_cost"] is True
    assert row["cost"] == pytest.approx(usage.prompt_tokens * 1e-6 + usage.completion_tokens * 2e-6, abs=1e-12)


@pytest.mark.gateway
def test_the_second_time_it_comes_from_the_cache(openai_client):
    create = openai_client.chat.completions.with_raw_response.create
    asked = {"model": MODEL, "messages": ASK, "extra_headers": {"cf-aig-cache-key": unique()}}
    first, second = create(**asked), create(**asked)
    assert first.headers["cf-aig-cache-status"] == "MISS"
    assert second.headers["cf-aig-cache-status"] == "HIT"
    assert second.content == first.content
    row = record(second.headers["cf-aig-log-id"])
    assert (row["cached"], row["cost"]) == (True, 0)


@pytest.mark.gateway
def test_a_cached_stream_is_a_stream_again(openai_client):
    create = openai_client.chat.completions.with_raw_response.create
    headers = {"cf-aig-cache-key": unique(), "tollgate-cache-stream": "true"}
    asked = {"model": MODEL, "messages": ASK, "stream": True, "extra_headers": headers}
    first = create(**asked)
    heard = list(first.parse())
    second = create(**asked)
    assert first.headers["cf-aig-cache-status"] == "MISS"
    assert second.headers["cf-aig-cache-status"] == "HIT"
    assert list(second.parse()) == heard


@pytest.mark.gateway
def test_without_the_header_nothing_is_cached(openai_client):
    raw = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK)
    assert "cf-aig-cache-status" not in raw.headers


def with_key(key):
    return {"extra_headers": {"Idempotency-Key": key}}


@pytest.mark.gateway
def test_a_repeated_request_with_a_key_is_one_request(openai_client):
    key = unique()
    first = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK, **with_key(key))
    again = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK, **with_key(key))
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    assert first.parse() == again.parse()
    paid, free = (record(answer.headers["cf-aig-log-id"]) for answer in (first, again))
    assert paid["cost"] >= free["cost"] == 0
    with pytest.raises(openai.UnprocessableEntityError, match="another request"):
        chat(openai_client, max_tokens=7, **with_key(key))


@pytest.mark.gateway
def test_a_repeated_stream_with_a_key_is_a_stream_again(openai_client):
    key = unique()
    streams = [list(chat(openai_client, stream=True, **with_key(key))) for _ in range(2)]
    said = ["".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) for chunks in streams]
    assert said[0] and said[0] == said[1]


@pytest.mark.gateway
def test_the_client_waits_for_a_request_that_is_under_way():
    """Its own time-out ends the first try; the second is told 409 and to come back, and hears the answer of the first."""
    with openai.OpenAI(base_url=f"{SANDBOX}/v1", api_key=TOKEN, max_retries=6, timeout=0.7) as client:
        key = unique()
        answer = client.chat.completions.with_raw_response.create(
            model=dial(latency=1500), messages=ASK, **with_key(key)
        )
    assert answer.headers["idempotent-replayed"] == "true"
    assert answer.parse().choices[0].message.content
