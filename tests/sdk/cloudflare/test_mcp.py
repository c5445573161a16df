"""The official client of the Model Context Protocol."""

import asyncio
import json

import pytest

from conftest import ACCOUNT, TOKEN, URL, chat

pytestmark = pytest.mark.newest


def use(body):
    """Runs `body(session)` with a client that has said hello."""
    import httpx2
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as http:
            async with streamable_http_client(f"{URL}/mcp", http_client=http) as (reading, writing, *_):
                async with ClientSession(reading, writing) as session:
                    hello = await session.initialize()
                    assert hello.server_info.name == "tollgate"
                    return await body(session)

    return asyncio.run(run())


def test_the_original_s_tools_and_ours(gateway):
    log = chat(gateway)

    async def body(session):
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert {"list_gateways", "list_logs", "get_log_details", "get_log_request_body", "get_log_response_body"} <= tools
        assert {"list_errors", "summarize_costs", "explain_request"} <= tools

        async def call(name, **arguments):
            told = await session.call_tool(name, arguments)
            assert not told.is_error, told
            return json.loads(told.content[0].text)

        assert gateway in [each["id"] for each in (await call("list_gateways", per_page=50))["result"]]
        assert [each["id"] for each in (await call("list_logs", gateway_id=gateway))["result"]] == [log]
        of = {"gateway_id": gateway, "log_id": log}
        assert (await call("get_log_details", **of))["result"]["id"] == log
        assert (await call("get_log_request_body", **of))["result"]["messages"][0]["content"] == "Hello"
        assert (await call("get_log_response_body", **of))["result"]["choices"]
        assert (await call("list_errors", gateway_id=gateway))["result"] == []
        assert (await call("summarize_costs", gateway_id=gateway))["result"]["requests"] == 1
        assert (await call("explain_request", **of))["result"]["success"] is True
        assert (await session.call_tool("list_logs", {"gateway_id": "never-made"})).is_error

    use(body)
