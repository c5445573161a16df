"""Custom providers, provider keys, the secrets store."""

import uuid

import cloudflare
import pytest

from conftest import ACCOUNT

pytestmark = pytest.mark.newest


def test_a_custom_provider_from_create_to_delete(aig):
    slug = f"py-{uuid.uuid4().hex[:8]}"
    given = {"name": "Mine", "slug": slug, "base_url": "https://models.example.com/v1"}
    made = aig.custom_providers.create(account_id=ACCOUNT, **given, enable=True)
    assert (made.slug, made.enable) == (slug, True)
    assert aig.custom_providers.get(made.id, account_id=ACCOUNT).base_url == given["base_url"]
    assert made.id in [each.id for each in aig.custom_providers.list(account_id=ACCOUNT, per_page=1)]
    with pytest.raises(cloudflare.ConflictError) as caught:
        aig.custom_providers.create(account_id=ACCOUNT, **given)
    assert caught.value.errors[0].code == 1003
    with pytest.raises(cloudflare.BadRequestError):
        aig.custom_providers.create(account_id=ACCOUNT, **given | {"slug": f"{slug}-b", "base_url": "http://models.example.com"})
    assert aig.custom_providers.delete(made.id, account_id=ACCOUNT).id == made.id
    with pytest.raises(cloudflare.NotFoundError) as caught:
        aig.custom_providers.get(made.id, account_id=ACCOUNT)
    assert caught.value.errors[0].code == 1004


def test_a_provider_key_is_kept_and_never_shown(aig, gateway):
    key = "sk-fake-key-of-nobody-0123456789"
    made = aig.provider_configs.create(
        gateway, account_id=ACCOUNT, alias="default", default_config=True, provider_slug="openai", secret=key
    )
    assert made.secret_preview and key not in made.to_json()
    listed = list(aig.provider_configs.list(gateway, account_id=ACCOUNT))
    assert [each.id for each in listed] == [made.id] and key not in listed[0].to_json()
    with pytest.raises(cloudflare.BadRequestError) as caught:
        aig.provider_configs.create(
            gateway, account_id=ACCOUNT, alias="default", default_config=False, provider_slug="openai", secret=key
        )
    assert "already exists" in caught.value.errors[0].message
    assert list(aig.provider_configs.list("never-made", account_id=ACCOUNT)) == []


def test_secrets(client):
    stores = list(client.secrets_store.stores.list(account_id=ACCOUNT))
    store = stores[0].id if stores else client.secrets_store.stores.create(account_id=ACCOUNT, name="default_secrets_store").id
    name = f"py_{uuid.uuid4().hex[:8]}"
    secrets = client.secrets_store.stores.secrets
    body = [{"name": name, "scopes": ["ai_gateway"], "value": "fake-value-of-nobody"}]
    made = list(secrets.create(store, account_id=ACCOUNT, body=body))[0]
    assert made.name == name and "fake-value" not in made.to_json()
    changed = secrets.edit(made.id, account_id=ACCOUNT, store_id=store, comment="for tests")
    assert changed.comment == "for tests"
    assert secrets.get(made.id, account_id=ACCOUNT, store_id=store).name == name
    assert name in [each.name for each in secrets.list(store, account_id=ACCOUNT, search=name)]
    secrets.delete(made.id, account_id=ACCOUNT, store_id=store)
    assert client.secrets_store.quota.get(account_id=ACCOUNT).secrets.quota > 0
