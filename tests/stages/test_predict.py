"""Forecasts of upcoming matches by a model of the registry."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import finals
import program
from matchclf.config import Tracking
from matchclf.errors import ConfigError, DataError, ModelError
from matchclf.tracking import models
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

NAME = "forecaster"
KEY = ["date", "country", "division", "home_team", "away_team"]
PROBA = ["prob_home", "prob_draw", "prob_away"]
FAIR = ["fair_odds_home", "fair_odds_draw", "fair_odds_away"]
MADE_BY = ["model_version", "run_id", "data_version"]
WRITTEN = "data/predictions/upcoming.csv"


@pytest.fixture(scope="module")
def store(final_runs):
    folder, _ = final_runs
    return open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf", folder)


@pytest.fixture(scope="module")
def registered(store, final_runs):
    """Two versions, the champion by logistic regression and the candidate by boosting; and a smoke run as smoke."""
    _, ids = final_runs
    model = Registered(store, NAME)
    for name in ("logreg", "hgb"):
        model.make_version(store.client.get_run(ids[name]))
    for alias, version in {"champion": 1, "candidate": 2}.items():
        model.set_alias(alias, model.version(version))
    return model


@pytest.fixture
def predict(registered, final_runs, compose, tmp_path, monkeypatch):
    """Run stage=predict in a folder of this test's own; returns what was written."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(final_runs[0] / "raw", tmp_path / "raw")

    def predict(*overrides, forecasts="made/forecast.parquet", data=finals.DATA):
        options = (f"registry.model_name={NAME}", f"tracking.uri={registered.store.uri}", f"forecasts={forecasts}")
        finals.stage(compose, "predict", *options, *data, *overrides)
        return pd.read_parquet(forecasts) if forecasts.endswith("parquet") else pd.read_csv(forecasts)

    return predict


@pytest.fixture(scope="module")
def played(final_runs, compose, tmp_path_factory):
    """The dataset that is prepared once all matches are played."""
    folder = tmp_path_factory.mktemp("played")
    finals.write_matches(folder / "raw/E.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        finals.stage(compose, "prepare", *finals.DATA)
    return pd.read_parquet(folder / "data/processed/dataset.parquet")


def first_day(table):
    """The rows of the first day to come."""
    return table[table["date"] == finals.CUT].reset_index(drop=True)


def to_come(played):
    return played[played["date"] >= finals.CUT].reset_index(drop=True)


def as_csv(matches):
    columns = {"date": "date", "home_team": "home", "away_team": "away", "division": "division"}
    return matches[list(columns)].rename(columns=columns).to_csv(index=False, date_format="%Y-%m-%d")


def test_the_command_writes_a_row_a_match_to_come(registered, final_runs, played):
    folder, ids = final_runs
    done = program.run("stage=predict", *finals.DATA, f"registry.model_name={NAME}", cwd=folder)
    assert done.code == 0, done
    found = pd.read_csv(folder / WRITTEN, parse_dates=["date"])
    assert list(found.columns) == [*KEY, *PROBA, *FAIR, *MADE_BY]
    expected = to_come(played)
    assert len(found) == 60
    pd.testing.assert_frame_equal(found[KEY], expected[KEY].astype({"date": found["date"].dtype}))
    version = registered.store.client.get_run(ids["logreg"]).data.tags["data.version"]
    assert found[MADE_BY].drop_duplicates().to_numpy().tolist() == [[1, ids["logreg"], version]]
    np.testing.assert_allclose(found[PROBA].sum(axis=1), 1, atol=3e-6)
    np.testing.assert_allclose(found[FAIR], 1 / found[PROBA], rtol=1e-5)
    assert f"model      {NAME} version 1, which is champion\n" in done.out
    assert "matches    660 known, the last of 2025-04-27\n" in done.out
    assert "... and 30 more\n" in done.out
    first = found.iloc[0]
    shown = [f"{first[name]:.3f}" for name in PROBA] + [f"{first[name]:.2f}" for name in FAIR]
    row = [f"{first['date']:%Y-%m-%d}", first["home_team"], first["away_team"], *shown]
    assert row in [line.split() for line in done.out.splitlines()]
    assert {path for path in done.files if "predictions" in path} == {"predictions/upcoming.csv"}


# Linear models compute in single precision, and not the same way for one match as for many.
@pytest.mark.parametrize(("alias", "rounding"), [("champion", 1e-6), ("candidate", 0)])
def test_probabilities_are_those_of_the_model_on_the_features_of_a_later_preparation(
    predict, played, registered, alias, rounding
):
    loaded = models.load_model(registered.store, registered.holder(alias).run_id)
    later = first_day(played)
    expected = loaded.predict_proba(later[list(loaded.feature_names_in_)]).astype(np.float64)
    expected /= expected.sum(axis=1, keepdims=True)
    Path("upcoming.csv").write_text(as_csv(later))
    for fixtures, within in (((), rounding), (("fixtures=upcoming.csv",), 0)):
        found = first_day(predict(f"alias={alias}", *fixtures))
        pd.testing.assert_frame_equal(found[KEY], later[KEY])
        np.testing.assert_allclose(found[PROBA], expected, rtol=within, atol=0)
        np.testing.assert_array_equal(found[FAIR].to_numpy(), 1 / found[PROBA].to_numpy())


def test_a_model_is_named_by_alias_version_or_run(predict, final_runs):
    _, ids = final_runs
    by_alias = predict("alias=candidate")
    assert by_alias["model_version"].unique().tolist() == ["2"]
    pd.testing.assert_frame_equal(predict("version=2"), by_alias)
    pd.testing.assert_frame_equal(predict(f"run_id={ids['hgb']}"), by_alias.assign(model_version=""))


def test_csv_and_parquet_say_the_same(predict):
    exact = predict("version=1", forecasts="a/b.parquet").astype({"model_version": "int64"})
    found = predict("version=1", forecasts="a/b.csv")
    pd.testing.assert_frame_equal(found.assign(date=pd.to_datetime(found["date"])), exact, rtol=1e-5, check_dtype=False)
    assert program.files(Path("a")) == {"b.csv", "b.parquet"}


def test_settings_of_features_are_those_of_the_run_whatever_the_command_line_says(predict):
    expected = predict()
    others = ("features.families.elo.k=99", "features.families.form.windows=[2]", "variant=elo_only", "seed=5")
    pd.testing.assert_frame_equal(predict(*others), expected)


def test_every_row_that_cannot_be_used_is_told_and_nothing_is_written(predict, final_runs, tmp_path):
    Path("upcoming.csv").write_text("date,home,away\n2025-13-01,A,B\n\n2025-08-30,A,A\n")
    options = (f"registry.model_name={NAME}", f"tracking.uri=sqlite:///{final_runs[0]}/mlflow.db")
    done = program.run("stage=predict", *finals.DATA, *options, "fixtures=upcoming.csv", cwd=tmp_path)
    assert (done.code, done.files) == (3, frozenset())
    assert done.err.splitlines()[-3:] == [
        "Error: Fixtures cannot be used:",
        "upcoming.csv line 2: date=2025-13-01 is not a date; expected YYYY-MM-DD, for instance 2024-01-01.",
        "upcoming.csv line 4: A cannot play against itself.",
    ]


def refused(error, predict, *overrides, **more):
    """The sentence that refuses a command, which leaves no file behind and an earlier forecast as it was."""
    Path("made").mkdir(exist_ok=True)
    Path("made/forecast.parquet").write_bytes(b"an earlier one")
    before = program.files(Path())
    with pytest.raises(error) as problem:
        predict(*overrides, **more)
    assert program.files(Path()) == before
    assert Path("made/forecast.parquet").read_bytes() == b"an earlier one"
    return str(problem.value)


def test_what_cannot_be_forecast_is_told_in_a_sentence(predict, final_runs):
    _, ids = final_runs
    for forecasts in ("upcoming.txt", "upcoming", "upcoming.csv.gz"):
        assert (
            refused(ConfigError, predict, forecasts=forecasts) == f"forecasts={forecasts} must end in .csv or .parquet."
        )
    assert refused(ConfigError, predict, "alias=emperor") == (
        f"No version of {NAME} is emperor; see stage=report what=registry."
    )
    assert refused(ConfigError, predict, "version=7") == f"{NAME} has no version 7; the versions are: 1, 2."
    assert refused(ConfigError, predict, "version=1", f"run_id={ids['logreg']}") == (
        "Both run_id and version are set; a model is one of a run, a version or an alias."
    )
    assert refused(ModelError, predict, "run_id=nothere").startswith("There is no run nothere in sqlite:///")
    assert refused(ConfigError, predict, data=("data=synthetic",)) == (
        "The model was trained on data=football_data; found data=synthetic."
    )
    Path("folder.csv").mkdir()
    assert refused(DataError, predict, forecasts="folder.csv").startswith("folder.csv cannot be written: ")


def test_data_without_a_match_to_come_need_a_file_of_fixtures(predict):
    finals.write_matches(Path("raw/E.csv"))
    assert refused(DataError, predict) == (
        "The data have no match without a score; give upcoming ones by fixtures=FILE.csv."
    )


def test_a_model_that_was_altered_is_not_asked(predict, final_runs, registered):
    made = finals.copy_run(
        registered.store.client,
        final_runs[1]["logreg"],
        lambda folder: (folder / "model/model.skops").write_bytes(b"PK\3\4"),
    )
    assert refused(ModelError, predict, f"run_id={made}").startswith(f"The model of run {made} was altered: ")


def test_features_that_the_data_do_not_give_are_told(predict, final_runs, registered):
    def fewer(folder):
        path = folder / "config/resolved.yaml"
        config = yaml.safe_load(path.read_text())
        config["features"]["use"].remove("h2h")
        path.write_text(yaml.safe_dump(config))

    made = finals.copy_run(registered.store.client, final_runs[1]["logreg"], fewer)
    assert refused(DataError, predict, f"run_id={made}") == (
        "The matches give no h2h_matches, one of 5 columns that the model reads and these data lack."
    )


def test_a_smoke_model_is_used_as_ci_smoke_only_even_if_an_alias_was_moved_by_hand(predict, final_runs, registered):
    client, smoke = registered.store.client, "smoke_forecaster"
    open_store(Tracking("local", registered.store.uri), "matches_clf_smoke", final_runs[0])
    made = finals.copy_run(client, final_runs[1]["logreg"], experiment="matches_clf_smoke", pipeline__run_kind="smoke")
    model = Registered(registered.store, smoke)
    model.make_version(client.get_run(made))
    for alias in ("champion", "candidate", "smoke", "ci-smoke"):
        model.set_alias(alias, model.version(1))
    for alias in ("champion", "candidate", "smoke"):
        assert refused(ModelError, predict, f"registry.model_name={smoke}", f"alias={alias}") == (
            f"Version 1 is {alias} but was made by a smoke run, which is never used as such."
        )
    assert len(predict(f"registry.model_name={smoke}", "alias=ci-smoke")) == 60


def test_the_built_in_league_under_another_name_is_still_the_built_in_league(predict, final_runs, registered, caplog):
    league = ("data=synthetic", "data.name=mine", "data.countries=1", "data.tiers=2", "data.teams_per_division=6")
    league += ("data.promoted=1", "data.first_season=2014")

    def trained_on_league(folder):
        path = folder / "config/resolved.yaml"
        config = yaml.safe_load(path.read_text())
        config["data"] = {"name": "mine", "countries": 1}
        path.write_text(yaml.safe_dump(config))

    made = finals.copy_run(registered.store.client, final_runs[1]["logreg"], trained_on_league)
    with pytest.raises(DataError, match="The data have no match without a score"):
        predict(f"run_id={made}", data=league)
    with pytest.raises(ConfigError, match="The model was trained on data=mine; found data=football_data"):
        predict(f"run_id={made}")


def test_the_forecast_leaves_no_run_behind(predict, registered):
    before = len(program.search(registered.store.uri))
    predict()
    assert len(program.search(registered.store.uri)) == before
