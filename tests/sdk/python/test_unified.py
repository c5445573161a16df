"""One API for every model: unmodified OpenAI and Anthropic clients, and LangChain, against providers of other dialects.

The providers are played by the sandbox of a second gateway (see `tests/sdk/run`): each target below is another dialect on the wire.
"""

import json

import anthropic
import openai
import pydantic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from gateway import API, GATEWAY, ROOT, TARGETS, TOKEN, dialled, record, unique

pytestmark = pytest.mark.gateway

QUESTION = "How is the weather in Lisbon?"
ASK = [{"role": "user", "content": QUESTION}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": PARAMETERS}}
MESSAGES_TOOL = {"name": "weather", "description": "The weather.", "input_schema": PARAMETERS}
SELECT = {"cf-aig-gateway-id": GATEWAY}
COMPAT, REST = f"{ROOT}/compat", f"{API}/ai/v1"


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


@pytest.fixture(params=[COMPAT, f"{COMPAT}/v1", REST], ids=["compat", "compat/v1", "rest"])
def client(request):
    with openai.OpenAI(base_url=request.param, api_key=TOKEN, max_retries=0, default_headers=SELECT) as client:
        yield client


@pytest.fixture(
    params=[(REST, {"auth_token": TOKEN}), (f"{API}/ai", {"api_key": TOKEN})], ids=["doubled v1, bearer", "v1, x-api-key"]
)
def messages_client(request):
    """The documents give a base URL that ends in `/v1`, to which this client adds another."""
    base_url, credential = request.param
    with anthropic.Anthropic(base_url=base_url, max_retries=0, default_headers=SELECT, **credential) as client:
        yield client


def model_of(client, target, **dials):
    rest = str(client.base_url).startswith(API)
    return dialled(TARGETS[target].author if rest else target, **dials)


@pytest.mark.parametrize("target", TARGETS)
class TestOpenAI:
    def test_chat(self, client, target):
        answer = client.chat.completions.create(model=model_of(client, target), messages=ASK)
        assert answer.object == "chat.completion"
        assert answer.choices[0].message.role == "assistant"
        assert answer.choices[0].message.content
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

    def test_streamed_chat_says_the_same(self, client, target):
        model = model_of(client, target)
        whole = client.chat.completions.create(model=model, messages=ASK)
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True, stream_options=options))
        pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert len([piece for piece in pieces if piece]) > 1
        assert "".join(pieces) == whole.choices[0].message.content
        assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [whole.usage.total_tokens]
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"

    def test_usage_is_only_streamed_when_asked_for(self, client, target):
        model = model_of(client, target)
        chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True))
        assert not [chunk for chunk in chunks if chunk.usage]
        assert all(chunk.choices for chunk in chunks)

    def test_tools_round_trip(self, client, target):
        model = model_of(client, target)
        asked = client.chat.completions.create(model=model, messages=ASK, tools=[WEATHER], tool_choice="required")
        assert asked.choices[0].finish_reason == "tool_calls"
        (call,) = asked.choices[0].message.tool_calls
        assert call.function.name == "weather"
        assert isinstance(json.loads(call.function.arguments)["city"], str)
        result = {"role": "tool", "tool_call_id": call.id, "content": '{"sky":"clear"}'}
        messages = [*ASK, asked.choices[0].message, result]
        answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
        assert answer.choices[0].finish_reason == "stop"
        assert answer.choices[0].message.content

    def test_streamed_tool_call(self, client, target):
        asked = {"model": model_of(client, target), "messages": ASK, "tools": [WEATHER], "tool_choice": "required"}
        (whole,) = client.chat.completions.create(**asked).choices[0].message.tool_calls
        with client.chat.completions.stream(**asked) as stream:
            for _ in stream:
                pass
            (streamed,) = stream.get_final_completion().choices[0].message.tool_calls
        assert streamed.function.name == "weather"
        assert json.loads(streamed.function.arguments) == json.loads(whole.function.arguments)

    def test_parse(self, client, target):
        model = model_of(client, target)
        answer = client.chat.completions.parse(model=model, messages=ASK, response_format=City)
        assert isinstance(answer.choices[0].message.parsed, City)

    @pytest.mark.parametrize(
        ("status", "error"),
        [(400, openai.BadRequestError), (401, openai.AuthenticationError), (429, openai.RateLimitError)],
    )
    def test_errors_keep_their_status_and_words(self, client, target, status, error):
        with pytest.raises(error) as raised:
            client.chat.completions.create(model=model_of(client, target, status=status), messages=ASK)
        assert raised.value.status_code == status
        assert raised.value.body["message"]

    def test_break_in_mid_stream_is_an_error(self, client, target):
        model = model_of(client, target, cut=3, tokens=50)
        with pytest.raises(openai.APIError):
            list(client.chat.completions.create(model=model, messages=ASK, stream=True))

    def test_log_has_the_provider_and_its_count(self, client, target):
        raw = client.chat.completions.with_raw_response.create(model=model_of(client, target), messages=ASK)
        answer, row = raw.parse(), record(raw.headers["cf-aig-log-id"])
        assert row["provider"] == target
        assert row["tokens_in"] == answer.usage.prompt_tokens
        assert row["tokens_out"] == answer.usage.completion_tokens

    def test_response(self, client, target):
        model = model_of(client, target)
        answer = client.responses.create(model=model, input=QUESTION)
        assert answer.status == "completed"
        assert answer.output_text
        assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
        with client.responses.stream(model=model, input=QUESTION) as stream:
            kinds = [event.type for event in stream]
            streamed = stream.get_final_response()
        assert streamed.output_text == answer.output_text
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"

    def test_response_with_tools_and_back(self, client, target):
        tool = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}
        model = model_of(client, target)
        asked = client.responses.create(model=model, input=QUESTION, tools=[tool], tool_choice="required")
        (call,) = [item for item in asked.output if item.type == "function_call"]
        assert isinstance(json.loads(call.arguments)["city"], str)
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "clear"}
        history = [{"role": "user", "content": QUESTION}, *asked.output, result]
        assert client.responses.create(model=model, input=history, tools=[tool]).output_text

    def test_response_parse(self, client, target):
        answer = client.responses.parse(model=model_of(client, target), input=QUESTION, text_format=City)
        assert isinstance(answer.output_parsed, City)


@pytest.mark.parametrize("target", TARGETS)
class TestAnthropic:
    def ask(self, client, target, **more):
        model = dialled(TARGETS[target].author, **more.pop("dials", {}))
        return {"model": model, "max_tokens": 200, "messages": ASK} | more

    def test_message(self, messages_client, target):
        answer = messages_client.messages.create(**self.ask(messages_client, target))
        assert answer.type == "message"
        assert answer.content[0].text
        assert answer.stop_reason == "end_turn"
        assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0

    def test_streamed_message_says_the_same(self, messages_client, target):
        whole = messages_client.messages.create(**self.ask(messages_client, target))
        with messages_client.messages.stream(**self.ask(messages_client, target)) as stream:
            texts = list(stream.text_stream)
            gathered = stream.get_final_message()
        assert len(texts) > 1
        assert "".join(texts) == whole.content[0].text
        assert gathered.usage.output_tokens == whole.usage.output_tokens
        assert gathered.stop_reason == "end_turn"

    def test_tools_round_trip(self, messages_client, target):
        forced = {"tools": [MESSAGES_TOOL], "tool_choice": {"type": "any"}}
        asked = messages_client.messages.create(**self.ask(messages_client, target, **forced))
        assert asked.stop_reason == "tool_use"
        (call,) = [block for block in asked.content if block.type == "tool_use"]
        assert isinstance(call.input["city"], str)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "clear"}
        history = [*ASK, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
        answer = messages_client.messages.create(
            **self.ask(messages_client, target, messages=history, tools=[MESSAGES_TOOL])
        )
        assert answer.content[0].text

    def test_streamed_tool_call(self, messages_client, target):
        forced = {"tools": [MESSAGES_TOOL], "tool_choice": {"type": "any"}}
        whole = messages_client.messages.create(**self.ask(messages_client, target, **forced))
        with messages_client.messages.stream(**self.ask(messages_client, target, **forced)) as stream:
            gathered = stream.get_final_message()
        calls = [[block.input for block in answer.content if block.type == "tool_use"] for answer in (whole, gathered)]
        assert calls[0] == calls[1]

    def test_count_tokens(self, messages_client, target):
        model = dialled(TARGETS[target].author)
        assert messages_client.messages.count_tokens(model=model, messages=ASK).input_tokens > 0

    @pytest.mark.parametrize(
        ("status", "error"), [(400, anthropic.BadRequestError), (429, anthropic.RateLimitError)]
    )
    def test_errors_keep_their_status(self, messages_client, target, status, error):
        with pytest.raises(error) as raised:
            messages_client.messages.create(**self.ask(messages_client, target, dials={"status": status}))
        assert raised.value.body["type"] == "error"
        assert raised.value.body["error"]["message"]


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "openai"])
def test_bad_field_is_named(client, target):
    """Where something is translated. Between the same dialects bytes pass as they are, and the provider judges them."""
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 7}}]}]
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=model_of(client, target), messages=messages)
    assert "messages[0].content[0].image_url" in raised.value.message


def test_embeddings():
    with openai.OpenAI(base_url=COMPAT, api_key=TOKEN, max_retries=0) as client:
        for target in ("openai", "google-ai-studio"):
            answer = client.embeddings.create(model=dialled(target), input=["one", "two"])
            assert [row.index for row in answer.data] == [0, 1]
            assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 0
            assert answer.data[0].embedding != answer.data[1].embedding


def test_model_list():
    with openai.OpenAI(base_url=COMPAT, api_key=TOKEN, max_retries=0) as client:
        models = {model.id for model in client.models.list()}
    assert {"openai/gpt-4o", "anthropic/claude-sonnet-4-5"} <= models


def test_unknown_prefix_is_refused():
    with openai.OpenAI(base_url=COMPAT, api_key=TOKEN, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(model="nobody/gpt", messages=ASK)
    assert raised.value.response.json()["error"][0]["code"] == 2008


def test_what_cannot_be_said_is_listed_or_refused():
    with openai.OpenAI(base_url=COMPAT, api_key=TOKEN, max_retries=0) as client:
        asked = {"model": dialled("anthropic"), "messages": ASK, "seed": 7, "frequency_penalty": 0.5}
        raw = client.chat.completions.with_raw_response.create(**asked)
        assert "seed" in raw.headers["tollgate-loss"] and "frequency_penalty" in raw.headers["tollgate-loss"]
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(**asked, extra_headers={"tollgate-strict": "true"})
        assert "seed" in raised.value.message and "frequency_penalty" in raised.value.message


def test_reasoning_comes_back_to_who_sealed_it():
    """A tool turn: the thought of a provider of another dialect goes through the client and back."""
    with openai.OpenAI(base_url=COMPAT, api_key=TOKEN, max_retries=0) as client:
        model = dialled("anthropic", reasoning=20)
        asked = client.chat.completions.create(model=model, messages=ASK, tools=[WEATHER], tool_choice="required")
        (call,) = asked.choices[0].message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": "clear"}
        messages = [*ASK, asked.choices[0].message, result]
        answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
        assert answer.choices[0].message.content


@pytest.mark.parametrize("target", TARGETS)
class TestLangChain:
    def chat(self, target):
        return ChatOpenAI(base_url=COMPAT, api_key=TOKEN, model=dialled(target), max_retries=0)

    def test_invoke_and_stream(self, target):
        whole = self.chat(target).invoke(QUESTION)
        assert whole.content and whole.usage_metadata["total_tokens"] > 0
        assert "".join(piece.content for piece in self.chat(target).stream(QUESTION)) == whole.content

    def test_tools(self, target):
        asking = self.chat(target).bind_tools([WEATHER], tool_choice="required")
        called = asking.invoke(QUESTION)
        (call,) = called.tool_calls
        assert call["name"] == "weather" and isinstance(call["args"]["city"], str)
        history = [HumanMessage(QUESTION), called, ToolMessage("clear", tool_call_id=call["id"])]
        assert self.chat(target).bind_tools([WEATHER]).invoke(history).content

    def test_structured_output(self, target):
        city = self.chat(target).with_structured_output(City, method="json_schema").invoke(QUESTION)
        assert isinstance(city, City)

    def test_messages(self, target):
        model = dialled(TARGETS[target].author)
        chat = ChatAnthropic(
            base_url=REST, api_key=TOKEN, model=model, max_retries=0, max_tokens=200,
            default_headers=SELECT | {"Authorization": f"Bearer {TOKEN}"},
        )
        whole = chat.invoke(QUESTION)
        assert whole.content
        assert chat.bind_tools([MESSAGES_TOOL], tool_choice="any").invoke(QUESTION).tool_calls


def test_langchain_embeddings():
    embeddings = OpenAIEmbeddings(
        base_url=COMPAT, api_key=TOKEN, model=dialled("google-ai-studio"), check_embedding_ctx_length=False
    )
    one, two = embeddings.embed_documents(["one", unique()])
    assert len(one) == len(two) > 0
