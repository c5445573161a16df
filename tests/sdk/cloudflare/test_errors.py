"""Each class of error, and what the SDK sends again: a gateway that is busy for a moment is not a failed call."""

import uuid

import cloudflare
import pytest

from conftest import ACCOUNT, SETTINGS, TOKEN, URL
from proxy import Proxy


def client_of(url, retries=2):
    return cloudflare.Cloudflare(base_url=f"{url}/client/v4", api_token=TOKEN, max_retries=retries)


@pytest.mark.newest
def test_a_token_that_may_only_read_is_forbidden_to_write(client, gateway):
    name = f"reader-{uuid.uuid4().hex[:8]}"
    made = client.user.tokens.create(name=name, policies=[], extra_body={"permissions": ["read"]})
    reader = cloudflare.Cloudflare(base_url=f"{URL}/client/v4", api_token=made.value, max_retries=0)
    assert reader.ai_gateway.get(gateway, account_id=ACCOUNT).id == gateway
    with pytest.raises(cloudflare.PermissionDeniedError) as caught:
        reader.ai_gateway.delete(gateway, account_id=ACCOUNT)
    assert caught.value.errors[0].code == 10000
    client.user.tokens.delete(made.id)


@pytest.mark.parametrize(
    "status, error",
    [
        (400, cloudflare.BadRequestError),
        (401, cloudflare.AuthenticationError),
        (403, cloudflare.PermissionDeniedError),
        (404, cloudflare.NotFoundError),
        (409, cloudflare.ConflictError),
        (422, cloudflare.UnprocessableEntityError),
        (429, cloudflare.RateLimitError),
        (500, cloudflare.InternalServerError),
        (503, cloudflare.InternalServerError),
    ],
)
def test_a_status_is_its_class(gateway, status, error):
    with Proxy(URL, (status, {})) as proxy:
        with pytest.raises(error) as caught:
            client_of(proxy.url, retries=0).ai_gateway.get(gateway, account_id=ACCOUNT)
        assert caught.value.status_code == status and len(proxy.asked) == 1


@pytest.mark.parametrize("status, headers", [(429, {"retry-after": "0.05"}), (503, {"retry-after": "0.05"}), (500, {"retry-after-ms": "20"}), (409, {"retry-after-ms": "20"})])
def test_what_passes_is_sent_again(gateway, status, headers):
    with Proxy(URL, (status, headers), (status, headers)) as proxy:
        assert client_of(proxy.url).ai_gateway.get(gateway, account_id=ACCOUNT).id == gateway
        assert [count for _, _, count in proxy.asked] == ["0", "1", "2"] and proxy.passed == 1


def test_a_change_that_is_sent_again_is_made_once(aig):
    id = f"py-{uuid.uuid4().hex[:12]}"
    with Proxy(URL, (503, {"retry-after-ms": "20"})) as proxy:
        client_of(proxy.url).ai_gateway.create(account_id=ACCOUNT, id=id, **SETTINGS)
        assert len(proxy.asked) == 2 and proxy.passed == 1
    assert aig.delete(id, account_id=ACCOUNT).id == id


def test_an_iterator_goes_on_over_a_busy_page(aig, gateway):
    with Proxy(URL, (429, {"retry-after-ms": "20"})) as proxy:
        found = [each.id for each in client_of(proxy.url).ai_gateway.list(account_id=ACCOUNT, per_page=1)]
    assert gateway in found and len(found) == len(set(found))
