#!/usr/bin/env python3
"""Does the sums of crates/rules/tests/corpus again, from prices that were typed apart from the catalog (published.toml says how far they were looked up).

Each line's `sum` must name the quantities that the line says are read, at the published unit prices, and come to its `nanos`. Nothing of the gateway
is asked: neither its catalog nor its code. The last line is `N passed, N failed`.
"""

import re
import sys
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "crates/rules/tests/corpus"
# What a class that has no price of its own is charged as.
FALLS_BACK = {
    "cache_read": "input",
    "cache_read_audio": "cache_read",
    "cache_read_image": "cache_read",
    "cache_write_5m": "input",
    "cache_write_1h": "cache_write_5m",
    "audio_in": "input",
    "image_in": "input",
    "reasoning": "output",
    "audio_out": "output",
    "image_out": "output",
}
PIECES = {"requests": "request", "searches": "search", "images": "image", "seconds": "second", "characters": "character"}
TERM = re.compile(r"(\d+) ([a-z_0-9]+) x ([0-9.]+)")


def main():
    published = tomllib.loads((HERE / "published.toml").read_text())
    passed, wrong = 0, []
    for path in sorted(CORPUS.glob("*.toml")):
        page = tomllib.loads(path.read_text())
        for line in page["line"]:
            provider = line.get("provider", page["provider"])
            problem = judge(line, published[provider][line.get("published", line["model"])])
            if problem:
                wrong.append(f"{path.name}: {line['model']} {line['usage']}: {problem}")
            else:
                passed += 1
    print("\n".join(wrong))
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong or not passed else 0


def judge(line, prices):
    nanos = 0
    counted = {}
    for part in filter(None, line["sum"].split(" + ")):
        found = TERM.fullmatch(part)
        if not found:
            return f"not a product: {part!r}"
        quantity, kind, price = int(found[1]), found[2], Decimal(found[3])
        if price != unit_price(kind, prices):
            return f"{kind} is published at {unit_price(kind, prices)}, the sum says {price}"
        counted[kind] = quantity
        # Dollars per million is thousands of nano-dollars each; a line is rounded by itself, half up.
        nanos += int((quantity * price * 1000).quantize(Decimal(1), ROUND_HALF_UP))
    requests = counted.pop("requests", 0)
    if requests != (1 if "request" in prices else 0):
        return f"{requests} requests"
    if counted != line["reads"]:
        return f"the sum is of {counted}, what is read is {line['reads']}"
    return None if nanos == line["nanos"] else f"the sum is {nanos}, the line says {line['nanos']}"


def unit_price(kind, prices):
    kind = PIECES.get(kind, kind)
    while kind not in prices and kind in FALLS_BACK:
        kind = FALLS_BACK[kind]
    return Decimal(prices[kind]) if kind in prices else None


if __name__ == "__main__":
    sys.exit(main())
