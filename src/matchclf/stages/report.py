"""Show what is recorded: verdicts on an ablation, the registered model, or what is different between two runs."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from matchclf.config import Config
from matchclf.config.rules import one_of
from matchclf.console import table
from matchclf.stages.ablation_report import show_ablation
from matchclf.stages.difference import show_difference
from matchclf.tracking.decisions import history
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

log = logging.getLogger(__name__)
VERSIONS = ["version", "aliases", "model", "log-loss", "Brier", "ECE", "data", "params", "run"]


def run(config: Config) -> None:
    """Show the report that ``config.what`` names."""
    one_of("what", config.what, tuple(REPORTS))
    log.info("%s", REPORTS[config.what](config))


def show_registry(config: Config) -> str:
    """Versions with their scores on the holdout, then the decisions, oldest first."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    registered = Registered(store, config.registry.model_name)
    versions = [_version(registered, one) for one in registered.versions()]
    decisions = "\n".join(line for one in history(registered) for line in _decision(one))
    if not versions:
        return f"{registered.name} has no version yet; stage=register makes one from a final run."
    return f"{registered.name}\n{table(VERSIONS, versions)}\n\nDecisions, the first one first\n{decisions}"


def _version(registered: Registered, version: Any) -> list[str]:
    aliases = ", ".join(sorted(version.aliases))
    if not version.run_id:  # made by hand
        return [str(version.version), aliases, *[""] * 6, "none"]
    run = registered.store.client.get_run(version.run_id).data
    scores = [f"{run.metrics.get(f'final.{name}', math.nan):.4f}" for name in ("logloss", "brier", "ece")]
    hashes = [run.tags.get(name, "")[:8] for name in ("data.hash", "pipeline.params_hash")]
    return [str(version.version), aliases, run.params.get("model.name", ""), *scores, *hashes, version.run_id]


def _decision(one: dict[str, Any]) -> list[str]:
    instead = "" if one["before"] is None else f", before it version {one['before']}"
    what = f"{one['alias']}: version {one['version']} {one['verdict']}{instead}"
    return [f"{one['number']:4d}  {one['when']}  {one['who']}  {what}", *(f"      {why}" for why in one["grounds"])]


REPORTS = {"ablation": show_ablation, "registry": show_registry, "diff": show_difference}
