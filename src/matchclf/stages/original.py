"""A run that is to be made again: what it was, and what it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matchclf.errors import ModelError
from matchclf.tracking import record, runs
from matchclf.tracking.provenance import DIFF, ENVIRONMENT, read_json_kept, read_kept
from matchclf.tracking.search import StoredRun, find_run
from matchclf.tracking.store import Store

TRIAL = "optuna_trial"


@dataclass(frozen=True)
class Original:
    """A finished run, its config as it was, the code's commit and uncommitted changes, its environment."""

    run: StoredRun
    settings: dict[str, Any]
    sha: str
    diff: str
    diff_state: str
    environment: dict[str, str]
    data: dict[str, str]

    @property
    def trial(self) -> list[Any]:
        """Number and point of a trial, empty for every other run."""
        tags = self.run.data.tags
        return [int(tags["trial.number"]), json.loads(tags["trial.params"])] if _is_trial(self.run) else []


def find_original(store: Store, run_id: str) -> Original:
    """What is stored about a run; a search stands for its best trial, a run that only points to another for that one.

    Raises ModelError.
    """
    run = find_run(store, run_id)
    if run.data.tags.get("pipeline.stage") == "tuning" and "best.run_id" in run.data.tags:
        run = find_run(store, run.data.tags["best.run_id"])
    if "duplicate.of" in run.data.tags and not run.data.metrics:
        run = find_run(store, run.data.tags["duplicate.of"])
    if run.info.status != runs.FINISHED:
        raise ModelError(f"Run {run_id} is {run.info.status}; only a run that is {runs.FINISHED} can be made again.")
    if "pipeline.stage" not in run.data.tags:
        raise ModelError(f"Run {run_id} is none of matchclf: it has no tag pipeline.stage.")
    parent = run.data.tags.get("mlflow.parentRunId", run.info.run_id)
    return Original(
        run,
        _settings(store, run),
        run.data.tags.get("mlflow.source.git.commit", "none"),
        read_kept(store, parent, DIFF) or "",
        find_run(store, parent).data.tags.get("pipeline.git_diff", "none"),
        read_json_kept(store, parent, ENVIRONMENT) or {},
        {key: value for key, value in run.data.tags.items() if key.startswith("data.")},
    )


def _is_trial(run: StoredRun) -> bool:
    return bool(run.data.tags.get("pipeline.stage") == TRIAL)


def _settings(store: Store, run: StoredRun) -> dict[str, Any]:
    """The stored config, of a child that of its own model alone, and without what would keep it from running again."""
    folder = str(Path(record.CONFIG).parent)
    if record.CONFIG not in {file.path for file in store.client.list_artifacts(run.info.run_id, folder)}:
        raise ModelError(f"Run {run.info.run_id} has no {record.CONFIG}; its config is not known.")
    settings = record.read_config(store, run.info.run_id)
    settings["lineage"] = {"allow_dirty": True, "require_clean": False, "on_duplicate": "run"}
    name = run.info.run_name.removeprefix("model | ")
    if name != run.info.run_name:
        settings["models"] = {name: settings["models"][name]}
    return settings
