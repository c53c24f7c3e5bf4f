import numpy as np
import pandas as pd
import pytest

from matchclf.data import dataset
from matchclf.data.dataset import FACTS, KEY, assemble, check_features, load_dataset
from matchclf.data.schema import conform
from matchclf.errors import DataError
from matchclf.files import write_parquet


@pytest.fixture
def matches() -> pd.DataFrame:
    return conform(
        pd.DataFrame(
            {
                "date": pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-02"]),
                "country": "X",
                "division": "D1",
                "tier": 1,
                "season": "2019/20",
                "home_team": ["a", "c", "b"],
                "away_team": ["b", "d", "a"],
                "neutral": [False, True, False],
                "home_goals": [2, 0, 1],
                "away_goals": [0, 0, 3],
                "home_shots": [9, 8, 7],
                "odds_home": [1.5, np.nan, 2.5],
            }
        )
    )


@pytest.fixture
def features() -> pd.DataFrame:
    columns = {"elo_diff": [10, np.nan, -10], "rest_days_home": [7, 3, 14], "points_mean_5_home": [1, 2, 3]}
    return pd.DataFrame(columns, dtype=np.float32)


def test_a_dataset_is_facts_outcome_and_features_row_for_row(matches, features):
    found = assemble(matches, features)
    assert found.columns.tolist() == [
        *["date", "country", "division", "season", "home_team", "away_team", "tier", "neutral"],
        *["home_goals", "away_goals", "odds_home", "odds_draw", "odds_away"],
        *["outcome_1x2", "elo_diff", "rest_days_home", "points_mean_5_home"],
    ]
    pd.testing.assert_frame_equal(found[FACTS], matches[FACTS])
    pd.testing.assert_frame_equal(found[list(features)], features)
    assert found["outcome_1x2"].tolist() == [0, 1, 2]
    assert found["outcome_1x2"].dtype == np.int8


def test_neither_matches_nor_features_are_touched(matches, features):
    before = matches.copy(), features.copy()
    assemble(matches, features)
    pd.testing.assert_frame_equal(matches, before[0])
    pd.testing.assert_frame_equal(features, before[1])


def test_the_key_tells_every_match_from_every_other(matches):
    assert not matches.duplicated(KEY).any()


def test_what_was_written_is_loaded_facts_apart_from_the_features_asked_for(matches, features, tmp_path):
    write_parquet(assemble(matches, features), tmp_path / "dataset.parquet")
    found = load_dataset(tmp_path / "dataset.parquet", ["rest_days_home", "elo_diff"])
    pd.testing.assert_frame_equal(found.matches, matches[FACTS], check_dtype=False)
    pd.testing.assert_frame_equal(found.features, features[["rest_days_home", "elo_diff"]])
    assert found.target.tolist() == [0, 1, 2]
    assert found.target.dtype == np.int8


def test_a_model_sees_no_goals_and_no_odds(matches, features, tmp_path):
    write_parquet(assemble(matches, features), tmp_path / "dataset.parquet")
    found = load_dataset(tmp_path / "dataset.parquet", list(features))
    assert set(found.features).isdisjoint([*FACTS, "outcome_1x2"])


def test_a_feature_that_was_not_prepared_is_an_error_that_names_file_and_feature(matches, features, tmp_path):
    write_parquet(assemble(matches, features), tmp_path / "dataset.parquet")
    with pytest.raises(DataError, match=r"dataset\.parquet cannot be read as Parquet: .*gap_days"):
        load_dataset(tmp_path / "dataset.parquet", ["gap_days"])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_features_are_refused_with_their_name_number_and_first_row(matches, features, tmp_path, value):
    features.loc[1:, "rest_days_home"] = value
    message = "Feature rest_days_home has 2 infinite values, first in rows 1, 2; expected numbers, or NaN."
    with pytest.raises(DataError) as caught:
        assemble(matches, features)
    assert str(caught.value) == message
    table = assemble(matches, features.drop(columns="rest_days_home")).assign(rest_days_home=features["rest_days_home"])
    write_parquet(table, tmp_path / "dataset.parquet")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "dataset.parquet", ["rest_days_home"])
    assert str(caught.value) == f"{tmp_path}/dataset.parquet: {message}"


def test_unknown_features_are_allowed(features):
    check_features(features.assign(elo_diff=np.float32("nan")))


def test_matches_still_to_come_have_no_place_in_a_dataset(matches, features):
    matches.loc[2, ["home_goals", "away_goals"]] = np.nan
    with pytest.raises(ValueError, match="An outcome needs goals"):
        assemble(matches, features)


def test_each_set_of_columns_is_what_one_reading_of_it_gives(matches, features, tmp_path):
    path = tmp_path / "part.parquet"
    write_parquet(assemble(matches, features), path)
    for names in (["rest_days_home"], ["elo_diff", "rest_days_home"], ["points_mean_5_home", "elo_diff"], []):
        found = load_dataset(path, names)
        pd.testing.assert_frame_equal(found.features, features[names])
        pd.testing.assert_frame_equal(found.matches, matches[FACTS].astype(found.matches.dtypes))
        assert found.target.tolist() == [0, 1, 2]


def test_columns_of_the_same_file_are_read_once(matches, features, tmp_path, monkeypatch):
    path, read = tmp_path / "part.parquet", []
    write_parquet(assemble(matches, features), path)
    reader = dataset.read_arrow
    monkeypatch.setattr(dataset, "read_arrow", lambda source, names: read.append(names) or reader(source, names))
    for names in (["elo_diff"], ["elo_diff", "rest_days_home"], ["rest_days_home"]):
        load_dataset(path, names)
    assert read == [[*FACTS, "outcome_1x2", "elo_diff"], ["rest_days_home"]]


def test_a_file_that_took_the_place_of_another_is_read(matches, features, tmp_path):
    path = tmp_path / "part.parquet"
    for shift in (0, 1):
        write_parquet(assemble(matches, features + np.float32(shift)), path)
        found = load_dataset(path, ["rest_days_home"]).features["rest_days_home"]
        assert found.tolist() == [7 + shift, 3 + shift, 14 + shift]


def test_a_part_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.parquet cannot be read as Parquet"):
        load_dataset(tmp_path / "train.parquet", [])
