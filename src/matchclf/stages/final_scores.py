"""What the final model is worth: scores, plots and forecasts of the holdout, beside those it is held against."""

from __future__ import annotations

import logging

import numpy as np

from matchclf.config import Config
from matchclf.holdout import (
    BOOKMAKER,
    IMPORTANCE_ROWS,
    OURS,
    RAW,
    REFERENCE,
    FinalModel,
    Forecasts,
    feature_importance,
)
from matchclf.metrics import per_outcome
from matchclf.paired import Difference, loss_difference
from matchclf.stages.metric_files import keep_final
from matchclf.stages.results import show_holdout
from matchclf.tracking import record
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
PREDICTIONS = "predictions/holdout.parquet"


def keep_scores(config: Config, parent: Run, final: FinalModel, found: Forecasts) -> float:
    """Log and show every score, the plots and the forecasts; returns the log-loss of the model."""
    scores, priced = found.scores(), found.scores(found.with_odds()) if found.with_odds().any() else {}
    differences = _differences(found)
    metrics = _metrics(found, scores, priced, differences)
    record.record(parent, metrics=metrics)
    record.keep_table(parent, found.table(), PREDICTIONS)
    _keep_plots(config, parent, final, found)
    keep_final(metrics, found.holdout.target, found.proba[OURS])
    days = found.holdout.matches["date"]
    title = f"{parent.name}: {len(days):,} matches of the holdout, {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    log.info("\n%s\n", show_holdout(title, {**priced, **scores}, priced))
    for name, difference in differences.items():
        log.info("log-loss against %s: %s", name, difference)
    return scores[OURS]["logloss"]


def _metrics(
    found: Forecasts,
    scores: dict[str, dict[str, float]],
    priced: dict[str, dict[str, float]],
    differences: dict[str, Difference],
) -> dict[str, float]:
    ours = {**scores[OURS], **per_outcome(found.holdout.target, found.proba[OURS])}
    metrics = {f"final.{metric}": value for metric, value in ours.items()}
    if RAW in scores:
        metrics["final.ece_raw"] = scores[RAW]["ece"]
        metrics["final.logloss_raw"] = scores[RAW]["logloss"]
    others = {**priced, **scores}
    for name in others.keys() - {OURS, RAW}:
        metrics |= {f"baseline.{name}.{metric}": value for metric, value in others[name].items()}
    metrics |= {f"final_with_odds.{metric}": value for metric, value in priced.get(OURS, {}).items()}
    for name, one in differences.items():
        metrics |= {f"difference.{name}.{part}": getattr(one, part) for part in ("mean", "low", "high")}
    return metrics


def _differences(found: Forecasts) -> dict[str, Difference]:
    """Log-loss of the model less that of the reference and of the bookmaker, on the matches that both forecast."""
    holdout, priced = found.holdout, found.with_odds()
    rows = {REFERENCE: np.full(len(priced), True)} | ({BOOKMAKER: priced} if priced.any() else {})
    ours = found.proba[OURS]
    return {
        name: loss_difference(
            "logloss", holdout.matches["date"][some], holdout.target[some], ours[some], found.proba[name][some]
        )
        for name, some in rows.items()
    }


def _keep_plots(config: Config, parent: Run, final: FinalModel, found: Forecasts) -> None:
    from matchclf.plots import final as plots

    holdout = found.holdout
    importance = feature_importance(final, holdout, config.seed)
    figures = {
        "calibration_curves": plots.calibration_curves(holdout.target, found.proba[OURS], found.proba.get(RAW)),
        "confusion_matrix": plots.confusion_matrix(holdout.target, found.proba[OURS]),
        "feature_importance": plots.feature_importance(importance, min(len(holdout.target), IMPORTANCE_ROWS)),
    }
    for name, figure in figures.items():
        record.keep_figure(parent, figure, f"plots/{name}.png")
    record.keep_table(parent, importance, "importance/features.parquet")
