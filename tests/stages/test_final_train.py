"""final_train as its users run it, and a look at what it leaves."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

import program
from conftest import write_football_data
from matchclf.errors import ConfigError
from matchclf.identity import params_hash
from matchclf.metrics import per_outcome, score
from matchclf.paired import paired_difference
from matchclf.stages.experiment import check_ingredients
from matchclf.stages.results import show_holdout

OUTCOMES = ("home", "draw", "away")
KEY = ["date", "country", "division", "season", "home_team", "away_team"]
METRICS = ["logloss", "brier", "rps", "accuracy", "ece", "roc_auc_ovr"]
BY_OUTCOME = [f"{name}_{outcome}" for name in ("precision", "recall", "f1") for outcome in OUTCOMES]
TUNED = {"xgb.n_estimators": 12, "xgb.learning_rate": 0.3, "xgb.max_depth": 5}
BEST = Path("data/models/xgb_best_params.json")
FINAL = ("stage=final_train", "model=xgb", "final.calibration_share=0.3", "models.xgb.estimator.max_depth=2")
FILES = ("data=football_data", "data.path=raw/E0.csv", "rounds=5")
COMMANDS = {
    "picked by the holdout": ("stage=train_eval", "model=dummy", "stage.select_by=holdout"),
    "tuned": FINAL,
    "smoke": ("experiment=smoke", "stage=final_train", "model=logreg"),
    "failed": ("stage=final_train", "model=logreg", "models.logreg.estimator.C=-1"),
}


def write_tuned(folder, **changed):
    manifest = json.loads((folder / "data/processed/manifest.json").read_text())
    found = {
        "model": "xgb",
        "params": TUNED,
        "cv_logloss_mean": 1.0,
        "trial": 7,
        "run_id": "b" * 32,
        "parent_run_id": "a" * 32,
        "run_kind": "tuning",
        "data_hash": manifest["files"]["data/processed/dataset.parquet"],
        **changed,
    }
    (folder / BEST).parent.mkdir(exist_ok=True)
    (folder / BEST).write_text(json.dumps(found))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which ``COMMANDS`` were run one after the other, how each ended, and what it left as final run.

    The matches are files, and every fourth match of the holdout has no price of a draw.
    """
    folder = tmp_path_factory.mktemp("trained")
    (folder / "raw").mkdir()
    write_football_data(folder / "raw/E0.csv")
    matches = pd.read_csv(folder / "raw/E0.csv")
    later = matches.index[pd.to_datetime(matches["Date"], format="%d/%m/%Y") >= "2024-01-01"]
    matches.loc[later[::4], "PSCD"] = np.nan
    matches.to_csv(folder / "raw/E0.csv", index=False)
    done, left = {}, {}
    for name, command in COMMANDS.items():
        done[name] = program.run(*FILES, *command, cwd=folder)
        if name == "picked by the holdout":
            write_tuned(folder)
        final = folder / "data/models/final_run_id.json"
        left[name] = json.loads(final.read_text()) if final.is_file() else None
    codes = {name: one.code for name, one in done.items()}
    assert codes == {"picked by the holdout": 0, "tuned": 0, "smoke": 0, "failed": 1}, done
    return folder, done, left


@pytest.fixture(scope="module")
def tuned(trained):
    """The folder, and the run of the tuned final model."""
    folder, _, _ = trained
    (run,) = program.parents(folder, "final_train | model=xgb")
    return folder, run


def table(folder, run):
    return pd.read_parquet(program.artifact(folder, run, "predictions/holdout.parquet"))


def proba(forecasts, name="final"):
    return forecasts[[f"{name}_{outcome}" for outcome in OUTCOMES]].to_numpy()


def split(folder, part):
    return pd.read_parquet(folder / f"data/splits/{part}.parquet")


def features(folder):
    """The feature columns that are known for some training match: the files have no shots, for instance."""
    manifest = json.loads((folder / "data/processed/manifest.json").read_text())
    train = split(folder, "train")
    families = [columns for name, columns in manifest["families"].items() if name != "market"]
    return [column for columns in families for column in columns if train[column].notna().any()]


def test_each_run_has_its_name_its_status_and_no_children(trained):
    folder, _, _ = trained
    assert program.tree(folder)[1:] == [
        ("final_train | model=xgb", "FINISHED", []),
        ("smoke | final_train | model=logreg", "FINISHED", []),
        ("final_train | model=logreg", "FAILED", []),
    ]


def test_the_final_run_has_the_tags_of_the_contract(tuned):
    folder, run = tuned
    train, test = (split(folder, part)["date"] for part in ("train", "test"))
    source = json.loads((folder / "data/processed/manifest.json").read_text())["source"]
    version = json.loads((folder / BEST).read_text())["data_hash"]
    expected = {
        "pipeline.run_kind": "final_train",
        "pipeline.stage": "final_train",
        "pipeline.scope": "parent",
        "pipeline.variant": "baseline",
        "features.profile": "full",
        "model.family": "gradient_boosting",
        "pipeline.dvc_exp_name": "none",
        "data.version": version,
        "data.hash": version,
        "data.source_bucket": "file",
        "data.source_key": "raw/E0.csv",
        "data.source_etag": source["etag"],
        "data.source_last_modified": source["last_modified"],
        "data.ingested_at": source["ingested_at"],
        "data.train_start": f"{train.min():%Y-%m-%d}",
        "data.train_end": f"{train.max():%Y-%m-%d}",
        "data.test_start": f"{test.min():%Y-%m-%d}",
        "data.test_end": f"{test.max():%Y-%m-%d}",
        "data.train_rows": str(len(train)),
        "data.test_rows": str(len(test)),
        "model.calibration": "temperature",
        "model.tuned_run_id": "b" * 32,
        "holdout.touched": "true",
    }
    tags = run.data.tags
    assert {name: tags.get(name) for name in expected} == expected
    assert re.fullmatch(r"[0-9a-f]{7,40}|none", tags["pipeline.git_sha"])
    assert tags["pipeline.git_dirty"] in ("true", "false")
    assert re.fullmatch("[0-9a-f]{16}", tags["pipeline.params_file_hash"])
    assert re.fullmatch("[0-9a-f]{64}", tags["model.sha256"])


def test_a_smoke_run_is_one_in_every_way(trained):
    folder, _, left = trained
    (run,) = program.search(folder, "tags.`pipeline.run_kind` = 'smoke'")
    assert run.info.run_name == "smoke | final_train | model=logreg"
    assert program.client(folder).get_experiment(run.info.experiment_id).name == "matches_clf_smoke"
    assert (run.data.tags["pipeline.stage"], run.data.tags["model.family"]) == ("final_train", "linear")
    assert (run.data.params["data.train_rows"], run.data.params["model.calibration"]) == ("100", "none")
    assert len(table(folder, run)) == len(split(folder, "test"))
    assert left["smoke"]["run_kind"] == "smoke"


def test_the_params_hash_is_that_of_the_same_settings_given_by_hand(tuned, compose):
    _, run = tuned
    by_hand = [f"models.{key.replace('.', '.estimator.')}={value}" for key, value in TUNED.items()]
    same, other = compose(*FILES, *by_hand, *FINAL), compose(*FILES, *FINAL)
    assert run.data.tags["pipeline.params_hash"] == params_hash(same) != params_hash(other)


def test_the_tuned_parameters_are_used_except_for_those_of_the_command_line(trained, tuned):
    _, done, _ = trained
    _, run = tuned
    best = {name: value for name, value in run.data.params.items() if name.startswith("best.")}
    assert best == {"best.n_estimators": "12", "best.learning_rate": "0.3"}
    used = {
        name: run.data.params[f"models.xgb.estimator.{name}"] for name in ("n_estimators", "max_depth", "subsample")
    }
    assert used == {"n_estimators": "12", "max_depth": "2", "subsample": "0.8"}
    said = f"tuned      n_estimators=12, learning_rate=0.3 (found by: trial 7, parent_run_id {'a' * 32})"
    assert said in done["tuned"].out.splitlines()
    untuned = "tuned      nothing for logreg: its defaults are used; stage=tuning model=logreg looks for better ones"
    assert untuned in done["smoke"].out.splitlines()


def test_the_final_run_has_the_parameters_of_the_contract(tuned):
    folder, run = tuned
    expected = {
        "model.name": "xgb",
        "model.class": "xgboost.XGBClassifier",
        "model.calibration": "temperature",
        "data.train_rows": str(len(split(folder, "train"))),
        "data.holdout_rows": str(len(split(folder, "test"))),
        "data.target": "outcome_1x2",
        "data.frac": "1.0",
        "features.families": "elo,poisson,chances,form,season,rest,h2h",
        "features.n_numeric": str(len(features(folder))),
        "features.n_categorical": "0",
    }
    assert {name: run.data.params.get(name) for name in expected} == expected


def test_the_final_run_has_these_metrics_and_no_other(tuned):
    _, run = tuned
    baselines = ("reference", "uniform", "prior", "bookmaker")
    expected = {
        *(f"final.{metric}" for metric in (*METRICS, *BY_OUTCOME, "ece_raw", "logloss_raw")),
        *(f"final_with_odds.{metric}" for metric in METRICS),
        *(f"baseline.{name}.{metric}" for name in baselines for metric in METRICS),
        *(f"difference.{name}.{part}" for name in ("reference", "bookmaker") for part in ("mean", "low", "high")),
    }
    assert set(run.data.metrics) == expected


def test_the_scores_are_those_of_the_forecasts_that_were_stored(tuned):
    folder, run = tuned
    forecasts, holdout = table(folder, run), split(folder, "test")
    pd.testing.assert_frame_equal(forecasts[[*KEY, "outcome_1x2"]], holdout[[*KEY, "outcome_1x2"]])
    target = holdout["outcome_1x2"].to_numpy()
    ours = {**score(target, proba(forecasts)), **per_outcome(target, proba(forecasts))}
    raw = score(target, proba(forecasts, "raw"))
    expected = {f"final.{name}": value for name, value in ours.items()}
    expected |= {"final.ece_raw": raw["ece"], "final.logloss_raw": raw["logloss"]}
    for name in ("reference", "uniform", "prior"):
        scores = score(target, proba(forecasts, name))
        expected |= {f"baseline.{name}.{metric}": value for metric, value in scores.items()}
    found = {name: run.data.metrics[name] for name in expected}
    assert found == pytest.approx(expected, rel=1e-12)
    happened = proba(forecasts)[np.arange(len(target)), target]
    assert run.data.metrics["final.logloss"] == pytest.approx(-np.log(happened).mean(), rel=1e-12)


def test_the_difference_to_the_reference_is_paired_match_by_match(tuned):
    folder, run = tuned
    forecasts = table(folder, run)
    rows = np.arange(len(forecasts)), forecasts["outcome_1x2"].to_numpy()
    losses = [-np.log(proba(forecasts, name)[rows]) for name in ("final", "reference")]
    expected = paired_difference(*losses, forecasts["date"])
    found = {part: run.data.metrics[f"difference.reference.{part}"] for part in ("mean", "low", "high")}
    assert found == pytest.approx({part: getattr(expected, part) for part in found}, rel=1e-9)


def test_the_bookmaker_is_scored_on_the_matches_that_have_odds_beside_ours_on_the_same(tuned):
    folder, run = tuned
    forecasts, holdout = table(folder, run), split(folder, "test")
    some = holdout["odds_draw"].notna().to_numpy()
    assert 0.7 < some.mean() < 0.8
    assert forecasts["bookmaker_home"].notna().tolist() == some.tolist()
    # Prices are fair, so that 1/price is the probability.
    fair = 1 / holdout[["odds_home", "odds_draw", "odds_away"]].to_numpy(np.float64)[some]
    np.testing.assert_allclose(proba(forecasts, "bookmaker")[some], fair, rtol=0, atol=2e-3)
    target = holdout["outcome_1x2"].to_numpy()[some]
    theirs, ours = proba(forecasts, "bookmaker")[some], proba(forecasts)[some]
    expected = {f"baseline.bookmaker.{name}": value for name, value in score(target, theirs).items()}
    expected |= {f"final_with_odds.{name}": value for name, value in score(target, ours).items()}
    rows = np.arange(len(target)), target
    difference = paired_difference(-np.log(ours[rows]), -np.log(theirs[rows]), holdout["date"][some])
    expected |= {f"difference.bookmaker.{part}": getattr(difference, part) for part in ("mean", "low", "high")}
    assert {name: run.data.metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_the_forecasts_are_those_of_the_same_model_made_by_hand(tuned):
    folder, run = tuned
    train, test = split(folder, "train"), split(folder, "test")
    columns, target = features(folder), train["outcome_1x2"].to_numpy()
    begin = int(train["date"].searchsorted(train["date"].iloc[round(len(train) * 0.7)]))
    settings = {"n_estimators": 12, "learning_rate": 0.3, "max_depth": 2, "min_child_weight": 50, "subsample": 0.8}
    settings |= {"colsample_bytree": 0.5, "reg_lambda": 1.0, "tree_method": "hist", "random_state": 1, "n_jobs": 1}
    before = XGBClassifier(**settings).fit(train[columns][:begin], target[:begin])
    learned = CalibratedClassifierCV(FrozenEstimator(before), method="temperature")
    learned.fit(train[columns][begin:], target[begin:])
    everything = XGBClassifier(**settings).fit(train[columns], target)
    learned.calibrated_classifiers_[0].estimator = everything
    forecasts = table(folder, run)
    np.testing.assert_allclose(proba(forecasts, "raw"), everything.predict_proba(test[columns]), rtol=0, atol=1e-6)
    np.testing.assert_allclose(proba(forecasts), learned.predict_proba(test[columns]), rtol=0, atol=1e-6)
    assert run.data.params["model.calibration_rows"] == str(len(train) - begin)
    logistic = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), LogisticRegression(C=0.01)
    ).fit(train[columns], target)
    np.testing.assert_allclose(proba(forecasts, "reference"), logistic.predict_proba(test[columns]), atol=1e-4)
    prior = np.bincount(target) / len(target)
    np.testing.assert_allclose(proba(forecasts, "prior"), np.tile(prior, (len(test), 1)), atol=1e-12)


def test_the_final_run_keeps_model_plots_forecasts_and_config(tuned):
    folder, run = tuned
    client = program.client(folder)
    found = {
        file.path
        for part in ("model", "plots", "predictions", "importance", "checks", "config")
        for file in client.list_artifacts(run.info.run_id, part)
    }
    assert {
        *(f"model/{name}" for name in ("MLmodel", "model.skops", "input_example.json", "requirements.txt")),
        *(f"plots/{name}.png" for name in ("calibration_curves", "confusion_matrix", "feature_importance")),
        "predictions/holdout.parquet",
        "importance/features.parquet",
        "checks/model_sample.parquet",
        "config/resolved.yaml",
    } <= found
    for name in ("calibration_curves", "confusion_matrix", "feature_importance"):
        assert program.artifact(folder, run, f"plots/{name}.png").read_bytes().startswith(b"\x89PNG")
    config = yaml.safe_load(program.artifact(folder, run, "config/resolved.yaml").read_text())
    assert config["models"]["xgb"]["estimator"]["n_estimators"] == 12
    assert config["final"]["tuned"]["trial"] == 7
    sample = pd.read_parquet(program.artifact(folder, run, "checks/model_sample.parquet"))
    assert sample.columns.tolist() == [*features(folder), "0", "1", "2"]
    assert set(sample.dtypes.astype(str)) == {"float64"}  # as MLflow hands rows to the model
    np.testing.assert_allclose(sample[["0", "1", "2"]], proba(table(folder, run))[: len(sample)], rtol=0, atol=1e-6)
    importance = pd.read_parquet(program.artifact(folder, run, "importance/features.parquet"))
    assert importance["feature"].tolist() == features(folder)


def test_the_dataset_input_is_the_training_file(tuned):
    folder, run = tuned
    (found,) = run.inputs.dataset_inputs
    assert {one.key: one.value for one in found.tags} == {"mlflow.data.context": "training"}
    assert (found.dataset.digest, found.dataset.source_type) == (run.data.tags["data.version"], "local")
    assert json.loads(found.dataset.source) == {"uri": "data/splits/train.parquet"}
    assert json.loads(found.dataset.profile) == {"num_rows": len(split(folder, "train"))}


def test_final_run_id_json_names_the_last_final_run_that_ended_well(trained, tuned):
    _, _, left = trained
    folder, run = tuned
    assert left["picked by the holdout"] is None
    assert left["tuned"] == {
        "run_id": run.info.run_id,
        "experiment_name": "matches_clf",
        "run_kind": "final_train",
        "model": "xgb",
        "model_uri": f"runs:/{run.info.run_id}/model",
        "logloss": run.data.metrics["final.logloss"],
        "params_hash": run.data.tags["pipeline.params_hash"],
        "data_hash": run.data.tags["data.hash"],
    }
    (smoke,) = program.parents(folder, "smoke | final_train%")
    assert left["smoke"]["run_id"] == smoke.info.run_id
    assert left["failed"] == left["smoke"]


def test_each_reading_of_the_holdout_is_counted_whoever_reads_it(trained):
    folder, done, _ = trained
    picked, tuned, smoke, failed = program.parents(folder)
    readings = [run.data.tags.get("holdout.reading") for run in (picked, tuned, smoke, failed)]
    assert readings == ["1", "2", "3", None]
    lines = [[line for line in one.out.splitlines() if line.startswith("holdout    read ")] for one in done.values()]
    before = f"before this by train_eval | frac=1.0 | feat=full ({picked.info.run_id})"
    assert lines[0][-1] == "holdout    read 1 time on this data"
    assert lines[1] == [f"holdout    read 2 times on this data; {before}"]
    before = f"before this by final_train | model=xgb ({tuned.info.run_id})"
    assert lines[2] == [f"holdout    read 3 times on this data; {before}"]
    assert lines[3] == []


def test_a_model_that_fails_leaves_its_run_failed_with_the_reason(trained):
    folder, done, _ = trained
    (run,) = program.parents(folder, "final_train | model=logreg")
    assert run.info.status == "FAILED"
    assert "InvalidParameterError: The 'C' parameter of LogisticRegression must be" in run.data.tags["status.reason"]
    assert "InvalidParameterError: The 'C' parameter of LogisticRegression must be" in done["failed"].err
    assert "Traceback" not in done["failed"].out + done["failed"].err
    assert run.data.metrics == {}
    assert "holdout.touched" not in run.data.tags
    assert {file.path for file in program.client(folder).list_artifacts(run.info.run_id)} & {"model", "plots"} == set()


def test_the_console_shows_the_scores_beside_those_of_the_rivals(trained, tuned):
    _, done, _ = trained
    folder, run = tuned
    out, dates, metrics = done["tuned"].out, split(folder, "test")["date"], run.data.metrics
    title = f"final_train | model=xgb: {len(dates):,} matches of the holdout, {dates.min():%Y-%m-%d} to "
    assert title + f"{dates.max():%Y-%m-%d}" in out.splitlines()
    lines = out[out.index(title) :].splitlines()
    assert lines[1].endswith("with odds")
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:8]}
    assert set(rows) == {"final", "raw", "reference", "uniform", "prior", "bookmaker"}
    expected = [f"{metrics[f'final.{name}']:.4f}" for name in METRICS]
    expected.insert(1, f"{metrics['final.logloss'] - metrics['baseline.prior.logloss']:+.4f}")
    assert rows["final"] == [*expected, f"{metrics['final_with_odds.logloss']:.4f}"]
    assert rows["bookmaker"][-1] == rows["bookmaker"][0] == f"{metrics['baseline.bookmaker.logloss']:.4f}"
    for name in ("reference", "bookmaker"):
        assert re.search(rf"^log-loss against {name}: [+-]0\.\d{{4}} \(95 % interval ", out, re.MULTILINE)
    assert done["tuned"].err == done["smoke"].err == ""


def test_without_odds_the_last_cell_of_each_row_is_empty():
    scores = {name: dict.fromkeys(METRICS, 0.5) for name in ("final", "prior")}
    cells = ["0.5000", "+0.0000", *["0.5000"] * 5]
    assert [line.split() for line in show_holdout("title", scores, {}).splitlines()[2:]] == [
        ["final", *cells],
        ["prior", *cells],
    ]


LOAD = """
import json, sys
import mlflow.pyfunc, mlflow.sklearn
import numpy as np, pandas as pd

uri, source, target, columns = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
rows = pd.read_parquet(source)[columns]
pyfunc, sklearn = mlflow.pyfunc.load_model(uri), mlflow.sklearn.load_model(uri)
mixed = rows[columns[::-1]].assign(luck=1.0)
found = {
    "pyfunc float32": pyfunc.predict(rows.astype("float32")),
    "pyfunc float64": pyfunc.predict(rows.astype("float64")),
    "pyfunc in another order": pyfunc.predict(mixed),
    "pyfunc one row": pyfunc.predict(rows.head(1)),
    "sklearn float32": sklearn.predict_proba(rows.astype("float32")),
    "sklearn float64": sklearn.predict_proba(rows.astype("float64")),
}
assert "matchclf" not in sys.modules
np.savez(target, **found)
example = pyfunc.input_example
print(json.dumps({
    "inputs": pyfunc.metadata.get_input_schema().input_names(),
    "types": sorted({str(one.type) for one in pyfunc.metadata.get_input_schema().inputs}),
    "outputs": str(pyfunc.metadata.get_output_schema()),
    "classes": sklearn.classes_.tolist(),
    "example": [list(example.shape), pyfunc.predict(example).shape],
}))
"""


def test_the_model_loads_in_a_clean_process_and_forecasts_raw_feature_columns(tuned, tmp_path):
    folder, run = tuned
    columns = features(folder)
    arguments = [
        f"runs:/{run.info.run_id}/model",
        str(folder / "data/splits/test.parquet"),
        str(tmp_path / "found.npz"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *arguments, json.dumps(columns)],
        cwd=tmp_path,
        env=program.environment(MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db", MLFLOW_DISABLE_TELEMETRY="true"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = proba(table(folder, run))
    with np.load(tmp_path / "found.npz") as found:
        assert found["pyfunc one row"].shape == (1, 3)
        for name in set(found) - {"pyfunc one row"}:
            np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-6, err_msg=name)
    assert json.loads(done.stdout) == {
        "inputs": columns,
        "types": ["DataType.double"],
        "outputs": "[Tensor('float64', (-1, 3))]",
        "classes": [0, 1, 2],
        "example": [[3, len(columns)], [3, 3]],
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"model": "hgb"}, f"{BEST} belongs to the model hgb; expected xgb. ")],
)
def test_parameters_of_another_model_stop_the_run_before_it_opens(trained, tmp_path, changed, message):
    for name in ("data", "raw"):
        shutil.copytree(trained[0] / name, tmp_path / name)
    write_tuned(tmp_path, **changed)
    before = program.files(tmp_path / "data")
    done = program.run(*FILES, *FINAL, cwd=tmp_path)
    assert (done.code, done.files) == (2, before)
    assert done.err.splitlines()[-1].startswith(f"Error: {message}")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("{", 3, f"{BEST} is not readable as JSON: "),
        (
            "{}",
            2,
            f"{BEST} lacks data_hash, model, params, run_id, run_kind; write it anew with stage=tuning model=xgb.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_run_before_it_opens(tmp_path, content, code, message):
    (tmp_path / BEST).parent.mkdir(parents=True)
    (tmp_path / BEST).write_text(content)
    done = program.run(*program.TINY, *FINAL, cwd=tmp_path)
    assert done.code == code
    assert done.err.splitlines()[-1].startswith(f"Error: {message}")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_parameters_found_on_other_data_are_refused_until_they_are_forced_or_ignored(trained, tmp_path):
    for name in ("data", "raw"):
        shutil.copytree(trained[0] / name, tmp_path / name)
    (tmp_path / "data/models/final_run_id.json").unlink()
    write_tuned(tmp_path, data_hash="e" * 32)
    refused = program.run(*FILES, *FINAL, cwd=tmp_path)
    assert refused.code == 2
    assert f"Error: {BEST} was found on other data: {'e' * 32}, here it is " in refused.err
    assert "models/final_run_id.json" not in refused.files
    (run,) = program.parents(tmp_path)
    assert (run.info.status, run.data.tags["status.reason"][:12]) == ("FAILED", "ConfigError:")
    assert "holdout.touched" not in run.data.tags
    for rule, best in (("force", "12"), ("ignore", None)):
        done = program.run(*FILES, *FINAL, f"final.best_params={rule}", cwd=tmp_path)
        assert done.code == 0, done
        run = program.parents(tmp_path)[-1]
        assert run.data.params.get("best.n_estimators") == best
        assert run.data.params["models.xgb.estimator.n_estimators"] == (best or "5")
    hashes = {run.data.tags["pipeline.params_hash"] for run in program.parents(tmp_path)}
    assert len(hashes) == 2  # refused and forced are the same experiment


def test_several_models_are_refused(compose):
    with pytest.raises(ConfigError) as caught:
        check_ingredients(compose("stage=final_train", "model=[xgb,logreg]"))
    assert str(caught.value) == "stage=final_train trains one model; found model=xgb,logreg."


@pytest.mark.slow
def test_several_models_are_trained_one_after_the_other_by_a_sweep(matchclf, tmp_path):
    done = matchclf(*program.TINY, "stage=final_train", "model=[xgb,logreg]")
    assert done.code == 2
    assert done.err.splitlines()[-1] == "Error: stage=final_train trains one model; found model=xgb,logreg."
    assert not (tmp_path / "mlflow.db").exists()
    done = matchclf(*program.TINY, "stage=final_train", "--multirun", "model=dummy,hgb")
    assert done.code == 0, done
    assert program.tree(tmp_path) == [
        ("final_train | model=dummy", "FINISHED", []),
        ("final_train | model=hgb", "FINISHED", []),
    ]
    assert [run.data.tags["holdout.reading"] for run in program.parents(tmp_path)] == ["1", "2"]
    for run in program.parents(tmp_path):
        assert run.data.tags["data.source_bucket"] == "synthetic"
        assert run.data.metrics["baseline.truth.logloss"] < run.data.metrics["baseline.prior.logloss"]
        assert not [name for name in run.data.metrics if "bookmaker" in name or "with_odds" in name]
