"""The identity of an experiment: a hash over everything that can change a result, and nothing else."""

import hashlib
import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

from matchclf.config import Config, Features

HASH_LENGTH = 16


def params_hash(config: Config) -> str:
    """First 16 hex digits of the SHA-256 of the config's canonical JSON."""
    return short_hash(identity(config))


def part_hashes(config: Config) -> dict[str, str]:
    """Hash of each part of the config by itself: data, features, split, model, search."""
    whole = identity(config)
    parts = {
        "data": whole["data"],
        "features": whole["features"],
        "split": [whole["temporal"], whole["frac"]],
        "model": [whole["models"], whole["seed"], whole.get("final"), whole.get("reference")],
        "search": whole.get("tuning"),
    }
    return {name: short_hash(part) for name, part in parts.items()}


def short_hash(value: Any) -> str:
    """First 16 hex digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:HASH_LENGTH]


def file_hash(content: bytes) -> str:
    """First 16 hex digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(content).hexdigest()[:HASH_LENGTH]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces, and one spelling a number.

    >>> canonical_json({"b": 1.0, "a": [True, 2]})
    '{"a":[true,2],"b":1}'
    """
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def identity(part: Any) -> Any:
    """The part of a config that can change a result, as plain values."""
    if isinstance(part, Features):
        return {name: part.families[name] for name in part.use}
    if is_dataclass(part) and not isinstance(part, type):
        stage = part.stage.name if isinstance(part, Config) else None
        kept = [f for f in fields(part) if f.metadata.get("identity", True) and f.metadata.get("stage", stage) == stage]
        return {f.name: identity(getattr(part, f.name)) for f in kept}
    if isinstance(part, dict):
        return {key: identity(value) for key, value in part.items()}
    return part


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
