"""The runs of an ablation: their out-of-fold forecasts, and each variant held against all features."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.data.dataset import KEY
from matchclf.data.schema import OUTCOMES, TARGET
from matchclf.errors import ConfigError, ModelError
from matchclf.evaluate import OUT_OF_FOLD
from matchclf.files import read_parquet
from matchclf.metrics import Proba, match_losses
from matchclf.tracking.runs import FINISHED
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store
from matchclf.tracking.tags import NONE
from matchclf.verdicts import Verdict, judge

REFERENCE = "full"
SWEEP = "pipeline.sweep_id"
PROBA = [f"prob_{name}" for name in OUTCOMES]
# Variant, model and fraction.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Forecast:
    """The out-of-fold forecasts of one child run."""

    run: StoredRun
    table: pd.DataFrame

    @property
    def key(self) -> Key:
        """Variant, model and fraction."""
        data = self.run.data
        return data.tags["pipeline.variant"], data.params["model.name"], data.params["data.frac"]

    @property
    def proba(self) -> Proba:
        """Shape (n_matches, 3) in the order home, draw, away."""
        return self.table[PROBA].to_numpy()

    @cached_property
    def losses(self) -> dict[str, NDArray[np.float64]]:
        """Log-loss, Brier score and RPS of each match."""
        return match_losses(self.table[TARGET].to_numpy(), self.proba)


@dataclass(frozen=True)
class Ablation:
    """Forecasts of the same matches by the jobs of a sweep, and those that can be held against all features."""

    sweep: str
    forecasts: dict[Key, Forecast]
    compared: list[Key]

    @property
    def matches(self) -> pd.DataFrame:
        """What was forecast, row for row as in every forecast, with the odds and the Elo gap where they are stored."""
        tables = [one.table for one in self.forecasts.values()]
        facts = max((table.columns.drop(PROBA) for table in tables), key=len)
        return next(table for table in tables if set(facts) <= set(table.columns))[list(facts)]

    def differences(self, loss: str) -> dict[Key, NDArray[np.float64]]:
        """Loss of each compared forecast less that of all features with the same model and fraction, match by match."""
        losses = {key: one.losses[loss] for key, one in self.forecasts.items()}
        return {key: losses[key] - losses[reference(key)] for key in self.compared}

    def verdicts(self, loss: str) -> dict[Key, Verdict]:
        """A verdict on each of these differences, with intervals that are right for all of them together."""
        differences = self.differences(loss)
        judged = judge(dict(zip(map("/".join, differences), differences.values(), strict=True)), self.matches["date"])
        return dict(zip(differences, judged.values(), strict=True))


def reference(key: Key) -> Key:
    """All features with the same model and fraction."""
    return (REFERENCE, *key[1:])


def named(key: Key) -> str:
    """A variant with its fraction, where that is not the whole."""
    return key[0] if key[2] == "1.0" else f"{key[0]}, frac={key[2]}"


def read_ablation(store: Store, sweep: str) -> Ablation | None:
    """The finished child runs of a sweep; None when no variant can be held against ``full``.

    Raises ModelError when they forecast different matches.
    """
    found = {one.key: one for one in _forecasts(store, sweep)}
    compared = [key for key in found if key[0] != REFERENCE and reference(key) in found]
    if not compared:
        return None
    matches = found[compared[0]].table[[*KEY, TARGET]]
    if not all(one.table[[*KEY, TARGET]].equals(matches) for one in found.values()):
        raise ModelError("The runs of this sweep forecast different matches; nothing can be compared match by match.")
    return Ablation(sweep, found, compared)


def latest_sweep(store: Store) -> str:
    """Id of the latest sweep of ablations; raises ConfigError when there is none."""
    parents = find_runs(store, pipeline__stage="ablation", pipeline__scope="parent")
    sweeps = [one.data.tags[SWEEP] for one in parents if one.data.tags[SWEEP] != NONE]
    if not sweeps:
        raise ConfigError("There is no sweep of ablations yet; run stage=ablation --multirun variant=elo_only,full.")
    return str(sweeps[-1])


def _forecasts(store: Store, sweep: str) -> Iterator[Forecast]:
    for child in find_runs(store, pipeline__sweep_id=sweep, pipeline__stage="ablation", pipeline__scope="child"):
        if child.info.status == FINISHED:
            yield Forecast(child, read_artifact(store, child.info.run_id, OUT_OF_FOLD))


def read_artifact(store: Store, run_id: str, name: str) -> pd.DataFrame:
    """A table that a run stores."""
    with tempfile.TemporaryDirectory() as folder:
        return read_parquet(Path(store.client.download_artifacts(run_id, name, folder)))
