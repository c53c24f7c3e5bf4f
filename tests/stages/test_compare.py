import json
import math
import shutil

import numpy as np
import pandas as pd

import program
from matchclf.files import digest, read_parquet, write_parquet
from matchclf.stages.compare import flat

METRICS = ["logloss", "brier", "rps", "accuracy", "ece", "roc_auc_ovr"]
SCORES = ("cv.", "cv_with_odds.", "baseline.")


def scores(run):
    return {name: value for name, value in run.data.metrics.items() if name.startswith(SCORES)}


def forecasts(folder, run):
    return pd.read_parquet(program.artifact(folder, run, "predictions/out_of_fold.parquet"))


def test_the_parent_has_the_scores_of_the_baselines(league):
    folder, _ = league
    for parent in program.parents(folder):
        found = scores(parent)
        names = {f"baseline.{name}.{metric}_mean" for name in ("uniform", "prior", "truth") for metric in METRICS}
        assert set(found) == names
        assert math.isclose(found["baseline.uniform.logloss_mean"], math.log(3), rel_tol=1e-12)
        assert found["baseline.truth.logloss_mean"] < found["baseline.prior.logloss_mean"]


def test_the_dummy_model_scores_like_the_class_prior_when_it_trains_on_all_rows(league):
    folder, _ = league
    (parent,) = program.parents(folder, "train_eval%")
    dummy = program.children(folder, parent)["dummy"]
    for metric in METRICS:
        expected = parent.data.metrics[f"baseline.prior.{metric}_mean"]
        assert math.isclose(dummy.data.metrics[f"cv.{metric}_mean"], expected, rel_tol=1e-9), metric


def test_jobs_of_a_sweep_have_the_baselines_of_their_own_data_and_fraction(matchclf, tmp_path):
    swept = ("--multirun", "data.seed=1,2", "frac=half,full")
    done = matchclf(*program.TINY, "model=dummy", *swept)
    assert done.code == 0, done
    priors = set()
    for parent in program.parents(tmp_path):
        (dummy,) = program.children(tmp_path, parent).values()
        priors.add(parent.data.metrics["baseline.prior.logloss_mean"])
        for metric in METRICS:
            expected = parent.data.metrics[f"baseline.prior.{metric}_mean"]
            assert math.isclose(dummy.data.metrics[f"cv.{metric}_mean"], expected, rel_tol=1e-9), metric
    assert len(priors) == 4


def test_the_same_experiment_gives_the_same_scores_whatever_stage_asks_for_it(league):
    folder, _ = league
    (ablation,) = program.parents(folder, "ablation | variant=full |%")
    (train_eval,) = program.parents(folder, "train_eval%")
    others = program.children(folder, train_eval)
    for name, run in program.children(folder, ablation).items():
        assert scores(run) == scores(others[name])
        pd.testing.assert_frame_equal(forecasts(folder, run), forecasts(folder, others[name]))


def test_a_smaller_fraction_trains_on_less_and_forecasts_the_same_matches(league):
    folder, _ = league
    (smoke,) = program.parents(folder, "smoke | train_eval%")
    (real,) = program.parents(folder, "train_eval%")
    small, large = (program.children(folder, parent)["logreg"] for parent in (smoke, real))
    proba = ["prob_home", "prob_draw", "prob_away"]
    one, other = forecasts(folder, small), forecasts(folder, large)
    pd.testing.assert_frame_equal(one.drop(columns=proba), other.drop(columns=proba))
    assert not np.isclose(one[proba], other[proba]).any(axis=1).all()


def test_where_odds_exist_models_are_scored_on_the_same_rows_as_the_bookmaker(files):
    folder, done = files
    (parent,) = program.parents(folder)
    (dummy, _) = program.children(folder, parent).values()
    train = pd.read_parquet(folder / "data/splits/train.parquet")
    table = forecasts(folder, dummy)
    assert sorted(set(table["fold"])) == [2019, 2020]
    happened = table[["prob_home", "prob_draw", "prob_away"]].to_numpy()[np.arange(len(table)), table["outcome_1x2"]]
    assert math.isclose(dummy.data.metrics["cv_with_odds.logloss"], -np.log(happened).mean(), rel_tol=1e-12)
    priced = train[train["date"].dt.year.isin([2019, 2020])]
    fair = 1 / priced[["odds_home", "odds_draw", "odds_away"]].to_numpy(np.float64)
    loss = -np.log((fair / fair.sum(axis=1, keepdims=True))[np.arange(len(priced)), priced["outcome_1x2"]])
    expected = pd.Series(loss).groupby(priced["date"].dt.year.to_numpy()).mean().mean()
    assert abs(parent.data.metrics["baseline.bookmaker.logloss_mean"] - expected) < 1e-3
    assert "baseline.truth.logloss_mean" not in parent.data.metrics
    assert "\nbookmaker " in done.out


def test_scores_do_not_depend_on_the_holdout_which_nobody_reads(league, matchclf, tmp_path):
    folder, _ = league
    shutil.copytree(folder / "data", tmp_path / "data")
    test, truth = (tmp_path / "data" / name for name in ("splits/test.parquet", "splits/truth.parquet"))
    # Whoever asks for more of the holdout than its days finds nothing.
    write_parquet(read_parquet(test, ["date"]), test)
    write_parquet(read_parquet(truth).query("date < '2024-01-01'"), truth)
    (tmp_path / "data/processed/dataset.parquet").write_bytes(b"nothing")
    manifest = tmp_path / "data/processed/manifest.json"
    described = json.loads(manifest.read_text())
    described["files"] = {path: digest(tmp_path / path) for path in described["files"]}
    manifest.write_text(json.dumps(described))
    done = matchclf(*program.TINY, program.TWO, "stage=train_eval")
    assert done.code == 0, done
    assert "prepare    kept" in done.out
    (real,), (blind,) = program.parents(folder, "train_eval%"), program.parents(tmp_path)
    assert scores(blind) == scores(real)
    others = program.children(folder, real)
    for name, run in program.children(tmp_path, blind).items():
        assert scores(run) == scores(others[name])


def test_a_model_that_fails_leaves_the_others_alone_and_the_parent_tells_the_truth(matchclf, tmp_path):
    done = matchclf(*program.TINY, "model=[dummy,logreg,hgb]", "models.logreg.estimator.C=-1")
    assert done.code == 1
    sentence = "1 of 3 models failed: logreg; the tag status.reason of each child run has the cause."
    assert done.err.splitlines()[-1] == f"Error: {sentence}"
    name = "train_eval | frac=1.0 | feat=full"
    models = [("model | dummy", "FINISHED"), ("model | logreg", "FAILED"), ("model | hgb", "FINISHED")]
    assert program.tree(tmp_path) == [(name, "FAILED", models)]
    (parent,) = program.parents(tmp_path)
    assert parent.data.tags["status.reason"] == f"ModelError: {sentence}"
    failed = program.children(tmp_path, parent)["logreg"]
    assert failed.data.tags["status.reason"].startswith(
        "InvalidParameterError: The 'C' parameter of LogisticRegression"
    )
    assert failed.data.tags["model.family"] == "linear"
    assert [path for path in done.files if path.startswith("models")] == []


def test_nested_settings_become_one_level_of_dotted_keys():
    nested = {"a": {"b": {"c": 1}, "d": [1, 2]}, "e": None, "f": {}}
    assert flat(nested) == {"a.b.c": 1, "a.d": [1, 2], "e": None}
