"""Scores as small files for `dvc metrics`, `dvc plots` and `dvc exp show`: the same numbers that MLflow has."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from matchclf import paths
from matchclf.data.schema import OUTCOMES
from matchclf.evaluate import Evaluation
from matchclf.files import replacing, write_json
from matchclf.metrics import METRICS, Labels, Proba

GROUPS = 10


def keep_comparison(name: str, scored: list[Evaluation]) -> None:
    """Mean walk-forward log-loss of each model; and by year, with a column ``best`` for the best model of all years."""
    means = {one.name: one.mean["logloss"] for one in scored}
    by_year = pd.DataFrame({one.name: one.by_year["logloss"] for one in scored})
    write_json({name: {"logloss": means}}, paths.METRICS / f"{name}.json")
    best = by_year[min(means, key=means.__getitem__)]
    _write_csv(by_year.assign(best=best).rename_axis("year").reset_index(), paths.METRICS / f"folds_{name}.csv")


def keep_search(logloss: float, trials: int) -> None:
    """Log-loss of the best trial so far, and the number of trials."""
    write_json({"tuning": {"logloss": logloss, "trials": trials}}, paths.METRICS / "tuning.json")


def keep_final(metrics: dict[str, float], target: Labels, proba: Proba) -> None:
    """Scores on the holdout, log-loss less that of the rivals, and how often happened what was forecast."""
    final = {key: metrics[f"final.{key}"] for key in METRICS if not math.isnan(metrics[f"final.{key}"])}
    rivals = [key for key in metrics if key.startswith("difference.") and key.endswith(".mean")]
    difference = {key.split(".")[1]: metrics[key] for key in rivals}
    write_json({"final": final, "difference": difference}, paths.METRICS / "final.json")
    _write_csv(_calibration(target, proba), paths.METRICS / "calibration.csv")


def _calibration(target: Labels, proba: Proba) -> pd.DataFrame:
    """Ten groups an outcome, equal in size, by forecast probability: its mean, and the share in which it happened."""
    rows = [
        (outcome, proba[group, label].mean(), (target[group] == label).mean())
        for label, outcome in enumerate(OUTCOMES)
        for group in np.array_split(np.argsort(proba[:, label], kind="stable"), GROUPS)
        if len(group)
    ]
    return pd.DataFrame(rows, columns=["outcome", "forecast", "happened"])


def _write_csv(table: pd.DataFrame, target: Path) -> None:
    with replacing(target) as part:
        table.to_csv(part, index=False)
