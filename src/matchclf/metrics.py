"""Scores of probabilistic forecasts; proba has shape (n_matches, 3) in the order home, draw, away."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from matchclf.errors import ModelError

Labels = NDArray[np.int8]
Proba = NDArray[np.float64]
CLASSES = [0, 1, 2]
ECE_BINS = 10


def check_proba(proba: Proba, rows: int, where: str) -> Proba:
    """Return proba as float64; raise ModelError unless each of ``rows`` rows is three probabilities that sum to 1."""
    proba = np.asarray(proba, dtype=np.float64)
    if proba.shape != (rows, 3):
        raise ModelError(f"{where} gave probabilities of shape {proba.shape}; expected ({rows}, 3).")
    bad = ~(np.isfinite(proba).all(axis=1) & (proba >= 0).all(axis=1) & (abs(proba.sum(axis=1) - 1) < 1e-4))
    if bad.any():
        first = int(np.argmax(bad))
        raise ModelError(
            f"{where} gave {int(bad.sum())} of {rows} rows that are not probabilities summing to 1; "
            f"the first is row {first}: {proba[first].tolist()}."
        )
    return np.asarray(proba / proba.sum(axis=1, keepdims=True))


def log_loss(target: Labels, proba: Proba) -> float:
    """Mean of minus the log of the probability given to what happened; nats, lower is better, uniform gives ln 3."""
    return float(_surprises(target, proba).mean())


def brier(target: Labels, proba: Proba) -> float:
    """Squared error summed over the three classes; 0 to 2, lower is better (Brier 1950)."""
    return float(_squared_errors(target, proba).mean())


def rps(target: Labels, proba: Proba) -> float:
    """Ranked probability score over home, draw, away; 0 to 1, lower is better (Epstein 1969)."""
    return float(_ranked_errors(target, proba).mean())


def accuracy(target: Labels, proba: Proba) -> float:
    """Share of matches whose most probable outcome happened; 0 to 1, higher is better."""
    return float((proba.argmax(axis=1) == target).mean())


def ece(target: Labels, proba: Proba) -> float:
    """Class-wise expected calibration error over ten equal-width bins; 0 to 1, lower is better (Kull et al. 2019)."""
    return float(np.mean([_class_ece(target == label, proba[:, label]) for label in CLASSES]))


def _class_ece(happened: NDArray[np.bool_], forecast: Proba) -> float:
    bins = np.minimum((forecast * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, weights=forecast - happened, minlength=ECE_BINS)
    return float(np.abs(gap).sum() / len(forecast))


def roc_auc_ovr(target: Labels, proba: Proba) -> float:
    """Area under the ROC curve, one class against the rest, mean of the three; 0.5 is chance, higher is better.

    NaN when not all three outcomes happened. By ranks, which takes less than half the time of drawing the curves.
    """
    if len(np.unique(target)) < 3:
        return float("nan")
    return float(np.mean([_auc(target == label, proba[:, label]) for label in CLASSES]))


def _auc(happened: NDArray[np.bool_], forecast: Proba) -> float:
    # How often what happened was given more than what did not, over all pairs (Mann, Whitney 1947).
    from scipy.stats import rankdata

    yes = int(happened.sum())
    above = rankdata(forecast)[happened].sum() - yes * (yes + 1) / 2
    return float(above / (yes * (len(happened) - yes)))


METRICS: dict[str, Callable[[Labels, Proba], float]] = {
    "logloss": log_loss,
    "brier": brier,
    "rps": rps,
    "accuracy": accuracy,
    "ece": ece,
    "roc_auc_ovr": roc_auc_ovr,
}


def score(target: Labels, proba: Proba, names: Iterable[str] = METRICS) -> dict[str, float]:
    """The named metrics of one forecast, by default every one."""
    return {name: METRICS[name](target, proba) for name in names}


def per_outcome(target: Labels, proba: Proba) -> dict[str, float]:
    """Precision, recall and F1 of the most probable outcome, for instance ``recall_home``; 0 to 1, higher is better.

    Precision is 0 for an outcome that is never the most probable one, as the draw often is.
    """
    from sklearn.metrics import precision_recall_fscore_support

    found = precision_recall_fscore_support(target, proba.argmax(axis=1), labels=CLASSES, zero_division=0)
    names = ("precision", "recall", "f1")
    return {
        f"{name}_{outcome}": float(value)
        for name, values in zip(names, found, strict=False)
        for outcome, value in zip(("home", "draw", "away"), values, strict=True)
    }


def match_losses(target: Labels, proba: Proba) -> dict[str, NDArray[np.float64]]:
    """Log-loss, Brier score and RPS of each match, shape (n_matches,); their means are those of the functions above."""
    return {
        "logloss": _surprises(target, proba),
        "brier": _squared_errors(target, proba),
        "rps": _ranked_errors(target, proba),
    }


def _surprises(target: Labels, proba: Proba) -> NDArray[np.float64]:
    return -np.log(np.clip(proba[np.arange(len(target)), target], np.finfo(np.float64).eps, 1))


def _squared_errors(target: Labels, proba: Proba) -> NDArray[np.float64]:
    return np.asarray((_missed(target, proba) ** 2).sum(axis=1))


def _ranked_errors(target: Labels, proba: Proba) -> NDArray[np.float64]:
    return np.asarray((np.cumsum(_missed(target, proba), axis=1)[:, :2] ** 2).sum(axis=1) / 2)


def _missed(target: Labels, proba: Proba) -> Proba:
    return np.asarray(proba - np.eye(3)[target])
