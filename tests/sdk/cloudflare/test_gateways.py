"""Gateways, urls, errors, retries, iterators."""

import uuid

import cloudflare
import pytest

from conftest import ACCOUNT, SETTINGS, TOKEN, URL, watch


def test_a_gateway_from_create_to_delete(aig, gateway):
    made = aig.get(gateway, account_id=ACCOUNT)
    assert made.id == gateway and made.collect_logs is True and made.created_at.tzinfo is not None
    changed = aig.update(gateway, account_id=ACCOUNT, **SETTINGS | {"cache_ttl": 300, "rate_limiting_technique": "sliding"})
    assert (changed.cache_ttl, changed.rate_limiting_technique) == (300, "sliding")
    assert changed.modified_at >= made.modified_at
    # Terraform sends null for what it does not know.
    reset = aig.update(gateway, account_id=ACCOUNT, **SETTINGS, extra_body={"authentication": None, "logpush_public_key": None})
    assert reset.authentication is False
    gone = aig.delete(gateway, account_id=ACCOUNT)
    assert gone.id == gateway
    with pytest.raises(cloudflare.NotFoundError) as caught:
        aig.get(gateway, account_id=ACCOUNT)
    assert caught.value.errors[0].code == 7002


def test_the_iterator_ends_with_the_empty_page(aig):
    ids = [f"py-page-{uuid.uuid4().hex[:8]}" for _ in range(5)]
    for id in ids:
        aig.create(account_id=ACCOUNT, id=id, **SETTINGS)
    found = [each.id for each in aig.list(account_id=ACCOUNT, per_page=2, search="py-page-")]
    assert sorted(found) == sorted(ids) and len(set(found)) == len(found)
    first = aig.list(account_id=ACCOUNT, per_page=2, search="py-page-")
    assert first.result_info.total_count == 5 and len(first.result) == 2
    past = aig.list(account_id=ACCOUNT, page=9, per_page=2, search="py-page-")
    assert past.result == [] and not past.has_next_page()
    for id in ids:
        aig.delete(id, account_id=ACCOUNT)


def test_every_error_has_its_class(aig, gateway):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        aig.create(account_id=ACCOUNT, id=gateway, **SETTINGS)
    assert caught.value.errors[0].code == 7001 and "already exists" in caught.value.errors[0].message
    with pytest.raises(cloudflare.BadRequestError):
        aig.list(account_id=ACCOUNT, per_page=101)
    stranger = cloudflare.Cloudflare(base_url=f"{URL}/client/v4", api_token="not-a-token", max_retries=0)
    with pytest.raises(cloudflare.AuthenticationError):
        stranger.ai_gateway.get(gateway, account_id=ACCOUNT)
    with pytest.raises(cloudflare.NotFoundError):
        aig.delete("never-made", account_id=ACCOUNT)


def test_nothing_permanent_is_repeated():
    """408, 409, 429 and 5xx are sent again by the SDK; a mistake must not be."""
    asked = []
    import httpx

    transport = httpx.Client(event_hooks={"request": [lambda request: asked.append(request)]})
    client = cloudflare.Cloudflare(base_url=f"{URL}/client/v4", api_token=TOKEN, max_retries=3, http_client=transport)
    with pytest.raises(cloudflare.NotFoundError):
        client.ai_gateway.get("never-made", account_id=ACCOUNT)
    with pytest.raises(cloudflare.BadRequestError):
        client.ai_gateway.list(account_id=ACCOUNT, per_page=0)
    assert len(asked) == 2


def test_legacy_credentials_are_told_apart_from_nothing():
    by_key = cloudflare.Cloudflare(base_url=f"{URL}/client/v4", api_key=TOKEN, api_email="a@example.com", max_retries=0)
    assert by_key.ai_gateway.list(account_id=ACCOUNT).result is not None


def test_urls(aig, gateway):
    assert aig.urls.get("openai", account_id=ACCOUNT, gateway_id=gateway).endswith(f"/v1/{ACCOUNT}/{gateway}/openai")
    assert aig.urls.get("universal", account_id=ACCOUNT, gateway_id=gateway).endswith(f"/v1/{ACCOUNT}/{gateway}/")
    with pytest.raises(cloudflare.NotFoundError):
        aig.urls.get("openai", account_id=ACCOUNT, gateway_id="never-made")


async def ask_async():
    client = cloudflare.AsyncCloudflare(base_url=f"{URL}/client/v4", api_token=TOKEN, max_retries=0)
    async with client:
        return [each.id async for each in client.ai_gateway.list(account_id=ACCOUNT, per_page=1)]


def test_the_asynchronous_client(gateway):
    import asyncio

    assert gateway in asyncio.run(ask_async())
