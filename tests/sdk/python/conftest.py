"""The clients, exactly as their makers ship them: only the base URL is ours."""

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

import gateway


def pytest_collection_modifyitems(items):
    """A bare sandbox has no log and no cache; tests/sdk/run counts a skip as a failure whenever there is a gateway."""
    if gateway.DIRECT:
        for item in items:
            if item.get_closest_marker("gateway"):
                item.add_marker(pytest.mark.skip(reason="TOLLGATE_DIRECT=1: there is no gateway"))


@pytest.fixture
def openai_client():
    with openai.OpenAI(base_url=f"{gateway.SANDBOX}/v1", api_key=gateway.TOKEN, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client():
    with anthropic.Anthropic(base_url=gateway.SANDBOX, api_key=gateway.TOKEN, max_retries=0) as client:
        yield client


@pytest.fixture
def google_client():
    options = types.HttpOptions(base_url=gateway.SANDBOX)
    with genai.Client(api_key=gateway.TOKEN, http_options=options) as client:
        yield client
