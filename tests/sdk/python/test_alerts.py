"""Alerts as a receiver hears them, verified by the reference implementation of Standard Webhooks."""

import http.server
import json
import queue
import threading
import urllib.error
import urllib.request

import pytest
import standardwebhooks

from gateway import ACCOUNT, API, TOKEN, URL, dial, unique

pytestmark = pytest.mark.gateway

HEAR_SECONDS_MAX = 30


@pytest.fixture
def receiver():
    """Hears on loopback, answers 503 to the first attempt at each message, and takes the second."""
    heard, seen = queue.Queue(), set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            is_new = self.headers["webhook-id"] not in seen
            seen.add(self.headers["webhook-id"])
            heard.put((dict(self.headers.items()), body))
            self.send_response(503 if is_new and "alert.test" not in body else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.heard, server.url = heard, f"http://127.0.0.1:{server.server_port}/hook"
    yield server
    server.shutdown()
    server.server_close()


def api(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    request = urllib.request.Request(f"{API}/ai-gateway{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=HEAR_SECONDS_MAX) as answer:
        return json.loads(answer.read())["result"]


def make_gateway(**more):
    body = {"id": f"alerts-{unique()[:8]}", "cache_ttl": 0, "collect_logs": True, "cache_invalidate_on_update": False}
    return api("POST", "/gateways", body | {"rate_limiting_interval": 0, "rate_limiting_limit": 0} | more)["id"]


def make_alert(receiver, **more):
    return api("POST", "/alerts", {"name": unique(), "webhook": {"url": receiver.url}} | more)


def ask(gateway, model="sandbox-1", **headers):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    headers = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{URL}/v1/{ACCOUNT}/{gateway}/sandbox/v1/chat/completions"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=HEAR_SECONDS_MAX) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def verified(alert, receiver):
    """The next message, and its id. Raises when its signature is wrong, or its time."""
    headers, body = receiver.heard.get(timeout=HEAR_SECONDS_MAX)
    named = {name.lower(): value for name, value in headers.items()}
    return standardwebhooks.Webhook(alert["webhook_secret"]).verify(body, headers), named["webhook-id"]


def test_a_test_is_verified_and_a_forgery_is_not(receiver):
    alert = make_alert(receiver, kind="log_loss")
    try:
        assert api("POST", f"/alerts/{alert['id']}/test")["state"] == "delivered"
        headers, body = receiver.heard.get(timeout=HEAR_SECONDS_MAX)
        told = standardwebhooks.Webhook(alert["webhook_secret"]).verify(body, headers)
        assert (told["type"], told["data"]["alert_name"]) == ("alert.test", alert["name"])
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(alert["webhook_secret"]).verify(body + " ", headers)
    finally:
        api("DELETE", f"/alerts/{alert['id']}")


def test_a_budget_is_told_at_each_threshold_until_it_is_heard(receiver):
    rule = {"id": "house", "limitType": "cost", "limit": 1, "window": 3600, "technique": "fixed"}
    gateway = make_gateway(spend_limits={"enabled": True, "rules": [rule]})
    alert = make_alert(receiver, kind="budget", gateway_id=gateway)
    try:
        statuses = [ask(gateway, cf_aig_custom_cost='{"total_cost":0.3}') for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        heard = {}
        while len(heard) < 3 or any(count < 2 for count in heard.values()):
            told, message = verified(alert, receiver)
            key = (told["type"], told["data"]["percent"], message)
            heard[key] = heard.get(key, 0) + 1
        assert sorted(percent for _, percent, _ in heard) == [50, 80, 100]
        assert set(heard.values()) == {2}, "each attempt has the same id"
        assert told["data"]["gateway_id"] == gateway
    finally:
        api("DELETE", f"/alerts/{alert['id']}")


def test_errors_are_told_once_however_many_there_are(receiver):
    gateway = make_gateway()
    rate = {"minimum_requests": 5, "threshold_percent": 50}
    alert = make_alert(receiver, kind="error_rate", gateway_id=gateway, **rate)
    try:
        assert [ask(gateway, model=dial(status=500)) for _ in range(20)] == [500] * 20
        told, _ = verified(alert, receiver)
        assert (told["type"], told["data"]["gateway"]) == ("alert.error_rate", gateway)
        assert told["data"]["failed"] >= 5
        deliveries = api("GET", f"/alerts/{alert['id']}/deliveries")
        assert [each["event"] for each in deliveries] == ["alert.error_rate"]
    finally:
        api("DELETE", f"/alerts/{alert['id']}")
