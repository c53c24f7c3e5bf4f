"""A final run as its report reads it: its forecasts of the holdout, beside those it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.data.schema import OUTCOMES, TARGET
from matchclf.errors import ModelError
from matchclf.holdout import BOOKMAKER, OURS, RAW, REFERENCE
from matchclf.metrics import Proba, match_losses
from matchclf.paired import Difference, paired_difference
from matchclf.reports.ablation_runs import read_artifact
from matchclf.tracking.registry import FORECASTS
from matchclf.tracking.search import StoredRun, find_run
from matchclf.tracking.store import Store

TOLD = {
    OURS: "this model",
    RAW: "before calibration",
    REFERENCE: "logistic regression on all features",
    BOOKMAKER: "bookmaker",
    "prior": "class prior",
    "uniform": "uniform",
    "truth": "truth (built-in league)",
}


@dataclass(frozen=True)
class Final:
    """A final run with its forecasts of the holdout."""

    store: Store
    run: StoredRun
    table: pd.DataFrame

    @property
    def target(self) -> NDArray[np.int8]:
        """What happened."""
        return self.table[TARGET].to_numpy()

    @cached_property
    def proba(self) -> dict[str, Proba]:
        """Forecasts by name, shape (n_matches, 3), NaN where there is none."""
        names = [name for name in TOLD if f"{name}_home" in self.table]
        return {name: self.table[[f"{name}_{one}" for one in OUTCOMES]].to_numpy() for name in names}

    @cached_property
    def priced(self) -> NDArray[np.bool_]:
        """Which matches the bookmaker has a price for."""
        if BOOKMAKER not in self.proba:
            return np.zeros(len(self.table), dtype=bool)
        return np.asarray(np.isfinite(self.proba[BOOKMAKER].sum(axis=1)))

    def rows(self, name: str) -> NDArray[np.bool_]:
        """The matches that a forecast can be compared on."""
        return self.priced if name == BOOKMAKER else np.ones(len(self.table), dtype=bool)

    def losses(self, name: str, rows: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """Loss of each of these matches."""
        return match_losses(self.target[rows], self.proba[name][rows])

    def against(self, name: str) -> Difference:
        """Log-loss of the model less that of another forecast, match by match."""
        rows = self.rows(name)
        ours, theirs = (self.losses(one, rows)["logloss"] for one in (OURS, name))
        return paired_difference(ours, theirs, self.table["date"][rows])


def read_final(store: Store, run_id: str) -> Final:
    """A run of stage=final_train with its forecasts; raises ModelError for any other run."""
    run = find_run(store, run_id)
    stage = run.data.tags.get("pipeline.stage")
    if stage != "final_train":
        raise ModelError(f"Run {run_id} is of stage {stage}; a model card needs one of stage final_train.")
    if FORECASTS not in {file.path for file in store.client.list_artifacts(run.info.run_id, "predictions")}:
        raise ModelError(f"Run {run_id} has no {FORECASTS}; it did not get as far as the holdout.")
    return Final(store, run, read_artifact(store, run.info.run_id, FORECASTS))
