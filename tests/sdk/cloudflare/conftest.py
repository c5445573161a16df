"""The official control-plane client, exactly as its maker ships it: only the base URL is ours. Both venvs run the same tests."""

import inspect
import os
import uuid

import cloudflare
import httpx
import pytest

URL = os.environ["TOLLGATE_URL"].rstrip("/")
TOKEN = os.environ["TOLLGATE_TOKEN"]
ACCOUNT = os.environ["TOLLGATE_ACCOUNT"]
GATEWAY = os.environ["TOLLGATE_GATEWAY"]
# Versions differ in what they have; what one does not have, it cannot call.
IS_OLD = cloudflare.__version__.startswith("4.")

# Every method of the client that a test has called, as `logs.list`.
called = set()


def pytest_configure(config):
    config.addinivalue_line("markers", "newest: uses what 4.x does not have")


def pytest_collection_modifyitems(items):
    """Deselected, not skipped: a skip is a failure. What every method needs is counted by test_zz_coverage."""
    items[:] = [item for item in items if not (IS_OLD and item.get_closest_marker("newest"))]


def resources(resource, name=""):
    """All resources below one, by their dotted name."""
    yield name, resource
    for child, value in inspect.getmembers(type(resource)):
        if not child.startswith(("_", "with_")) and not inspect.isfunction(value):
            below = getattr(resource, child)
            if hasattr(below, "_client"):
                yield from resources(below, f"{name}.{child}".lstrip("."))


def methods(resource):
    return [name for name, value in inspect.getmembers(type(resource), inspect.isfunction) if not name.startswith("_")]


def watch(client):
    """Notes which methods are called. They do what they always do."""
    for name, resource in resources(client.ai_gateway):
        for method in methods(resource):
            original = getattr(resource, method)

            def noting(*arguments, original=original, dotted=f"{name}.{method}".lstrip("."), **more):
                called.add(dotted)
                return original(*arguments, **more)

            setattr(resource, method, noting)
    return client


@pytest.fixture(scope="session")
def client():
    with cloudflare.Cloudflare(base_url=f"{URL}/client/v4", api_token=TOKEN, max_retries=0) as client:
        yield watch(client)


@pytest.fixture(scope="session")
def aig(client):
    return client.ai_gateway


SETTINGS = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
    # Required by 4.x alone.
    "rate_limiting_technique": "fixed",
}


@pytest.fixture
def gateway(aig):
    """One of its own for a test, gone afterwards."""
    id = f"py-{uuid.uuid4().hex[:12]}"
    aig.create(account_id=ACCOUNT, id=id, **SETTINGS)
    yield id
    try:
        aig.delete(id, account_id=ACCOUNT)
    except cloudflare.NotFoundError:
        pass


def chat(gateway, model="sandbox-1", metadata='{"team":"a b","n":1}', **headers):
    """One request through the gateway; returns its log id."""
    answer = httpx.post(
        f"{URL}/v1/{ACCOUNT}/{gateway}/sandbox/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "Hello"}]},
        headers={"authorization": f"Bearer {TOKEN}", "cf-aig-metadata": metadata} | headers,
        timeout=10,
    )
    return answer.headers["cf-aig-log-id"]
