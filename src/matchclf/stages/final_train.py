"""Train the definitive model, read the holdout once, and store the model with its scores."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.data.dataset import Dataset, load_dataset
from matchclf.data.schema import TARGET
from matchclf.files import read_parquet, write_json
from matchclf.folds import latest
from matchclf.holdout import REFERENCE, FinalModel, Forecasts, fit_final, forecast
from matchclf.models import build_model
from matchclf.reports.files import ARTIFACT, keep_report
from matchclf.reports.final_runs import read_final
from matchclf.stages.compare import begin
from matchclf.stages.duplicates import check_duplicate
from matchclf.stages.experiment import data_lineage
from matchclf.stages.final_scores import keep_scores
from matchclf.stages.prepare import Prepared, check_kept, prepare
from matchclf.stages.readings import read_holdout
from matchclf.stages.report import card
from matchclf.stages.tuned import check_same_data
from matchclf.tracking import models, record
from matchclf.tracking.provenance import keep_digests
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
# Matches of the holdout on which the stored model is checked against the one in memory.
SAMPLE_ROWS = 200


def run(config: Config, parent: Run) -> float:
    """Train on all development matches and score on the holdout; returns the log-loss there."""
    begin(config, parent)
    prepared = prepare(config)
    check_same_data(config, prepared.version)
    record.record(parent, tags=data_lineage(config, prepared))
    check_duplicate(config, parent, prepared.version)
    final, found = _train_and_forecast(config, parent, prepared)
    record.record(parent, params=_params(config, final, found.holdout), tags=_tags(config, final))
    record.record_input(parent, paths.TRAIN, prepared.version, final.rows)
    logloss = keep_scores(config, parent, final, found)
    keep_digests(parent, prepared.steps(list(config.features.families)) | found.digests())
    _keep_model(parent, final, found)
    _keep_card(config, parent)
    _keep_run_id(config, parent, logloss)
    return logloss


def _train_and_forecast(config: Config, parent: Run, prepared: Prepared) -> tuple[FinalModel, Forecasts]:
    ((name, model),) = config.models.items()
    use, full = config.features.use, config.features.full
    every = prepared.columns([*use, *full])
    latest_rows = _latest(load_dataset(paths.TRAIN, every), config.frac.value)
    training, wide = (
        replace(latest_rows, features=latest_rows.features[prepared.columns(names)]) for names in (use, full)
    )
    log.info("tuned      %s", _told(config, name))
    rules = config.final
    final = fit_final(build_model(name, model, config.seed), training, rules.calibration, rules.calibration_share)
    log.info("%-10s %6.1f s  %s matches, calibration %s", name, final.seconds, f"{final.rows:,}", final.fitted.method)
    assert config.reference is not None  # checked before the run was opened
    reference = fit_final(build_model(REFERENCE, config.reference, config.seed), wide, "none", 0)
    truth = read_parquet(paths.TRUTH) if paths.TRUTH.is_file() else None
    holdout = read_holdout(parent, prepared, every)
    check_kept(prepared)
    return final, forecast(final, reference, training, holdout, truth)


def _latest(data: Dataset, frac: float) -> Dataset:
    rows = latest(len(data.target), frac)
    matches, features = (table.iloc[rows].reset_index(drop=True) for table in (data.matches, data.features))
    return Dataset(matches, features, data.target[rows])


def _told(config: Config, name: str) -> str:
    tuned = config.final.tuned
    if not tuned:
        return f"nothing for {name}: its defaults are used; stage=tuning model={name} looks for better ones"
    used = ", ".join(f"{key}={_short(value)}" for key, value in tuned["used"].items())
    found = ", ".join(f"{key} {tuned[key]}" for key in ("variant", "trial", "parent_run_id") if key in tuned)
    return f"{used} (found by: {found})"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _params(config: Config, final: FinalModel, holdout: Dataset) -> dict[str, Any]:
    ((name, model),) = config.models.items()
    return {
        "model.name": name,
        "model.class": model.estimator["_target_"],
        "model.calibration": final.fitted.method,
        "model.calibration_rows": final.fitted.rows,
        "data.train_rows": final.rows,
        "data.holdout_rows": len(holdout.target),
        "data.target": TARGET,
        "data.frac": config.frac.value,
        "features.families": ",".join(config.features.use),
        "features.n_numeric": len(final.columns),
        "features.n_categorical": 0,
        **{f"best.{key}": value for key, value in config.final.tuned.get("used", {}).items()},
    }


def _tags(config: Config, final: FinalModel) -> dict[str, str]:
    tuned = config.final.tuned
    ((_, model),) = config.models.items()
    return {
        "model.family": model.family,
        "model.calibration": final.fitted.method,
        "model.tuned_run_id": tuned.get("run_id", "none"),
    }


def _keep_model(parent: Run, final: FinalModel, found: Forecasts) -> None:
    # In double precision, as MLflow hands rows to the model: a calibrator's steps may lie close together.
    sample = found.holdout.features[final.columns].head(SAMPLE_ROWS).astype("float64")
    models.keep_model(parent, final.fitted.model, sample, final.proba(sample))
    log.info("model      stored as model/ of the run; it loads through pyfunc and sklearn in a fresh process")


def _keep_card(config: Config, parent: Run) -> None:
    keep_report(card(config, read_final(parent.store, parent.id)), [parent])
    log.info("report     stored as %s of the run", ARTIFACT)


def _keep_run_id(config: Config, parent: Run, logloss: float) -> None:
    stored = {
        "run_id": parent.id,
        "experiment_name": parent.store.experiment_name,
        "run_kind": config.run_kind,
        "model": next(iter(config.models)),
        "model_uri": f"runs:/{parent.id}/{models.FOLDER}",
        "logloss": logloss,
        "params_hash": parent.tags["pipeline.params_hash"],
        "data_hash": parent.store.client.get_run(parent.id).data.tags["data.hash"],
    }
    write_json(stored, paths.FINAL_RUN_ID)
    log.info("written    %s", paths.FINAL_RUN_ID)
