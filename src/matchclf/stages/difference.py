"""What is different between two runs: settings, data, code, environment, steps, scores."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matchclf.config import Config
from matchclf.console import table
from matchclf.errors import ConfigError
from matchclf.identity import file_hash
from matchclf.reports.difference import difference_page
from matchclf.reports.page import Page
from matchclf.stages.compare import flat
from matchclf.stages.original import Original, find_original
from matchclf.tracking.provenance import DIGESTS, read_json_kept
from matchclf.tracking.store import Store, open_store

ABSENT = "absent"
LONGEST = 60
CODE = ("pipeline.git_sha", "pipeline.git_dirty")
# The same content may have been written or read at another time.
TIMES = ("data.ingested_at", "data.source_last_modified")


def show_difference(config: Config) -> tuple[str, Page]:
    """One table of everything that differs between ``config.run_a`` and ``config.run_b``, part by part."""
    if config.run_a is None or config.run_b is None:
        raise ConfigError("run_a and run_b are needed: stage=report what=diff run_a=RUN run_b=RUN.")
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    pair = [find_original(store, run_id) for run_id in (config.run_a, config.run_b)]
    parts = [_told(store, one) for one in pair]
    rows = [row for name in parts[0] for row in _differing(name, parts[0][name], parts[1][name])]
    names = [f"{one.run.info.run_name} ({one.run.info.run_id[:8]})" for one in pair]
    page = difference_page(store, [one.run for one in pair], rows)
    if not rows:
        return f"{names[0]} and {names[1]} are the same in settings, data, code, environment, steps and scores.", page
    short = [[*row[:2], *map(_short, row[2:])] for row in rows]
    return table(["part", "what", *names], short, left=4), page


def _told(store: Store, one: Original) -> dict[str, Mapping[str, Any]]:
    tags = one.run.data.tags
    settings = {key: value for key, value in one.settings.items() if key not in ("lineage", "tracking")}
    return {
        "settings": flat(settings),
        "data": {key: value for key, value in one.data.items() if key not in TIMES},
        "code": {key: tags.get(key, ABSENT) for key in CODE} | {"uncommitted changes": file_hash(one.diff.encode())},
        "environment": one.environment,
        "steps": read_json_kept(store, one.run.info.run_id, DIGESTS) or {},
        "scores": {key: f"{value:.6g}" for key, value in one.run.data.metrics.items() if key != "duration_seconds"},
    }


def _differing(part: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[list[str]]:
    keys = sorted(key for key in first.keys() | second.keys() if first.get(key, ABSENT) != second.get(key, ABSENT))
    return [[part, key, *(str(one.get(key, ABSENT)) for one in (first, second))] for key in keys]


def _short(value: str) -> str:
    return textwrap.shorten(value, LONGEST)
