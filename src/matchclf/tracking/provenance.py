"""What a run keeps so that it can be made again: uncommitted code, environment, command line, digests step by step."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matchclf.tracking.record import keep_text
from matchclf.tracking.runs import Run
from matchclf.tracking.store import Store

FOLDER = "lineage"
DIFF, ENVIRONMENT, OVERRIDES, DIGESTS = "uncommitted.diff", "environment.json", "overrides.json", "digests.json"


def keep_code(run: Run, diff: str, environment: Mapping[str, str], overrides: list[str]) -> None:
    """Store the uncommitted changes (none: no file), versions and platform, and the overrides of the command line."""
    if diff:
        keep_text(run, diff, f"{FOLDER}/{DIFF}")
    keep_text(run, json.dumps(environment, indent=2), f"{FOLDER}/{ENVIRONMENT}")
    keep_text(run, json.dumps(overrides, indent=2), f"{FOLDER}/{OVERRIDES}")


def keep_digests(run: Run, digests: Mapping[str, str]) -> None:
    """Store the digest of each step, in the order in which data travels."""
    keep_text(run, json.dumps(digests, indent=2), f"{FOLDER}/{DIGESTS}")


def read_kept(store: Store, run_id: str, name: str) -> str | None:
    """The text of one of these files; None when the run has none."""
    if f"{FOLDER}/{name}" not in {file.path for file in store.client.list_artifacts(run_id, FOLDER)}:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = store.client.download_artifacts(run_id, f"{FOLDER}/{name}", folder)
        return Path(path).read_bytes().decode()  # a patch keeps its line ends


def read_json_kept(store: Store, run_id: str, name: str) -> dict[str, Any] | None:
    """The same for a file of JSON."""
    text = read_kept(store, run_id, name)
    return None if text is None else json.loads(text)
