"""The trials of a search as MLflow knows them: what they were, how they ended, the best of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import pandas as pd

from matchclf.tracking import runs
from matchclf.tracking.runs import Run
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store

# Trials that run side by side end while this one goes on.
LOOK_AGAIN_SECONDS = 5


@dataclass(frozen=True)
class Trial:
    """A trial that ended; ``value`` is None when it failed."""

    number: int
    params: dict[str, str]
    value: float | None


class Rival:
    """The best trial of a sweep so far, as seen some seconds ago at most."""

    def __init__(self, parent: Run) -> None:
        self._parent = parent
        self._look()

    def scores(self) -> list[float]:
        """Its log-loss of each fold, by year; empty where no trial is complete yet."""
        if time.monotonic() - self._seen > LOOK_AGAIN_SECONDS:
            self._look()
        return self._scores

    def _look(self) -> None:
        best = best_trial(self._parent)
        self._scores = fold_scores(best, self._parent.store) if best else []
        self._seen = time.monotonic()


def finished_trials(parent: Run) -> list[Trial]:
    """Every trial of a sweep that ended by itself, by its number: complete, stopped early or failed."""
    found = [
        Trial(int(child.data.tags["trial.number"]), json.loads(child.data.tags["trial.params"]), _value(child))
        for child in _children(parent)
        if _ended(child)
    ]
    return sorted(found, key=lambda trial: trial.number)


def best_trial(parent: Run) -> StoredRun | None:
    """The complete trial with the lowest mean log-loss, the earliest of equals; None when there is none yet."""
    ended = [child for child in _children(parent) if _ended(child)]
    complete = [child for child in ended if child.data.tags.get("trial.state") == "complete"]
    return min(complete, key=lambda child: child.data.metrics["cv.logloss_mean"], default=None)


def fold_scores(run: StoredRun, store: Store) -> list[float]:
    """Log-loss of each fold of a stored run, by year."""
    history = store.client.get_metric_history(run.info.run_id, "cv.logloss")
    return [point.value for point in sorted(history, key=lambda point: point.step)]


def trial_table(parent: Run) -> pd.DataFrame:
    """One row a trial that ended: number, state, value (NaN when failed) and one column a parameter."""
    rows = [
        {
            "number": int(child.data.tags["trial.number"]),
            "state": child.data.tags.get("trial.state", "failed"),
            "value": value if (value := _value(child)) is not None else float("nan"),
            **{short_name(key): v for key, v in json.loads(child.data.tags["trial.params"]).items()},
        }
        for child in _children(parent)
        if _ended(child)
    ]
    return pd.DataFrame(rows).sort_values("number", ignore_index=True)


def short_name(key: str) -> str:
    """``models.xgb.estimator.max_depth`` -> ``xgb.max_depth``; any other key stays as it is."""
    return key.removeprefix("models.").replace(".estimator.", ".")


def _children(parent: Run) -> list[StoredRun]:
    return find_runs(parent.store, mlflow__parentRunId=parent.id)


def _ended(child: StoredRun) -> bool:
    tags = child.data.tags
    return runs.ORPHANED not in tags and ("trial.state" in tags or child.info.status == runs.FAILED)


def _value(child: StoredRun) -> float | None:
    metrics = child.data.metrics
    return metrics.get("cv.logloss_mean", metrics.get("cv.logloss_estimate"))
