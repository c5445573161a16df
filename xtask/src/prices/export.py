"""Writes the two price data sets as one JSON file for `cargo xtask prices`. Figures stay decimal text: no float is ever made.

    pip download --no-deps genai-prices litellm
    python3 export.py genai_prices-*.whl litellm-*.whl > prices.json
"""

import dataclasses
import datetime
import json
import sys
import types
import zipfile
from decimal import Decimal


def genai(wheel):
    # Importing the package would want its HTTP client; the data does not.
    sys.modules["httpx2"] = types.ModuleType("httpx2")
    sys.path.insert(0, wheel)
    from genai_prices.data import providers

    return plain(providers)


def plain(value):
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(inner) for inner in value)
    if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        return {"kind": type(value).__name__, **plain(vars(value))}
    return value


def litellm(wheel):
    text = zipfile.ZipFile(wheel).read("litellm/model_prices_and_context_window_backup.json")
    models = json.loads(text, parse_float=str)
    models.pop("sample_spec", None)
    return models


def version(wheel):
    return wheel.rsplit("/", 1)[-1].split("-")[1]


if __name__ == "__main__":
    genai_wheel, litellm_wheel = sys.argv[1:3]
    document = {
        "retrieved": datetime.date.today().isoformat(),
        "genai_prices": {"version": version(genai_wheel), "providers": genai(genai_wheel)},
        "litellm": {"version": version(litellm_wheel), "models": litellm(litellm_wheel)},
    }
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
