"""The final model and those it is held against, on the matches of the holdout."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf import baselines, metrics
from matchclf.calibration import Calibrated, fit_calibrated
from matchclf.data.dataset import KEY, Dataset
from matchclf.data.schema import ODDS, OUTCOMES, TARGET
from matchclf.evaluate import ELO_GAP, known_features, proba_in_order
from matchclf.folds import check_classes
from matchclf.lineage.digests import array_digest
from matchclf.metrics import Proba

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

IMPORTANCE_ROWS, IMPORTANCE_REPEATS = 4000, 3
OURS, RAW, REFERENCE, BOOKMAKER = "final", "raw", "reference", "bookmaker"


@dataclass(frozen=True)
class FinalModel:
    """A calibrated model, the feature columns it reads, how many matches it was trained on, and how long that took."""

    fitted: Calibrated
    columns: list[str]
    rows: int
    seconds: float

    def proba(self, features: pd.DataFrame, model: Any = None) -> Proba:
        """Forecasts in the order home, draw, away; ``model`` is the calibrated one unless another is given."""
        return proba_in_order(model or self.fitted.model, features[self.columns], "The final model")


@dataclass(frozen=True)
class Forecasts:
    """The holdout, and forecasts of it by name: each of shape (n_matches, 3), NaN where there is none."""

    holdout: Dataset
    proba: dict[str, Proba]

    def scores(self, rows: NDArray[np.bool_] | None = None) -> dict[str, dict[str, float]]:
        """Every metric of every forecast that there is for all of these rows; all rows unless told."""
        some = np.full(len(self.holdout.target), True) if rows is None else rows
        complete = {name: proba[some] for name, proba in self.proba.items() if not np.isnan(proba[some]).any()}
        return {name: metrics.score(self.holdout.target[some], proba) for name, proba in complete.items()}

    def digests(self) -> dict[str, str]:
        """One digest a forecast of a model, of its probabilities."""
        return {
            f"model.{name}": array_digest(self.proba[name]) for name in (RAW, OURS, REFERENCE) if name in self.proba
        }

    def with_odds(self) -> NDArray[np.bool_]:
        """Which matches the bookmaker has a price for."""
        if BOOKMAKER not in self.proba:
            return np.full(len(self.holdout.target), False)
        priced: NDArray[np.bool_] = np.isfinite(self.proba[BOOKMAKER].sum(axis=1))
        return priced

    def table(self) -> pd.DataFrame:
        """One row a match: what it was, what happened, three columns a forecast, and the Elo gap where it is known.

        The columns of a forecast are called, for instance, ``final_home``.
        """
        columns = {
            f"{name}_{outcome}": proba[:, label]
            for name, proba in self.proba.items()
            for label, outcome in enumerate(OUTCOMES)
        }
        matches = self.holdout.matches[KEY].assign(**{TARGET: self.holdout.target})
        gap = self.holdout.features[[name for name in (ELO_GAP,) if name in self.holdout.features]]
        return matches.join([pd.DataFrame(columns, matches.index), gap])


def fit_final(pipeline: Pipeline, training: Dataset, method: str, share: float) -> FinalModel:
    """Fit on all training matches and calibrate on the latest share of them; unknown features are left out.

    Raises DataError when an outcome is missing.
    """
    began = time.perf_counter()
    check_classes(training.target, "The development part")
    known = known_features(training.features)
    fitted = fit_calibrated(pipeline, known, training.target, training.matches["date"], method, share)
    return FinalModel(fitted, list(known.columns), len(known), time.perf_counter() - began)


def forecast(
    final: FinalModel, reference: FinalModel, training: Dataset, holdout: Dataset, truth: pd.DataFrame | None
) -> Forecasts:
    """Forecast the holdout by the model, by the same before calibration, by the reference model and the baselines."""
    found = {OURS: final.proba(holdout.features)}
    if final.fitted.method != "none":
        found[RAW] = final.proba(holdout.features, final.fitted.raw)
    found[REFERENCE] = reference.proba(holdout.features)
    return Forecasts(holdout, found | _baselines(training, holdout, truth))


def _baselines(training: Dataset, holdout: Dataset, truth: pd.DataFrame | None) -> dict[str, Proba]:
    rows = len(holdout.target)
    found = {"uniform": baselines.uniform(rows), "prior": baselines.class_prior(training.target, rows)}
    if holdout.matches[list(ODDS)].notna().all(axis=1).any():
        found[BOOKMAKER] = baselines.bookmaker(holdout.matches[list(ODDS)])
    if truth is not None:
        found["truth"] = baselines.truth(holdout.matches, truth)
    return found


def feature_importance(final: FinalModel, data: Dataset, seed: int) -> pd.DataFrame:
    """Rise of the log-loss when a column is shuffled (Breiman 2001): feature, mean and std over the repeats.

    Measured on the latest ``IMPORTANCE_ROWS`` matches of ``data``. Features that say the same share their importance.
    """
    from sklearn.inspection import permutation_importance

    features, target = data.features[final.columns].tail(IMPORTANCE_ROWS), data.target[-IMPORTANCE_ROWS:]

    def minus_log_loss(model: Any, rows: pd.DataFrame, outcomes: metrics.Labels) -> float:
        return -metrics.log_loss(outcomes, final.proba(rows, model))

    found = permutation_importance(
        final.fitted.model, features, target, scoring=minus_log_loss, n_repeats=IMPORTANCE_REPEATS, random_state=seed
    )
    return pd.DataFrame({"feature": final.columns, "mean": found.importances_mean, "std": found.importances_std})
