"""What an ablation over variants says: each variant against ``full`` on the same out-of-fold matches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from matchclf.config import Config
from matchclf.console import table
from matchclf.data.dataset import KEY
from matchclf.data.schema import OUTCOMES, TARGET
from matchclf.errors import ConfigError, ModelError
from matchclf.files import read_parquet
from matchclf.metrics import match_losses
from matchclf.stages.compare import OUT_OF_FOLD
from matchclf.stages.results import show_sweep
from matchclf.tracking.search import StoredRun, find_runs, sweep_scores
from matchclf.tracking.store import Store, open_store
from matchclf.tracking.tags import NONE
from matchclf.verdicts import Verdict, judge

REFERENCE = "full"
LOSSES = {"logloss": "log-loss", "rps": "RPS"}
SWEEP = "pipeline.sweep_id"
HEADER = ["variant", "model", "mean", "less full", "interval from", "to", "smallest effect", "verdict"]


def show_ablation(config: Config) -> str:
    """The verdicts of the sweep ``config.sweep``, else of the latest sweep of ablations."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    sweep = config.sweep or _latest_sweep(store)
    told = tell_ablation(store, sweep)
    if told is None:
        raise ConfigError(
            f"The sweep {sweep} has no finished ablation of another variant beside variant={REFERENCE}; run "
            "stage=ablation --multirun variant=elo_only,stats_only,full_no_h2h,full."
        )
    return told


def tell_sweep(store: Store, sweep: str) -> str:
    """The scores of all jobs of a sweep side by side, and the verdicts if they are an ablation; else empty."""
    scores = sweep_scores(store, sweep)
    told = [show_sweep(scores)] if any(scores.values()) else []  # final runs have no walk-forward scores
    verdicts = tell_ablation(store, sweep)
    return "\n\n".join([*told, *([verdicts] if verdicts else [])])


def tell_ablation(store: Store, sweep: str) -> str | None:
    """A table for each loss: every variant and model of a sweep against the same model on all features.

    None when there is nothing to compare; raises ModelError when the runs of the sweep forecast different matches.
    """
    forecasts = dict(_forecasts(store, sweep))
    compared = [key for key in forecasts if key[0] != REFERENCE and (REFERENCE, *key[1:]) in forecasts]
    if not compared:
        return None
    matches = forecasts[compared[0]][[*KEY, TARGET]]
    losses = {key: _losses(found, matches) for key, found in forecasts.items()}
    parts = [_table(loss, losses, compared, matches) for loss in LOSSES]
    told = f"Sweep {sweep}: {len(matches):,} out-of-fold matches, each variant less {REFERENCE}, match by match"
    note = (
        "Intervals by a bootstrap over weeks, right for all rows of a table together in 95 of 100 cases. "
        "Smallest effect: what these data would show in 80 of 100."
    )
    return "\n\n".join([told, *parts, note])


def _table(
    loss: str,
    losses: dict[tuple[str, str, str], dict[str, np.ndarray]],
    compared: list[tuple[str, str, str]],
    matches: pd.DataFrame,
) -> str:
    differences = {key: losses[key][loss] - losses[(REFERENCE, *key[1:])][loss] for key in compared}
    verdicts = judge(dict(zip(map("/".join, compared), differences.values(), strict=True)), matches["date"])
    rows = [
        _row(key, float(losses[key][loss].mean()), one) for key, one in zip(compared, verdicts.values(), strict=True)
    ]
    return f"{LOSSES[loss]}\n{table(HEADER, rows, left=2)}"


def _row(key: tuple[str, str, str], mean: float, one: Verdict) -> list[str]:
    variant, model, frac = key
    name = variant if frac == "1.0" else f"{variant}, frac={frac}"
    return [
        name,
        model,
        f"{mean:.4f}",
        *(f"{value:+.4f}" for value in (one.mean, one.low, one.high)),
        f"{one.smallest:.4f}",
        one.told,
    ]


def _losses(found: pd.DataFrame, matches: pd.DataFrame) -> dict[str, np.ndarray]:
    if not found[[*KEY, TARGET]].equals(matches):
        raise ModelError("The runs of this sweep forecast different matches; nothing can be compared match by match.")
    return match_losses(found[TARGET].to_numpy(), found[[f"prob_{name}" for name in OUTCOMES]].to_numpy())


def _forecasts(store: Store, sweep: str) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame]]:
    """Variant, model and fraction, and the out-of-fold forecasts, of every finished child run of a sweep."""
    for child in find_runs(store, pipeline__sweep_id=sweep, pipeline__stage="ablation", pipeline__scope="child"):
        if child.info.status == "FINISHED":
            data = child.data
            yield (
                (data.tags["pipeline.variant"], data.params["model.name"], data.params["data.frac"]),
                _read(store, child),
            )


def _read(store: Store, child: StoredRun) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return read_parquet(Path(store.client.download_artifacts(child.info.run_id, OUT_OF_FOLD, folder)))


def _latest_sweep(store: Store) -> str:
    parents = find_runs(store, pipeline__stage="ablation", pipeline__scope="parent")
    sweeps = [one.data.tags[SWEEP] for one in parents if one.data.tags[SWEEP] != NONE]
    if not sweeps:
        raise ConfigError("There is no sweep of ablations yet; run stage=ablation --multirun variant=elo_only,full.")
    return str(sweeps[-1])
