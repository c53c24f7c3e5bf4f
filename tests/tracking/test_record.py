import hashlib
import json
import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import yaml

import program
from matchclf.tracking import runs
from matchclf.tracking.record import record

YEARS = list(range(2016, 2024))
METRICS = ["logloss", "brier", "rps", "accuracy", "ece", "roc_auc_ovr"]
PROBA = ["prob_home", "prob_draw", "prob_away"]


def model_runs(folder):
    (parent,) = program.parents(folder, "train_eval%")
    return program.children(folder, parent)


def history(folder, run, metric):
    return {point.step: point.value for point in program.client(folder).get_metric_history(run.info.run_id, metric)}


def test_each_fold_has_its_scores_at_the_step_of_its_year(league):
    folder, _ = league
    for run in model_runs(folder).values():
        for metric in METRICS:
            by_year = history(folder, run, f"cv.{metric}")
            assert list(by_year) == YEARS
            assert math.isclose(run.data.metrics[f"cv.{metric}_mean"], np.mean(list(by_year.values())), rel_tol=1e-12)


def test_a_child_has_these_metrics_and_no_other(league):
    folder, _ = league
    expected = {f"cv.{metric}{end}" for metric in METRICS for end in ("", "_mean")} | {"duration_seconds"}
    for run in program.search(folder, "tags.`pipeline.scope` = 'child'"):
        assert set(run.data.metrics) == expected


def test_the_out_of_fold_artifact_holds_the_forecasts_that_were_scored(league):
    folder, _ = league
    train = pd.read_parquet(folder / "data/splits/train.parquet")
    validated = train[train["date"].dt.year.isin(YEARS)].reset_index(drop=True)
    key = ["date", "country", "division", "season", "home_team", "away_team"]
    for run in model_runs(folder).values():
        table = pd.read_parquet(program.artifact(folder, run, "predictions/out_of_fold.parquet"))
        known = ["elo_diff"] if "elo" in run.data.params["features.families"].split(",") else []
        assert list(table.columns) == [*key, "fold", "outcome_1x2", *PROBA, *known]
        pd.testing.assert_frame_equal(table[known], validated[known])
        pd.testing.assert_frame_equal(table[[*key, "outcome_1x2"]], validated[[*key, "outcome_1x2"]])
        assert table["fold"].tolist() == table["date"].dt.year.tolist()
        np.testing.assert_allclose(table[PROBA].sum(axis=1), 1, atol=1e-12)
        happened = table[PROBA].to_numpy()[np.arange(len(table)), table["outcome_1x2"]]
        by_year = (-np.log(pd.Series(happened))).groupby(table["fold"]).mean().to_dict()
        logged = history(folder, run, "cv.logloss")
        np.testing.assert_allclose([logged[year] for year in YEARS], [by_year[year] for year in YEARS], rtol=1e-12)


def test_the_resolved_config_of_every_run_is_what_cfg_job_shows(league, matchclf):
    folder, _ = league
    shown = matchclf("--cfg", "job", "--resolve", *program.TINY, program.TWO, "stage=train_eval")
    expected = yaml.safe_load(shown.out) | {"tracking": {"name": "local"}}
    (parent,) = program.parents(folder, "train_eval%")
    for run in (parent, *model_runs(folder).values()):
        assert yaml.safe_load(program.artifact(folder, run, "config/resolved.yaml").read_text()) == expected


def test_the_dataset_input_names_the_training_file_and_the_md5_of_the_dataset(league):
    folder, _ = league
    md5 = hashlib.md5((folder / "data/processed/dataset.parquet").read_bytes(), usedforsecurity=False).hexdigest()
    rows = len(pd.read_parquet(folder / "data/splits/train.parquet", columns=["date"]))
    for run in model_runs(folder).values():
        (found,) = run.inputs.dataset_inputs
        assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "training"}
        assert (found.dataset.digest, found.dataset.source_type) == (md5, "local")
        assert json.loads(found.dataset.source) == {"uri": "data/splits/train.parquet"}
        assert json.loads(found.dataset.profile) == {"num_rows": rows}


def test_params_tell_the_model_its_settings_and_its_data(league):
    folder, _ = league
    rows = len(pd.read_parquet(folder / "data/splits/train.parquet", columns=["date"]))
    columns = pd.read_parquet(folder / "data/processed/dataset.parquet").columns
    assert model_runs(folder)["logreg"].data.params == {
        "model.name": "logreg",
        "model.class": "sklearn.linear_model.LogisticRegression",
        "logreg.C": "0.01",
        "logreg.max_iter": "500",
        "data.train_rows": str(rows),
        "data.target": "outcome_1x2",
        "data.frac": "1.0",
        "features.families": "elo,poisson,chances,form,season,rest,h2h",
        "features.n_columns": str(len(columns) - list(columns).index("outcome_1x2") - 1),
        "seed": "1",
    }


def test_the_parent_has_the_settings_that_can_change_a_result(league, compose):
    folder, _ = league
    config = asdict(compose(*program.TINY, program.TWO, "stage=train_eval"))
    (parent,) = program.parents(folder, "train_eval%")
    expected = {
        **{f"data.{key}": value for key, value in config["data"].items()},
        **{
            f"features.{family}.{key}": v
            for family in config["features"]["use"]
            for key, v in config["features"]["families"][family].items()
        },
        "models.dummy.family": "dummy",
        "models.dummy.preprocessing": "[]",
        "models.dummy.estimator._target_": "sklearn.dummy.DummyClassifier",
        "models.dummy.estimator.strategy": "prior",
        "models.logreg.family": "linear",
        "models.logreg.preprocessing": str(config["models"]["logreg"]["preprocessing"]),
        "models.logreg.estimator._target_": "sklearn.linear_model.LogisticRegression",
        "models.logreg.estimator.C": 0.01,
        "models.logreg.estimator.max_iter": 500,
        "frac.value": 1.0,
        "seed": 1,
        "stage.name": "train_eval",
        "stage.select_by": "cv",
        "temporal.test_start": "2024-01-01",
        "temporal.cv_years": YEARS,
    }
    assert parent.data.params == {key: str(value) for key, value in expected.items()}


def test_an_unknown_score_is_not_stored_as_a_number(store):
    run = runs.start(store, "one", {})
    by_year = pd.DataFrame({"cv.a": [1.0, math.nan]}, index=[2020, 2021])
    record(run, metrics={"b": math.nan, "c": 2.0}, by_year=by_year)
    runs.finish(run)
    assert store.client.get_run(run.id).data.metrics == {"c": 2.0, "cv.a": 1.0}
    assert [point.step for point in store.client.get_metric_history(run.id, "cv.a")] == [2020]


def test_a_long_param_is_cut_at_the_length_mlflow_keeps(store):
    run = runs.start(store, "one", {})
    record(run, params={"long": "x" * 7000, "number": 0.1})
    runs.finish(run)
    assert store.client.get_run(run.id).data.params == {"long": "x" * 6000, "number": "0.1"}


def test_more_than_a_thousand_metrics_and_a_hundred_params_are_all_stored(store):
    run = runs.start(store, "one", {})
    many = {f"m{number}": float(number) for number in range(1200)}
    record(run, params=many, metrics=many)
    runs.finish(run)
    data = store.client.get_run(run.id).data
    assert (data.metrics, data.params) == (many, {key: str(value) for key, value in many.items()})
