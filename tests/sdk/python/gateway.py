"""Where the gateway is, what can be asked of the sandbox behind it, and what the log remembers."""

import json
import os
import time
import typing
import urllib.parse
import urllib.request
import uuid

URL = os.environ["TOLLGATE_URL"].rstrip("/")
TOKEN = os.environ["TOLLGATE_TOKEN"]
ACCOUNT = os.environ["TOLLGATE_ACCOUNT"]
GATEWAY = os.environ["TOLLGATE_GATEWAY"]
# A bare sandbox server, without a gateway before it.
DIRECT = os.environ.get("TOLLGATE_DIRECT") == "1"

ROOT = URL if DIRECT else f"{URL}/v1/{ACCOUNT}/{GATEWAY}"
SANDBOX = URL if DIRECT else f"{ROOT}/sandbox"
LOGS = f"{URL}/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}/logs"

API = f"{URL}/client/v4/accounts/{ACCOUNT}"

MODEL = "sandbox-1"


class Target(typing.NamedTuple):
    """A provider by its compat prefix; how the REST API calls its author."""

    author: str


# Each is another dialect on the wire: openai-chat, anthropic-messages, gemini, cohere-v2. What REST has no author for is called there as on compat.
TARGETS = {
    "openai": Target("openai"),
    "anthropic": Target("anthropic"),
    "google-ai-studio": Target("google"),
    "cohere": Target("cohere"),
}
# Long enough that only a broken gateway reaches it, short enough that a person waits for it.
LOG_SECONDS_MAX = 10


def dial(**dials):
    """A model name that tells the sandbox how to behave: `sandbox-1:status=429,retry_after=1`."""
    return f"{MODEL}:" + ",".join(f"{name}={value}" for name, value in dials.items())


def dialled(prefix, **dials):
    """The same behind a provider's name: `anthropic/sandbox-1:status=429`."""
    return f"{prefix}/{dial(**dials) if dials else MODEL}"


def unique():
    return uuid.uuid4().hex


def record(log_id):
    """The whole record of one request. It is readable as soon as the answer has ended."""
    return _get(f"/{log_id}")["result"]


def request_body(log_id):
    return json.loads(_read(f"/{log_id}/request"))


def record_of_event(event_id):
    """The record of a request whose answer never came, so that its log id is not known."""
    deadline = time.monotonic() + LOG_SECONDS_MAX
    while time.monotonic() < deadline:
        rows = _get("?per_page=50&order_by=created_at&order_by_direction=desc")["result"]
        found = [row for row in rows if row["event_id"] == event_id]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no record with event id {event_id} within {LOG_SECONDS_MAX} s")


def _get(path):
    told = json.loads(_read(path))
    assert told["success"] is True, told
    return told


def _read(path):
    request = urllib.request.Request(LOGS + path, headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=LOG_SECONDS_MAX) as answer:
        return answer.read()
