"""JSON lines, which schemathesis does not know: every line is one JSON value."""

import json

import schemathesis


@schemathesis.deserializer("application/x-ndjson")
def read_lines(ctx, response):
    return [json.loads(line) for line in response.content.splitlines() if line]
