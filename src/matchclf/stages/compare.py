"""Score every model of an experiment by walk-forward folds: one child run a model, baselines on the parent."""

from __future__ import annotations

import logging
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.data.schema import TARGET
from matchclf.errors import ModelError
from matchclf.evaluate import (
    OUT_OF_FOLD,
    Evaluation,
    evaluate_baselines,
    evaluate_holdout,
    evaluate_model,
    out_of_fold,
    scores_with_odds,
)
from matchclf.files import read_parquet
from matchclf.identity import identity
from matchclf.models import build_model
from matchclf.stages import results
from matchclf.stages.experiment import Experiment, Scored, open_experiment
from matchclf.threads import fits
from matchclf.tracking import record, tags
from matchclf.tracking.children import attempt, child_run
from matchclf.tracking.provenance import keep_digests
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
# Those of the latest data and folds: jobs of a sweep over variants or models have the same.
_baselines: dict[tuple[str, str], list[Evaluation]] = {}
SHOWN_TAGS = ("pipeline.params_hash", "pipeline.git_sha")


def compare(config: Config, parent: Run) -> list[Scored]:
    """Score the config's models and show them beside the baselines.

    A model that fails leaves its child run FAILED and the others go on; then ModelError is raised at the end.
    """
    begin(config, parent)
    experiment = open_experiment(config, parent)
    baselines = _score_baselines(experiment)
    scored = [one for name in config.models if (one := attempt(_score, experiment, name))]
    log.info("\n%s\n", results.show(experiment, scored, baselines))
    _check_complete(config, scored)
    best = min(scored, key=lambda one: one.picked_by)
    tags_of_best = {"best.model": best.name, "best.run_id": best.run.id}
    record.record(parent, tags=tags_of_best, metrics={"best.logloss": best.picked_by})
    return scored


def begin(config: Config, parent: Run) -> None:
    """Say which run it is, and store its settings."""
    log.info("run        %s  (params %s, code %s)", parent.name, *map(parent.tags.get, SHOWN_TAGS))
    record.record(parent, params=_settings(config))
    record.keep_config(parent, config)


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys.

    >>> flat({"frac": {"value": 0.1}, "seed": 1})
    {'frac.value': 0.1, 'seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _settings(config: Config) -> dict[str, Any]:
    settings = identity(config)
    # How columns are called and dates are written is in the config artifact; as parameters it would bury the others.
    settings["data"] = {key: value for key, value in settings["data"].items() if not isinstance(value, dict | list)}
    return flat(settings)


def _score_baselines(experiment: Experiment) -> list[Evaluation]:
    found = _evaluated(experiment)
    metrics = {f"baseline.{b.name}.{metric}_mean": value for b in found for metric, value in b.mean.items()}
    record.record(experiment.parent, metrics=metrics)
    return found


def _evaluated(experiment: Experiment) -> list[Evaluation]:
    key = experiment.prepared.version, repr(experiment.folds)  # which hold slices, that have no hash
    if key not in _baselines:
        truth = read_parquet(paths.TRUTH) if paths.TRUTH.is_file() else None
        _baselines.clear()
        _baselines[key] = evaluate_baselines(experiment.data, experiment.folds, truth)
    return _baselines[key]


def _score(experiment: Experiment, name: str) -> Scored:
    config, model = experiment.config, experiment.config.models[name]
    child_tags = tags.child_tags(experiment.parent.tags, experiment.tags, model.family)
    with child_run(experiment.parent, f"model | {name}", child_tags) as run:
        pipeline = build_model(name, model, config.seed)
        evaluation = evaluate_model(name, pipeline, experiment.data, experiment.folds, fits(config.workers))
        _log(experiment, run, evaluation)
        picked_by = evaluation.mean["logloss"]
        if experiment.holdout is not None:
            scores = evaluate_holdout(name, pipeline, experiment.data, experiment.holdout, config.frac.value)
            record.record(run, metrics={f"holdout.{key}": value for key, value in scores.items()})
            picked_by = scores["logloss"]
        log.info("%-10s %6.1f s  log-loss %.4f", name, evaluation.seconds, evaluation.mean["logloss"])
        return Scored(name, run, evaluation, picked_by)


def _log(experiment: Experiment, run: Run, evaluation: Evaluation) -> None:
    data, with_odds = experiment.data, scores_with_odds(evaluation, experiment.data)
    record.record(
        run,
        params=_params(experiment, evaluation.name),
        metrics={
            **{f"cv.{metric}_mean": value for metric, value in evaluation.mean.items()},
            **{f"cv_with_odds.{metric}": value for metric, value in with_odds.items()},
            "duration_seconds": evaluation.seconds,
        },
        by_year=evaluation.by_year.add_prefix("cv."),
    )
    record.record_input(run, paths.TRAIN, experiment.prepared.version, len(data.target))
    record.keep_table(run, out_of_fold(evaluation, data), OUT_OF_FOLD)
    record.keep_config(run, experiment.config)
    keep_digests(run, experiment.steps | evaluation.digests())


def _params(experiment: Experiment, name: str) -> dict[str, Any]:
    config = experiment.config
    settings = dict(config.models[name].estimator)
    return {
        "model.name": name,
        "model.class": settings.pop("_target_"),
        **{f"{name}.{key}": value for key, value in settings.items()},
        "data.train_rows": len(experiment.data.target),
        "data.target": TARGET,
        "data.frac": config.frac.value,
        "features.families": ",".join(config.features.use),
        "features.n_columns": experiment.data.features.shape[1],
        "seed": config.seed,
    }


def _check_complete(config: Config, scored: list[Scored]) -> None:
    failed = [name for name in config.models if name not in {one.name for one in scored}]
    if failed:
        raise ModelError(
            f"{len(failed)} of {len(config.models)} models failed: {', '.join(failed)}; the tag status.reason of "
            "each child run has the cause."
        )
