"""Billing: the local ledger in the original's shapes; purchases are refused."""

import cloudflare
import pytest

from conftest import ACCOUNT

pytestmark = pytest.mark.newest


def test_what_is_read(aig):
    billing = aig.billing
    balance = billing.credit_balance(account_id=ACCOUNT)
    assert balance.balance == 0 and balance.has_default_payment_method is False
    assert billing.usage_history(account_id=ACCOUNT, value_grouping_window="day", start_time=0).history == []
    assert billing.invoice_history(account_id=ACCOUNT, type="all").pagination.total_count == 0
    assert billing.invoice_preview(account_id=ACCOUNT).status == "draft"
    assert billing.topup.config.get(account_id=ACCOUNT).amount is None
    assert billing.spending_limit.get(account_id=ACCOUNT).enabled is False
    billing.spending_limit.delete(account_id=ACCOUNT)


def test_what_is_refused(aig):
    billing = aig.billing
    with pytest.raises(cloudflare.PermissionDeniedError) as caught:
        billing.topup.create(account_id=ACCOUNT, amount=1000)
    assert "NO_MANUAL_TOPUP" in caught.value.errors[0].message
    with pytest.raises(cloudflare.NotFoundError):
        billing.topup.status(account_id=ACCOUNT, payment_intent_id="in_none")
    with pytest.raises(cloudflare.PermissionDeniedError):
        billing.topup.config.create(account_id=ACCOUNT, amount=1000, threshold=500)
    with pytest.raises(cloudflare.PermissionDeniedError):
        billing.topup.config.delete(account_id=ACCOUNT)
    with pytest.raises(cloudflare.PermissionDeniedError) as caught:
        billing.spending_limit.create(account_id=ACCOUNT, amount=100, duration="daily", strategy="fixed")
    assert "spending limits are deprecated" in caught.value.errors[0].message
