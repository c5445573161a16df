"""What clients ask on their way: who am I, is this token good, which accounts are there."""

import pytest

from conftest import ACCOUNT


def test_user_and_token(client):
    user = client.user.get()
    assert user.id
    verified = client.user.tokens.verify()
    assert verified.status == "active" and verified.id
    assert client.accounts.tokens.verify(account_id=ACCOUNT).status == "active"


def test_accounts(client):
    accounts = list(client.accounts.list())
    assert len(accounts) == 1 and accounts[0].type == "standard"
    assert client.accounts.get(account_id=ACCOUNT).name == accounts[0].name
    membership = next(iter(client.memberships.list()))
    assert membership.status == "accepted" and membership.account.name == accounts[0].name


@pytest.mark.newest
def test_models(client):
    some = list(client.ai.models.list(account_id=ACCOUNT, search="gpt-4o-mini", author="openai", per_page=2))
    assert "openai/gpt-4o-mini" in [each["name"] for each in some]
    assert "openai" in [each["id"] for each in client.ai.authors.list(account_id=ACCOUNT)]
    assert list(client.ai.tasks.list(account_id=ACCOUNT)) == []
