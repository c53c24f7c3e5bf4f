"""Score one point of the search space: one trial, one child run."""

from __future__ import annotations

import json
import logging

from matchclf import paths
from matchclf.config import Config
from matchclf.data.dataset import Dataset, load_dataset
from matchclf.evaluate import Evaluation, evaluate_model
from matchclf.folds import walk_forward
from matchclf.identity import identity, params_hash, short_hash
from matchclf.models import build_model
from matchclf.racing import estimate, is_hopeless
from matchclf.stages.prepare import Prepared, check_kept, prepare
from matchclf.stages.trials import Rival
from matchclf.threads import fits
from matchclf.tracking import record, runs
from matchclf.tracking.children import child_run
from matchclf.tracking.provenance import keep_digests
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
XGB = "xgboost.XGBClassifier"
_loaded: dict[str, tuple[Prepared, Dataset]] = {}


def run(config: Config, parent: Run, number: int, point: dict[str, float | int | str]) -> float:
    """Score a trial and return its mean walk-forward log-loss, or an estimate of it when it was stopped early."""
    (name, model), *_ = config.models.items()
    tags = {
        **runs.own_tags(parent.tags),
        "pipeline.scope": "child",
        "pipeline.stage": "optuna_trial",
        "model.family": model.family,
        "trial.number": str(number),
        "trial.params": json.dumps(point),
        "trial.params_hash": params_hash(config),
    }
    with child_run(parent, f"trial | {number:03d}", tags) as child:
        rival = Rival(parent)
        evaluation = _evaluate(config, name, rival)
        value = _log(config, child, evaluation, rival)
        record.keep_config(child, config)
        keep_digests(child, _prepared(config)[0].steps(config.features.use) | evaluation.digests())
        log.info("trial %03d  %6.1f s  log-loss %.4f%s", number, evaluation.seconds, value, _said(config, evaluation))
        return value


def _evaluate(config: Config, name: str, rival: Rival) -> Evaluation:
    rules, data = config.tuning, _prepared(config)[1]
    folds = walk_forward(data.matches["date"], config.temporal.cv_years, config.frac.value)

    def stop(scores: list[float]) -> bool:
        return is_hopeless(scores, rival.scores(), rules.racing_gain, rules.racing_folds)

    model = build_model(name, config.models[name], config.seed)
    if config.models[name].estimator["_target_"] == XGB:
        from matchclf.matrices import sharing

        model = sharing(model)
    return evaluate_model(name, model, data, folds, fits(config.workers), stop if rules.racing else None)


def _prepared(config: Config) -> tuple[Prepared, Dataset]:
    # Trials of one process share the data: they differ in what is done with it.
    key = short_hash([identity(config.data), identity(config.features), identity(config.temporal)])
    if key not in _loaded:
        _loaded.clear()
        prepared = prepare(config)
        _loaded[key] = prepared, load_dataset(paths.TRAIN, prepared.columns(config.features.use))
        check_kept(prepared)
    return _loaded[key]


def _log(config: Config, child: Run, evaluation: Evaluation, rival: Rival) -> float:
    ((name, model),) = config.models.items()
    complete = len(evaluation.by_year) == len(config.temporal.cv_years)
    means = {f"cv.{metric}_mean": value for metric, value in evaluation.mean.items()}
    value = evaluation.mean["logloss"] if complete else estimate(list(evaluation.by_year["logloss"]), rival.scores())
    record.record(
        child,
        params={f"{name}.{key}": setting for key, setting in model.estimator.items() if key != "_target_"},
        metrics={**(means if complete else {"cv.logloss_estimate": value}), "duration_seconds": evaluation.seconds},
        by_year=evaluation.by_year.add_prefix("cv."),
        tags={"trial.state": "complete" if complete else "pruned"},
    )
    return value


def _said(config: Config, evaluation: Evaluation) -> str:
    done, folds = len(evaluation.by_year), len(config.temporal.cv_years)
    return "" if done == folds else f" (estimate, stopped after {done} of {folds} folds)"
