"""The table a person reads at the end: models, then baselines, best first."""

import pandas as pd

from matchclf.console import table
from matchclf.evaluate import Evaluation, scores_with_odds
from matchclf.metrics import METRICS
from matchclf.stages.experiment import Experiment, Scored

HEADER = ["", "log-loss", "vs prior", "Brier", "RPS", "accuracy", "ECE", "ROC AUC", "with odds", "seconds"]


def show(experiment: Experiment, scored: list[Scored], baselines: list[Evaluation]) -> str:
    """Mean walk-forward scores of the models and of the baselines."""
    models = sorted((one.evaluation for one in scored), key=lambda evaluation: evaluation.mean["logloss"])
    prior = next(baseline.mean["logloss"] for baseline in baselines if baseline.name == "prior")
    rows = [[*_row(experiment, model, prior), f"{model.seconds:.1f}"] for model in models]
    rows += [[*_row(experiment, baseline, prior), ""] for baseline in baselines]
    years = f"{experiment.folds[0].year} to {experiment.folds[-1].year}"
    title = (
        f"{experiment.parent.name}: means over the walk-forward folds {years}; 'with odds': log-loss where odds exist"
    )
    return f"{title}\n{table(HEADER, rows)}"


def show_sweep(scores: dict[str, dict[str, float]]) -> str:
    """One row a parent run of a sweep, one column a model: mean walk-forward log-loss."""
    models = sorted({model for row in scores.values() for model in row})
    rows = [[name, *(f"{row[m]:.4f}" if m in row else "failed" for m in models)] for name, row in scores.items()]
    return f"Sweep: mean walk-forward log-loss\n{table(['', *models], rows)}"


def show_trials(trials: pd.DataFrame, shown: int = 5) -> str:
    """The best trials of a search, one a row: number, state, log-loss, and one column a parameter."""
    best = trials.sort_values("value", kind="stable").head(shown)
    parameters = [str(name) for name in best if name not in ("number", "state", "value")]
    rows = [
        [f"{one['number']:03d}", one["state"], f"{one['value']:.4f}", *(_setting(one[name]) for name in parameters)]
        for one in best.to_dict("records")
    ]
    title = f"The best {len(rows)} of {len(trials)} trials; 'pruned': stopped early, its log-loss is an estimate"
    return f"{title}\n{table(['trial', 'state', 'log-loss', *parameters], rows, left=2)}"


def _setting(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_holdout(title: str, scores: dict[str, dict[str, float]], priced: dict[str, dict[str, float]]) -> str:
    """One row a forecast of the holdout; ``priced`` has the scores over the matches with odds, empty without any."""
    rows = [_cells(name, found, scores["prior"]["logloss"], priced.get(name, {})) for name, found in scores.items()]
    return f"{title}\n{table(HEADER[:-1], rows)}"


def _row(experiment: Experiment, evaluation: Evaluation, prior: float) -> list[str]:
    return _cells(evaluation.name, evaluation.mean, prior, scores_with_odds(evaluation, experiment.data, ["logloss"]))


def _cells(name: str, scores: dict[str, float], prior: float, priced: dict[str, float]) -> list[str]:
    first, *others = (f"{scores[metric]:.4f}" for metric in METRICS)
    return [name, first, f"{scores['logloss'] - prior:+.4f}", *others, f"{priced['logloss']:.4f}" if priced else ""]
