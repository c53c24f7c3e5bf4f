"""The runs of a sweep: a search for hyperparameters with its trials, or jobs side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matchclf.errors import ConfigError
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store
from matchclf.tracking.tags import NONE


@dataclass(frozen=True)
class Sweep:
    """The parent runs of one multirun with their children, oldest first."""

    store: Store
    id: str
    parents: list[StoredRun]
    children: list[StoredRun]

    @property
    def is_search(self) -> bool:
        """Whether it is a search for hyperparameters."""
        return bool(self.parents[-1].data.tags["pipeline.stage"] == "tuning")

    @cached_property
    def trials(self) -> list[StoredRun]:
        """The trials of a search that ended, by number."""
        ended = [child for child in self.children if child.info.status != "RUNNING"]
        return sorted(ended, key=lambda child: int(child.data.tags["trial.number"]))

    @property
    def best(self) -> StoredRun | None:
        """The complete trial with the lowest log-loss, the earliest of equals."""
        complete = [trial for trial in self.trials if state(trial) == "complete"]
        return min(complete, key=lambda trial: trial.data.metrics["cv.logloss_mean"], default=None)


def read_sweep(store: Store, sweep: str | None) -> Sweep:
    """The sweep of this id, of the parent run with this id, or the latest; raises ConfigError when there is none."""
    parents = find_runs(store, pipeline__scope="parent")
    if sweep is None:
        sweeps = [one.data.tags.get("pipeline.sweep_id", NONE) for one in parents]
        sweep = next((one for one in reversed(sweeps) if one != NONE), None)
    if sweep is None:
        raise ConfigError("There is no sweep yet; run stage=tuning, or another stage with --multirun.")
    found = [one for one in parents if sweep in (one.data.tags.get("pipeline.sweep_id"), one.info.run_id)]
    if not found:
        raise ConfigError(f"No run belongs to sweep={sweep}; give the value of a tag pipeline.sweep_id.")
    children = [child for one in found for child in find_runs(store, mlflow__parentRunId=one.info.run_id)]
    return Sweep(store, sweep, found, children)


def state(trial: StoredRun) -> str:
    """How a trial ended: complete, pruned (stopped early) or failed."""
    return str(trial.data.tags.get("trial.state", "failed"))


def value(trial: StoredRun) -> float | None:
    """Its mean log-loss, or the estimate of one that was stopped early; None when it failed."""
    metrics: dict[str, float] = trial.data.metrics
    return metrics.get("cv.logloss_mean", metrics.get("cv.logloss_estimate"))


def point(trial: StoredRun) -> dict[str, Any]:
    """What a trial tried, by the short names of its parameters."""
    tried = json.loads(trial.data.tags["trial.params"])
    return {key.removeprefix("models.").replace(".estimator.", "."): one for key, one in tried.items()}
