"""Score one estimator over folds: one row of scores a fold, and its out-of-fold probabilities."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf import baselines, console, metrics
from matchclf.data.dataset import KEY, Dataset
from matchclf.data.schema import ODDS, OUTCOMES, TARGET
from matchclf.errors import ModelError
from matchclf.folds import Fold, check_classes, latest
from matchclf.lineage.digests import array_digest
from matchclf.metrics import Proba

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Where a run keeps them.
OUT_OF_FOLD = "predictions/out_of_fold.parquet"
# Home less away in points, home advantage included.
ELO_GAP = "elo_diff"


@dataclass(frozen=True)
class Evaluation:
    """Out-of-fold forecasts of one model or baseline and their scores.

    ``by_year`` has one row a fold and one column a metric; ``rows`` are the positions of the forecast matches in
    the development matches, ``proba`` has shape (len(rows), 3), ``sizes`` is the number of them in each fold.
    """

    name: str
    by_year: pd.DataFrame
    rows: NDArray[np.intp]
    proba: Proba
    sizes: list[int]
    seconds: float

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each metric over the folds, each year with the same weight."""
        return {str(name): float(value) for name, value in self.by_year.mean().items()}

    def digests(self) -> dict[str, str]:
        """One digest a fold, of its probabilities."""
        ends = np.cumsum(self.sizes)[:-1]
        return {
            f"fold.{year}": array_digest(part)
            for year, part in zip(self.by_year.index, np.split(self.proba, ends), strict=True)
        }


Forecast = Callable[[Fold], Proba]
# Rows, their probabilities and the scores of one fold.
Part = tuple[NDArray[np.intp], Proba, dict[str, float]]
Stop = Callable[[list[float]], bool]


def evaluate_model(
    name: str, pipeline: Pipeline, data: Dataset, folds: list[Fold], workers: int, stop: Stop | None = None
) -> Evaluation:
    """Fit a clone of the pipeline on each fold's training part and score it on its validation part.

    Folds are fitted side by side in threads, one thread a fit, so the result does not depend on ``workers``. After each
    fold ``stop``, if given, is asked with the log-loss of the folds so far whether to leave out the others: no fold
    begins then before those in front of it were judged.
    """
    from sklearn.base import clone

    def forecast(fold: Fold) -> Proba:
        target = data.target[fold.train]
        check_classes(target, f"Fold {fold.year}")
        known = known_features(data.features.iloc[fold.train])
        model = clone(pipeline).fit(known, target)
        return proba_in_order(model, data.features.iloc[fold.valid][known.columns], f"{name} in fold {fold.year}")

    return _evaluate(name, forecast, data, folds, workers, stop)


def evaluate_holdout(name: str, pipeline: Pipeline, data: Dataset, holdout: Dataset, frac: float) -> dict[str, float]:
    """Fit on the latest ``frac`` of all development matches and score on the holdout."""
    from sklearn.base import clone

    rows = latest(len(data.target), frac)
    check_classes(data.target[rows], "The development part")
    known = known_features(data.features.iloc[rows])
    model = clone(pipeline).fit(known, data.target[rows])
    proba = proba_in_order(model, holdout.features[known.columns], f"{name} on the holdout")
    return metrics.score(holdout.target, proba)


def evaluate_baselines(data: Dataset, folds: list[Fold], truth: pd.DataFrame | None) -> list[Evaluation]:
    """Score the uniform forecast, the class prior, the bookmaker where odds exist and the truth where it is known."""
    found = [
        _evaluate("uniform", lambda fold: baselines.uniform(_size(fold)), data, folds),
        _evaluate("prior", lambda fold: baselines.class_prior(data.target[fold.train], _size(fold)), data, folds),
    ]
    if data.matches[list(ODDS)].notna().all(axis=1).any():
        prices = data.matches[list(ODDS)]
        found.append(_evaluate("bookmaker", lambda fold: baselines.bookmaker(prices.iloc[fold.valid]), data, folds))
    if truth is not None:
        known = baselines.truth(data.matches, truth)
        found.append(_evaluate("truth", lambda fold: known[fold.valid], data, folds))
    return found


def scores_with_odds(evaluation: Evaluation, data: Dataset, names: Iterable[str] = metrics.METRICS) -> dict[str, float]:
    """The named scores of a forecast over the rows that have odds, all years together; empty where no row has."""
    priced = data.matches[list(ODDS)].notna().all(axis=1).to_numpy()[evaluation.rows]
    if not priced.any():
        return {}
    return metrics.score(data.target[evaluation.rows][priced], evaluation.proba[priced], names)


def out_of_fold(evaluation: Evaluation, data: Dataset) -> pd.DataFrame:
    """One row a forecast match: what it was, its fold's year, what happened and the three probabilities.

    Where they are known, also the decimal odds and the Elo gap, so that the run alone tells where a model is good.
    """
    matches = data.matches[KEY].iloc[evaluation.rows].reset_index(drop=True)
    proba = pd.DataFrame(evaluation.proba, columns=[f"prob_{name}" for name in OUTCOMES])
    known = known_facts(data).iloc[evaluation.rows].reset_index(drop=True)
    outcomes = {"fold": matches["date"].dt.year.astype("int64"), TARGET: data.target[evaluation.rows]}
    return matches.assign(**outcomes).join([proba, known])


def known_facts(data: Dataset) -> pd.DataFrame:
    """Odds of each match and the Elo gap of its teams, of those that the data has at all."""
    odds = data.matches[list(ODDS)].dropna(axis=1, how="all")
    return odds.join(data.features[[name for name in (ELO_GAP,) if name in data.features]])


def _evaluate(
    name: str, forecast: Forecast, data: Dataset, folds: list[Fold], workers: int = 1, stop: Stop | None = None
) -> Evaluation:
    began = time.perf_counter()
    parts: list[Part] = []
    at_once = workers if stop else len(folds)
    with console.progress(name, len(folds)) as bar, ThreadPoolExecutor(workers) as pool:
        for part in _in_waves(pool, lambda fold: _score(name, fold, forecast(fold), data), folds, at_once):
            parts.append(part)
            bar.advance(bar.task_ids[0])
            if stop and stop([one[2]["logloss"] for one in parts]):
                break
    by_year = pd.DataFrame([part[2] for part in parts], index=[fold.year for fold in folds[: len(parts)]])
    rows, proba = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    return Evaluation(name, by_year, rows, proba, [len(part[0]) for part in parts], time.perf_counter() - began)


def _in_waves(pool: ThreadPoolExecutor, work: Callable[[Fold], Part], folds: list[Fold], size: int) -> Iterator[Part]:
    """The parts in order; the next ``size`` folds begin when all parts before them were taken."""
    for first in range(0, len(folds), size):
        yield from pool.map(work, folds[first : first + size])


def _score(name: str, fold: Fold, proba: Proba, data: Dataset) -> Part:
    rows = np.arange(fold.valid.start, fold.valid.stop)
    known = ~np.isnan(proba).all(axis=1) if name == "bookmaker" else np.full(len(rows), True)
    rows, proba = rows[known], proba[known]
    if not len(rows):  # a year without odds
        return rows, proba, dict.fromkeys(metrics.METRICS, float("nan"))
    checked = metrics.check_proba(proba, len(rows), f"{name} in fold {fold.year}")
    return rows, checked, metrics.score(data.target[rows], checked)


def known_features(training: pd.DataFrame) -> pd.DataFrame:
    """Without the features that are unknown for every training match: they tell nothing, and hgb fails on them."""
    return training.loc[:, training.notna().any()]


def proba_in_order(model: Any, features: pd.DataFrame, where: str) -> Proba:
    """Forecasts of a fitted model, shape (n_matches, 3), that sum to 1.

    Raises ModelError unless its classes are 0, 1, 2 and it gives three probabilities a match.
    """
    if list(model.classes_) != metrics.CLASSES:
        raise ModelError(f"{where} knows the classes {model.classes_.tolist()}; expected 0, 1 and 2.")
    return metrics.check_proba(model.predict_proba(features), len(features), where)


def _size(fold: Fold) -> int:
    return int(fold.valid.stop - fold.valid.start)
