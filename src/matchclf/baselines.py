"""Forecasts every model is held against: uniform, class prior, the bookmaker's price, and the truth where known."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.metrics import Labels, Proba

SHIN_STEPS = 60


def uniform(rows: int) -> Proba:
    """One third each; its log-loss is ln 3."""
    return np.full((rows, 3), 1 / 3)


def class_prior(training: Labels, rows: int) -> Proba:
    """The shares of home wins, draws and away wins among the training labels, for every row."""
    return np.tile(np.bincount(training, minlength=3) / len(training), (rows, 1))


def bookmaker(odds: pd.DataFrame) -> Proba:
    """Probabilities behind decimal odds of home, draw, away, margin removed by Shin's method; NaN without odds.

    The bookmaker's margin is taken as its guard against a share z of bettors who know the outcome, which makes
    long prices shorter than they should be (Shin 1993; closed form by Jullien and Salanie 1994). z is found per
    match by bisection.
    """
    inverse = 1 / odds.to_numpy(np.float64)
    low, high = np.zeros(len(inverse)), np.full(len(inverse), 0.5)
    for _ in range(SHIN_STEPS):
        middle = (low + high) / 2
        too_much = _shin(inverse, middle).sum(axis=1) > 1
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    proba = _shin(inverse, (low + high) / 2)
    return np.asarray(proba / proba.sum(axis=1, keepdims=True))


def _shin(inverse: Proba, z: NDArray[np.float64]) -> Proba:
    share, z = inverse**2 / inverse.sum(axis=1, keepdims=True), z[:, None]
    return np.asarray((np.sqrt(z**2 + 4 * (1 - z) * share) - z) / (2 * (1 - z)))


def truth(matches: pd.DataFrame, probabilities: pd.DataFrame) -> Proba:
    """The true probabilities of the built-in league for these matches; raises ValueError when one has none."""
    key = ["date", "country", "home_team", "away_team"]
    found = matches[key].merge(probabilities, on=key, how="left", validate="one_to_one")
    proba = found[["prob_home", "prob_draw", "prob_away"]].to_numpy(np.float64)
    if np.isnan(proba).any():
        raise ValueError(f"{int(np.isnan(proba).any(axis=1).sum())} matches have no true probability.")
    return proba
