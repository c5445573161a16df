"""What clients ask on their way: who am I, is this token good, which accounts are there."""

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
