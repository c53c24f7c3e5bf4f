"""Where the out-of-fold forecasts of a run are off: by division, by Elo gap, and against the truth where known."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from matchclf import paths
from matchclf.config import Config
from matchclf.console import table
from matchclf.data.dataset import KEY
from matchclf.data.schema import OUTCOMES, TARGET
from matchclf.evaluate import OUT_OF_FOLD
from matchclf.files import read_json, read_parquet
from matchclf.metrics import ece, log_loss
from matchclf.tracking.search import find_run
from matchclf.tracking.store import open_store

PROBA = [f"prob_{name}" for name in OUTCOMES]
GAPS = 5
HEADER = ["matches", "log-loss", "ECE", "home", "forecast", "draw", "forecast", "away", "forecast"]


def show_forecasts(config: Config, matches: pd.DataFrame, features: pd.DataFrame) -> list[str]:
    """A table by division and one by Elo gap of ``config.run_id``, else of the winner of the last train_eval."""
    run_id = config.run_id or (read_json(paths.RUN_ID)["run_id"] if paths.RUN_ID.is_file() else None)
    if run_id is None:
        return ["Forecasts: give run_id=RUN, or run stage=train_eval first"]
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    with tempfile.TemporaryDirectory() as folder:
        path = store.client.download_artifacts(find_run(store, run_id).info.run_id, OUT_OF_FOLD, folder)
        forecasts = read_parquet(Path(path))
    told = [f"Out-of-fold forecasts of {run_id}, by division\n{_by(forecasts, forecasts['division'])}"]
    if "elo_diff" in features:
        gap = forecasts[KEY].merge(matches[KEY].assign(gap=features["elo_diff"]), on=KEY, how="left")["gap"]
        told.append(f"The same by Elo gap, home less away\n{_by(forecasts, pd.qcut(gap, GAPS, duplicates='drop'))}")
    return [*told, *_against_truth(forecasts)]


def _by(forecasts: pd.DataFrame, groups: pd.Series) -> str:
    rows = [_row(str(name), some) for name, some in forecasts.groupby(groups, observed=True)]
    return table(["", *HEADER], rows)


def _row(name: str, some: pd.DataFrame) -> list[str]:
    target, proba = some[TARGET].to_numpy(), some[PROBA].to_numpy()
    pairs = zip(np.bincount(target, minlength=3) / len(target), proba.mean(axis=0), strict=True)
    shares = [f"{value:.3f}" for pair in pairs for value in pair]
    return [name, f"{len(some):,}", f"{log_loss(target, proba):.4f}", f"{ece(target, proba):.4f}", *shares]


def _against_truth(forecasts: pd.DataFrame) -> list[str]:
    if not paths.TRUTH.is_file():
        return []
    key = ["date", "country", "home_team", "away_team"]
    known = forecasts[key].merge(read_parquet(paths.TRUTH), on=key, how="left", validate="one_to_one")
    proba, true = forecasts[PROBA].to_numpy(), known[PROBA].to_numpy()
    divergence = float((true * np.log(true / proba)).sum(axis=1).mean())
    apart = float(abs(true - proba).mean())
    return [f"Against the truth: Kullback-Leibler divergence {divergence:.4f}, mean absolute difference {apart:.4f}"]
