"""Coding tools as they come: their base URLs, header sets, probes and bodies (data-plane specification, section 16), word for word on the wire.

Written from each tool's documentation of how to set it up behind a gateway; none of them is installed here. One test, or a few, for each.
"""

import http.client
import json
import urllib.parse

import pytest

from gateway import API, GATEWAY, MODEL, ROOT, TOKEN, URL, record

pytestmark = pytest.mark.gateway

GATEWAY_TOKEN = {"cf-aig-authorization": f"Bearer {TOKEN}"}
QUESTION = [{"role": "user", "content": "Where is the bug?"}]
SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.text = response.status, response.headers, body.decode()

    def json(self):
        return json.loads(self.text)

    def events(self):
        """Each event's data, parsed; `[DONE]` as it is."""
        data = [line[5:].strip() for line in self.text.splitlines() if line.startswith("data:")]
        return [piece if piece == "[DONE]" else json.loads(piece) for piece in data]


def send(method, url, headers, body=None):
    """No library between the test and the wire: nothing is added to the headers but what HTTP itself wants."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        data = None if body is None else json.dumps(body).encode()
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, data, {"content-type": "application/json"} | headers)
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()


class TestClaudeCode:
    HEADERS = {
        "user-agent": "claude-cli/2.1.0 (external, cli)",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
        "anthropic-dangerous-direct-browser-access": "true",
        "x-app": "cli",
        "x-stainless-lang": "js",
        "x-stainless-retry-count": "0",
        "accept": "application/json",
    }
    BODY = {
        "model": MODEL,
        "max_tokens": 500,
        "stream": True,
        "metadata": {"user_id": "user_0_account__session_0"},
        "system": [
            {"type": "text", "text": "You are a coding tool.", "cache_control": {"type": "ephemeral"}},
        ],
        "tools": [{"name": "Bash", "description": "Runs a command.", "input_schema": SHELL}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}
        ],
    }

    def test_probe_does_not_hurt(self):
        assert send("HEAD", f"{ROOT}/anthropic/api/hello", GATEWAY_TOKEN).status < 500

    @pytest.mark.parametrize(
        "key",
        [{"x-api-key": "sk-ant-fake"} | GATEWAY_TOKEN, {"x-api-key": TOKEN}, {"authorization": f"Bearer {TOKEN}"}],
        ids=["anthropic's key and custom header", "gateway token as key", "Claude Desktop: as bearer"],
    )
    def test_streamed_turn(self, key):
        answer = send("POST", f"{ROOT}/anthropic/v1/messages?beta=true", self.HEADERS | key, self.BODY)
        kinds = [event["type"] for event in answer.events()]
        assert (answer.status, kinds[0], kinds[-1]) == (200, "message_start", "message_stop")
        assert record(answer.headers["cf-aig-log-id"])["provider"] == "anthropic"

    def test_tokens_are_counted_first(self):
        body = {name: self.BODY[name] for name in ("model", "messages", "tools", "system")}
        url = f"{ROOT}/anthropic/v1/messages/count_tokens?beta=true"
        assert send("POST", url, self.HEADERS | GATEWAY_TOKEN, body).json()["input_tokens"] > 0

    @pytest.mark.parametrize("author", ["anthropic", "openai", "google"])
    def test_any_model_by_rest(self, author):
        """`ANTHROPIC_BASE_URL` is the REST surface: the same request for a model of any author."""
        headers = self.HEADERS | {"authorization": f"Bearer {TOKEN}", "cf-aig-gateway-id": GATEWAY}
        body = self.BODY | {"model": f"{author}/{MODEL}"}
        answer = send("POST", f"{API}/ai/v1/messages?beta=true", headers, body)
        kinds = [event["type"] for event in answer.events()]
        assert (answer.status, kinds[0], kinds[-1]) == (200, "message_start", "message_stop"), answer.text


class TestCodex:
    HEADERS = {
        "authorization": f"Bearer {TOKEN}",
        "accept": "text/event-stream",
        "originator": "codex_cli_rs",
        "user-agent": "codex_cli_rs/0.80.0 (Debian 13.0.0; x86_64)",
        "conversation_id": "0199a6ea-0000-7000-8000-000000000000",
        "session_id": "0199a6ea-0000-7000-8000-000000000000",
    }
    BODY = {
        "model": MODEL,
        "instructions": "You are a coding agent.",
        "input": [
            {
                "type": "message",
                "role": "developer",
                "content": [{"type": "input_text", "text": "<permissions>read</permissions>"}],
            },
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where is the bug?"}]},
        ],
        "tools": [
            {"type": "function", "name": "shell", "description": "Runs", "strict": False, "parameters": SHELL},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199a6ea-0000-7000-8000-000000000000",
    }

    def test_native_path(self):
        answer = send("POST", f"{ROOT}/openai/responses", self.HEADERS, self.BODY)
        kinds = [event["type"] for event in answer.events()]
        assert (answer.status, kinds[0], kinds[-1]) == (200, "response.created", "response.completed")

    @pytest.mark.parametrize("target", ["openai", "anthropic", "google-ai-studio"])
    def test_any_model_by_compat(self, target):
        body = self.BODY | {"model": f"{target}/{MODEL}"}
        answer = send("POST", f"{ROOT}/compat/responses", self.HEADERS, body)
        assert answer.status == 200, answer.text
        events = [event for event in answer.events() if event != "[DONE]"]
        assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
        assert items == events[-1]["response"]["output"]


class TestGeminiCli:
    HEADERS = {"x-goog-api-key": TOKEN, "x-goog-api-client": "google-genai-sdk/1.30.0 gl-node/v22", "user-agent": "GeminiCLI"}
    BODY = {
        "contents": [{"role": "user", "parts": [{"text": "Where is the bug?"}]}],
        "systemInstruction": {"role": "user", "parts": [{"text": "You are a coding tool."}]},
        "tools": [{"functionDeclarations": [{"name": "shell", "description": "Runs", "parametersJsonSchema": SHELL}]}],
        "generationConfig": {"temperature": 0, "topP": 1, "thinkingConfig": {"includeThoughts": True}},
    }

    def test_streamed_turn(self):
        url = f"{ROOT}/google-ai-studio/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
        answer = send("POST", url, self.HEADERS, self.BODY)
        assert answer.status == 200
        assert answer.events()[-1]["candidates"][0]["finishReason"] == "STOP"

    def test_tokens_are_counted_first(self):
        url = f"{ROOT}/google-ai-studio/v1beta/models/{MODEL}:countTokens"
        assert send("POST", url, self.HEADERS, {"contents": self.BODY["contents"]}).json()["totalTokens"] > 0


class TestOpenCode:
    """Its providers have `apiKey: ""`: an empty credential is none, and the gateway's token stands beside it."""

    @pytest.mark.parametrize(
        ("path", "key", "body"),
        [
            (
                "anthropic/v1/messages",
                {"x-api-key": "", "anthropic-version": "2023-06-01"},
                {"model": MODEL, "max_tokens": 99, "messages": QUESTION},
            ),
            ("openai/responses", {"authorization": "Bearer "}, {"model": MODEL, "input": "Hi"}),
            (
                f"google-ai-studio/v1beta/models/{MODEL}:generateContent",
                {"x-goog-api-key": ""},
                {"contents": [{"parts": [{"text": "Hi"}]}]},
            ),
        ],
        ids=["anthropic", "openai", "google"],
    )
    def test_empty_keys(self, path, key, body):
        headers = key | GATEWAY_TOKEN | {"x-requested-with": "XMLHttpRequest"}
        assert send("POST", f"{ROOT}/{path}", headers, body).status == 200

    def test_auto_router(self):
        headers = {"authorization": f"Bearer {TOKEN}"}
        body = {"model": "cloudflare/auto", "stream": True, "messages": QUESTION}
        answer = send("POST", f"{ROOT}/compat/chat/completions", headers, body)
        assert answer.status == 200, answer.text
        assert answer.events()[-1] == "[DONE]"
        assert "/" in answer.headers["cf-aig-routed-model"]
        assert answer.headers["cf-aig-routing-reason"] in ("cost_optimal_within_pool", "forced_by_candidate_pool")

    def test_discovery_is_not_offered(self):
        assert send("GET", f"{URL}/.well-known/opencode", {}).status == 404


class TestCopilotCli:
    def test_default_gateway_without_own_headers(self):
        headers = {"authorization": f"Bearer {TOKEN}", "user-agent": "GithubCopilot/1.0", "openai-intent": "conversation-agent"}
        body = {
            "model": f"openai/{MODEL}",
            "messages": QUESTION,
            "stream": True,
            "stream_options": {"include_usage": True},
            "tools": [{"type": "function", "function": {"name": "bash", "parameters": SHELL}}],
        }
        answer = send("POST", f"{API}/ai/v1/chat/completions", headers, body)
        assert answer.status == 200, answer.text
        assert answer.events()[-1] == "[DONE]"


class TestVsCode:
    def test_custom_endpoint(self):
        headers = {"authorization": f"Bearer {TOKEN}", "user-agent": "GitHubCopilotChat/0.40.0", "x-initiator": "user"}
        body = {"model": f"anthropic/{MODEL}", "messages": QUESTION, "stream": True, "temperature": 0, "n": 1}
        answer = send("POST", f"{ROOT}/compat/chat/completions", headers, body)
        assert answer.status == 200, answer.text
        assert answer.events()[-1] == "[DONE]"


class TestXcode:
    HEADERS = {"authorization": f"Bearer {TOKEN}", "user-agent": "Xcode/24514"}

    def test_lists_models(self):
        listed = send("GET", f"{ROOT}/compat/v1/models", self.HEADERS).json()
        assert listed["object"] == "list"
        named = {model["id"]: model for model in listed["data"]}
        model = named["anthropic/claude-sonnet-4-5"]
        assert model["object"] == "model" and model["owned_by"] == "anthropic"
        assert 0 < model["cost_in"] < model["cost_out"] < 0.001
        assert {"created", "created_at"} <= model.keys()

    def test_streamed_turn(self):
        body = {"model": f"google-ai-studio/{MODEL}", "messages": QUESTION, "stream": True}
        answer = send("POST", f"{ROOT}/compat/v1/chat/completions", self.HEADERS, body)
        assert answer.status == 200, answer.text
        assert answer.events()[-1] == "[DONE]"


class TestPi:
    def test_compat_and_responses(self):
        headers = {"authorization": f"Bearer {TOKEN}"}
        body = {"model": f"anthropic/{MODEL}", "messages": QUESTION}
        assert send("POST", f"{ROOT}/compat/chat/completions", headers, body).status == 200
        assert send("POST", f"{ROOT}/openai/responses", headers, {"model": MODEL, "input": "Hi"}).status == 200
