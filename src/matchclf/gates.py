"""The gates a model passes on its way to an alias, judged from stored forecasts of the holdout, match by match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from matchclf import metrics
from matchclf.config import Registry
from matchclf.data.schema import OUTCOMES, TARGET
from matchclf.metrics import Labels, Proba
from matchclf.paired import Difference, loss_difference

KEY = ["date", "country", "home_team", "away_team"]
OURS, REFERENCE = "final", "reference"
# Share of the challenger's holdout matches that the incumbent must have forecast too, to be compared.
COMMON = 0.5


@dataclass(frozen=True)
class Gate:
    """One condition: what was found, the most it may be, and the paired comparison behind it, where there is one."""

    name: str
    found: float
    limit: float
    difference: Difference | None = None

    @property
    def passed(self) -> bool:
        """Whether the value found is at most the limit."""
        return self.found <= self.limit

    def __str__(self) -> str:
        told = str(self.difference) if self.difference else f"{self.found:.4f}"
        return f"{self.name} {told}, needs at most {self.limit:+.4f}: {'passed' if self.passed else 'failed'}"


def candidate_gates(challenger: pd.DataFrame, candidate: pd.DataFrame | None, rules: Registry) -> list[Gate]:
    """Log-loss not above the present candidate's by more than the tolerance; both are tables of forecasts."""
    if candidate is None:
        return []
    return [_against("log-loss less the candidate's", "logloss", challenger, candidate, rules.candidate_tolerance)]


def champion_gates(challenger: pd.DataFrame, champion: pd.DataFrame | None, rules: Registry) -> list[Gate]:
    """Not worse than the reference model, clearly better than the present champion, and well calibrated."""
    target, ours = _target(challenger), _proba(challenger, OURS)
    error = metrics.ece(target, ours) if np.isfinite(ours).all() else float("nan")
    reference = loss_difference("logloss", challenger["date"], target, ours, _proba(challenger, REFERENCE))
    found = [
        Gate("log-loss less the reference model's", reference.mean, 0.0, reference),
        Gate("calibration error (ECE)", error, rules.champion_max_ece),
    ]
    if champion is not None:
        found.append(_against("Brier less the champion's", "brier", challenger, champion, -rules.champion_brier_gain))
    return found


def _against(name: str, loss: str, challenger: pd.DataFrame, incumbent: pd.DataFrame, limit: float) -> Gate:
    """Both on the matches that both forecast; a gate that cannot be judged on enough of them fails with NaN."""
    both = challenger.merge(incumbent, on=[*KEY, TARGET], suffixes=("", "_theirs"), validate="one_to_one")
    if len(both) < COMMON * len(challenger):
        name = f"{name} (only {len(both):,} of {len(challenger):,} matches in common)"
        return Gate(name, float("nan"), limit)
    difference = loss_difference(loss, both["date"], _target(both), _proba(both, OURS), _proba(both, OURS, "_theirs"))
    return Gate(name, difference.mean, limit, difference)


def _target(forecasts: pd.DataFrame) -> Labels:
    return forecasts[TARGET].to_numpy(np.int8)


def _proba(forecasts: pd.DataFrame, name: str, suffix: str = "") -> Proba:
    return forecasts[[f"{name}_{outcome}{suffix}" for outcome in OUTCOMES]].to_numpy(np.float64)
