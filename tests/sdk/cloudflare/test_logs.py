"""Logs: rows, filters in the SDK's own spelling, bodies, patches, bulk delete."""

import cloudflare
import pytest

from conftest import ACCOUNT, IS_OLD, chat


@pytest.fixture(scope="module")
def logged(aig):
    """Five requests of two models, one of them failed."""
    from conftest import SETTINGS

    aig.create(account_id=ACCOUNT, id="py-logs", **SETTINGS)
    ids = [chat("py-logs"), chat("py-logs"), chat("py-logs", "sandbox-2"), chat("py-logs", "sandbox-2", '{"team":"b"}')]
    ids.append(chat("py-logs", "sandbox-1:status=500"))
    yield ids
    aig.delete("py-logs", account_id=ACCOUNT)


def listed(aig, **query):
    return [row.id for row in aig.logs.list("py-logs", account_id=ACCOUNT, **query)]


def only(key, operator, *values):
    return {"key": key, "operator": operator, "value": list(values)}


def test_rows_come_newest_first_and_the_iterator_ends(aig, logged):
    assert listed(aig) == logged[::-1]
    assert listed(aig, per_page=2) == logged[::-1]
    assert listed(aig, order_by="created_at", order_by_direction="asc") == logged
    page = aig.logs.list("py-logs", account_id=ACCOUNT, per_page=2, meta_info=True)
    assert page.result_info.total_count == 5
    row = page.result[0]
    assert row.success is False and row.metadata == '{"team":"a b","n":1}' and row.created_at.tzinfo is not None


def test_filters_in_the_sdk_s_spelling(aig, logged):
    assert listed(aig, filters=[only("model", "eq", "sandbox-2")]) == logged[3:1:-1]
    assert listed(aig, filters=[only("model", "eq", "sandbox-1", "sandbox-2"), only("success", "eq", True)]) == logged[3::-1]
    assert listed(aig, filters=[only("metadata.key", "eq", "team"), only("metadata.value", "eq", "b")]) == [logged[3]]
    assert listed(aig, filters=[only("duration", "lt", 60_000), only("cached", "eq", False)]) == logged[::-1]
    assert listed(aig, success=False) == [logged[4]]
    assert listed(aig, model="sandbox-2", min_tokens_in=1) == logged[3:1:-1]
    with pytest.raises(cloudflare.BadRequestError):
        aig.logs.list("py-logs", account_id=ACCOUNT, per_page=100)


def test_detail_and_bodies(aig, logged):
    detail = aig.logs.get(logged[0], account_id=ACCOUNT, gateway_id="py-logs")
    assert detail.id == logged[0] and detail.request_head_complete is True and "Hello" in detail.request_head
    said = aig.logs.request(logged[0], account_id=ACCOUNT, gateway_id="py-logs")
    assert said["messages"][0]["content"] == "Hello"
    heard = aig.logs.response(logged[0], account_id=ACCOUNT, gateway_id="py-logs")
    assert heard["choices"][0]["message"]["role"] == "assistant"
    with pytest.raises(cloudflare.NotFoundError):
        aig.logs.get("0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00", account_id=ACCOUNT, gateway_id="py-logs")


def test_patch(aig, logged):
    path = {"account_id": ACCOUNT, "gateway_id": "py-logs"}
    aig.logs.edit(logged[1], **path, feedback=1, score=87, metadata={"team": "z", "ok": True})
    row = next(row for row in aig.logs.list("py-logs", account_id=ACCOUNT) if row.id == logged[1])
    assert (row.feedback, row.score) == (1, 87) and '"team":"z"' in row.metadata
    with pytest.raises(cloudflare.BadRequestError):
        aig.logs.edit(logged[1], **path, feedback=2)
    with pytest.raises(cloudflare.NotFoundError):
        aig.logs.edit("0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00", **path, feedback=0)


def test_bulk_delete(aig, gateway):
    ids = [chat(gateway) for _ in range(3)]
    done = aig.logs.delete(gateway, account_id=ACCOUNT, filters=[only("id", "eq", ids[0])])
    assert done.success is True
    assert [row.id for row in aig.logs.list(gateway, account_id=ACCOUNT)] == ids[:0:-1]
    aig.logs.delete(gateway, account_id=ACCOUNT, limit=1, order_by="created_at", order_by_direction="desc")
    assert [row.id for row in aig.logs.list(gateway, account_id=ACCOUNT)] == [ids[1]]
    assert aig.logs.delete(gateway, account_id=ACCOUNT).success is True
    assert list(aig.logs.list(gateway, account_id=ACCOUNT)) == []
