"""Dynamic routes, versions, deployments."""

import cloudflare
import pytest

from conftest import ACCOUNT

pytestmark = pytest.mark.newest


def elements(model):
    properties = {"provider": "sandbox", "model": model, "timeout": 10_000, "retries": 0}
    outputs = {"success": {"elementId": "e"}, "fallback": {"elementId": "e"}}
    return [
        {"id": "s", "type": "start", "outputs": {"next": {"elementId": "m"}}},
        {"id": "m", "type": "model", "properties": properties, "outputs": outputs},
        {"id": "e", "type": "end", "outputs": {}},
    ]


def test_a_route_from_create_to_rollback(aig, gateway):
    routing, path = aig.dynamic_routing, {"account_id": ACCOUNT, "gateway_id": gateway}
    made = routing.create(gateway, account_id=ACCOUNT, name="support", elements=elements("sandbox-1"))
    assert made.name == "support" and made.deployment.version_id == made.version.version_id
    route = routing.get(made.id, **path)
    assert route.elements[1].properties.model == "sandbox-1"

    version = routing.create_version(made.id, **path, elements=elements("sandbox-2"))
    listed = routing.list_versions(made.id, **path).data.versions
    assert len(listed) == 2
    newest = next(each for each in listed if each.version_id != made.version.version_id)
    read = routing.get_version(newest.version_id, **path, id=made.id)
    assert read.elements[1].properties.model == "sandbox-2" and version.id == made.id

    routing.create_deployment(made.id, **path, version_id=newest.version_id)
    assert routing.get(made.id, **path).elements[1].properties.model == "sandbox-2"
    routing.create_deployment(made.id, **path, version_id=made.version.version_id)
    deployments = routing.list_deployments(made.id, **path).data.deployments
    assert [each.version_id for each in deployments][:2] == [made.version.version_id, newest.version_id]

    renamed = routing.update(made.id, **path, name="help")
    assert renamed.success is True and renamed.route.name == "help"
    assert [each.name for each in routing.list(gateway, account_id=ACCOUNT).data.routes] == ["help"]
    assert routing.list(gateway, account_id=ACCOUNT, page=2).data.routes == []
    assert routing.delete(made.id, **path).name == "help"
    with pytest.raises(cloudflare.NotFoundError) as caught:
        routing.get(made.id, **path)
    assert caught.value.errors[0].code == 7005


def test_faults_are_told_with_their_place(aig, gateway):
    wrong = elements("sandbox-1")
    del wrong[1]["properties"]["provider"]
    with pytest.raises(cloudflare.BadRequestError) as caught:
        aig.dynamic_routing.create(gateway, account_id=ACCOUNT, name="x", elements=wrong)
    assert caught.value.body["errors"][0]["path"] == ["body", "elements", 1, "properties", "provider"]
    aig.dynamic_routing.create(gateway, account_id=ACCOUNT, name="twice", elements=elements("sandbox-1"))
    with pytest.raises(cloudflare.BadRequestError) as caught:
        aig.dynamic_routing.create(gateway, account_id=ACCOUNT, name="twice", elements=elements("sandbox-1"))
    assert caught.value.errors[0].code == 7005
