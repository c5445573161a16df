"""Datasets, evaluation types, evaluations."""

import time

import cloudflare
import pytest

from conftest import ACCOUNT, chat

FILTERS = [{"key": "provider", "operator": "eq", "value": ["sandbox"]}]


def test_a_dataset_from_create_to_delete(aig, gateway):
    path = {"account_id": ACCOUNT, "gateway_id": gateway}
    made = aig.datasets.create(gateway, account_id=ACCOUNT, name="all", enable=True, filters=FILTERS)
    assert made.gateway_id == gateway and made.filters[0].key == "provider"
    changed = aig.datasets.update(made.id, **path, name="all", enable=False, filters=FILTERS)
    assert changed.enable is False
    assert aig.datasets.get(made.id, **path).enable is False
    assert [each.id for each in aig.datasets.list(gateway, account_id=ACCOUNT)] == [made.id]
    with pytest.raises(cloudflare.BadRequestError) as caught:
        aig.datasets.create(gateway, account_id=ACCOUNT, name="all", enable=True, filters=FILTERS)
    assert "already exists" in caught.value.errors[0].message
    assert aig.datasets.delete(made.id, **path).id == made.id
    with pytest.raises(cloudflare.NotFoundError):
        aig.datasets.get(made.id, **path)


def test_an_evaluation_is_processed(aig, gateway):
    path = {"account_id": ACCOUNT, "gateway_id": gateway}
    chat(gateway)
    types = list(aig.evaluation_types.list(account_id=ACCOUNT, per_page=2))
    assert {"cost", "speed"} <= {each.type for each in types}
    dataset = aig.datasets.create(gateway, account_id=ACCOUNT, name="all", enable=True, filters=FILTERS)
    asked = {"dataset_ids": [dataset.id], "evaluation_type_ids": [each.id for each in types]}
    made = aig.evaluations.create(gateway, account_id=ACCOUNT, name="weekly", **asked)
    for _ in range(200):
        evaluation = aig.evaluations.get(made.id, **path)
        if evaluation.processed:
            break
        time.sleep(0.05)
    assert evaluation.processed and evaluation.total_logs == 1 and len(evaluation.results) == len(types)
    assert [each.id for each in aig.evaluations.list(gateway, account_id=ACCOUNT)] == [made.id]
    assert list(aig.evaluations.list("never-made", account_id=ACCOUNT)) == []
    assert aig.evaluations.delete(made.id, **path).id == made.id
