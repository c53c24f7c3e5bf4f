"""Finished runs as the stages leave them, made by hand in a store, for the reports to read."""

import json

import pandas as pd
import pytest

from matchclf.evaluate import OUT_OF_FOLD
from matchclf.metrics import score
from matchclf.tracking import record, runs
from reports_runs import OUTCOMES, TAGS, facts, forecast


@pytest.fixture
def ended(store):
    """Starts a run with these tags, fills it and ends it; gives it as the store has it."""

    def make(name, tags, parent=None, status=runs.FINISHED, why="", fill=lambda run: None):
        run = runs.start(store, name, {**TAGS, **tags}, parent)
        fill(run)
        if parent is None:
            return run
        runs.finish(run, status, why)
        return store.client.get_run(run.id)

    return make


@pytest.fixture
def job(store, ended, compose):
    """One job of an ablation: a parent with one child; gives the child."""

    def make(variant, model="logreg", skill=0.1, frac=1.0, sweep="sweep", table=None, **tags):
        table = facts() if table is None else table
        proba = forecast(table, skill)
        same = {"pipeline.stage": "ablation", "pipeline.variant": variant, "pipeline.sweep_id": sweep, **tags}
        parent = ended(f"ablation | variant={variant} | frac={frac}", same)
        record.record(parent, metrics={"baseline.prior.logloss_mean": 1.07, "baseline.prior.rps_mean": 0.23})

        def fill(run):
            scores = {f"cv.{name}_mean": value for name, value in score(table["outcome_1x2"].to_numpy(), proba).items()}
            record.record(run, {"model.name": model, "data.frac": frac, "estimator.C": 1.0}, scores)
            known = pd.DataFrame(proba, columns=[f"prob_{name}" for name in OUTCOMES])
            record.keep_table(run, table.join(known), OUT_OF_FOLD)
            record.keep_config(run, compose())

        child = ended(f"model | {model}", {**same, "pipeline.scope": "child"}, parent, fill=fill)
        runs.finish(parent)
        return child

    return make


@pytest.fixture
def trial(store, ended):
    """One trial of a search below an open parent; gives it as the store has it."""

    def make(parent, number, state="complete", value=1.0, **point):
        tags = {
            "pipeline.stage": "optuna_trial",
            "pipeline.scope": "child",
            "trial.number": str(number),
            "trial.params": json.dumps({f"models.xgb.estimator.{key}": one for key, one in point.items()}),
        }
        metric = "cv.logloss_mean" if state == "complete" else "cv.logloss_estimate"
        told = {} if state == "failed" else {"metrics": {metric: value, "duration_seconds": 2.0}}
        if state != "failed":
            tags["trial.state"] = state
        status = runs.FAILED if state == "failed" else runs.FINISHED
        why = "ValueError: no such depth" if state == "failed" else ""
        return ended(f"trial | {number:03d}", tags, parent, status, why, lambda run: record.record(run, **told))

    return make
