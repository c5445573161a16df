#!/usr/bin/env python3
"""The second opinion: every model that both the gateway and the package genai-prices know, priced by both, to the nano-dollar.

The gateway is asked through `tollgate prices cost`. Where the two differ, docs/prices.md says why, in the table below the heading "Second opinion"; a
difference that is not explained there fails, and so does an explanation of what does not differ any more. The quantities are whole thousands, so that
hardly any price leaves a fraction of a nano-dollar. The last line is `N passed, N failed`.
"""

import datetime
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from genai_prices import Usage, calc_price
from genai_prices.data import providers

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("TOLLGATE_BINARY", ROOT / "target/release/tollgate"))
HEADING = "## Second opinion"
# Their word for a provider, our path segment.
SEGMENTS = {
    "anthropic": "anthropic",
    "aws": "aws-bedrock",
    "azure": "azure-openai",
    "baseten": "baseten",
    "cerebras": "cerebras",
    "cloudflare": "workers-ai",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "google-ai-studio",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity-ai",
    "together": "together",
    "voyageai": "voyage",
    "x-ai": "grok",
}
# Disjoint classes, as ours are; theirs are inclusive.
PROBES = {
    "plain": {"input": 1000, "output": 2000},
    "cached": {"input": 1000, "cache_read": 3000, "output": 2000},
    "kept": {"input": 1000, "cache_write_5m": 2000, "output": 1000},
    "spoken": {"input": 1000, "audio_in": 2000, "output": 1000, "audio_out": 3000},
    "long": {"input": 300000, "cache_read": 1000, "output": 2000},
}
# Saturday, 21 November 2026, noon.
NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.timezone.utc)


def main():
    warnings.simplefilter("ignore")
    cases = [
        (SEGMENTS[provider.id], provider.id, model.id, probe)
        for provider in providers
        if provider.id in SEGMENTS
        for model in provider.models
        for probe in PROBES
    ]
    answers = ours(cases)
    explained = explanations()
    used, passed, wrong = set(), 0, []
    for (segment, theirs, model, probe), answer in zip(cases, answers):
        if answer["nanos"] is None:
            continue
        expected = second_opinion(theirs, model, PROBES[probe])
        if expected is None:
            continue
        if expected == answer["nanos"]:
            passed += 1
            continue
        name = f"{segment}/{model}"
        reason = next((row for row in explained if fnmatch.fnmatchcase(name, row[0]) and probe in row[1]), None)
        if reason:
            used.add(reason)
            passed += 1
        else:
            wrong.append(f"{name} ({probe}): the gateway says {answer['nanos']}, genai-prices {expected}")
    wrong += [f"docs/prices.md explains {row[0]} ({', '.join(row[1])}), which does not differ" for row in explained if row not in used]
    print("\n".join(wrong))
    print(f"{len(used)} of {len(explained)} explanations used")
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong or not passed else 0


def ours(cases):
    at = int(NOW.timestamp() * 1000)
    lines = [
        json.dumps({"provider": segment, "model": model, "at": at, "usage": PROBES[probe]})
        for segment, _, model, probe in cases
    ]
    with tempfile.TemporaryDirectory(prefix="tollgate-prices-") as folder:
        command = [BINARY, "prices", "cost", "--data-dir", folder]
        done = subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def second_opinion(provider, model, usage):
    """In nano-dollars; None where it knows no such model or cannot price this usage."""
    get = lambda name: usage.get(name, 0)
    values = {
        "input_tokens": get("input") + get("cache_read") + get("cache_write_5m") + get("audio_in"),
        "cache_read_tokens": get("cache_read"),
        "cache_write_tokens": get("cache_write_5m"),
        "input_audio_tokens": get("audio_in"),
        "output_tokens": get("output") + get("audio_out"),
        "output_audio_tokens": get("audio_out"),
    }
    try:
        found = calc_price(
            Usage(**{name: value for name, value in values.items() if value}),
            model,
            provider_id=provider,
            genai_request_timestamp=NOW,
        )
    except (LookupError, ValueError):
        return None
    # It may know the name as one of another model.
    if found.model.id != model:
        return None
    # Some unit prices are thirds of a cent, written out to the twentieth decimal; a nano-dollar is rounded half up.
    return int((Decimal(found.total_price) * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


def explanations():
    """Rows of the table: pattern of models, probes, reason."""
    text = (ROOT / "docs/prices.md").read_text()
    _, _, behind = text.partition(HEADING)
    rows = []
    for line in behind.split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found = re.fullmatch(r"`([^`]+)`", cells[0]) if line.startswith("|") and len(cells) == 3 else None
        if found:
            rows.append((found[1], tuple(word.strip() for word in cells[1].split(",")), cells[2]))
    return rows


if __name__ == "__main__":
    sys.exit(main())
