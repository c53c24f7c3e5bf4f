"""What every family of features promises; a new family is tested by being there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import random_league, with_other_results
from matchclf.features.build import build_features, find_families

FULL = Path(__file__).parents[2] / "conf" / "features" / "full.yaml"
SETTINGS = yaml.safe_load(FULL.read_text(encoding="utf-8"))
FAMILIES = sorted(find_families())
SEEDS = st.integers(0, 10_000)
DAYS = st.integers(0, 59)

each_family = pytest.mark.parametrize("family", FAMILIES)
some_leagues = settings(max_examples=15, deadline=None)


def features(family: str, matches: pd.DataFrame) -> pd.DataFrame:
    return build_features(matches, {family: SETTINGS["families"][family]})[family]


def day_of(matches: pd.DataFrame) -> np.ndarray:
    return (matches["date"] - pd.Timestamp("2020-01-01")).dt.days.to_numpy()


def assert_same_bits(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    np.testing.assert_array_equal(bits(found), bits(expected))


def bits(frame: pd.DataFrame) -> np.ndarray:
    return np.ascontiguousarray(frame.to_numpy(np.float32)).view(np.uint32)


def test_every_family_has_its_settings_in_the_full_profile():
    assert sorted(SETTINGS["families"]) == FAMILIES
    assert sorted(SETTINGS["use"]) == FAMILIES


def test_no_column_belongs_to_two_families():
    frames = build_features(random_league(1), SETTINGS["families"])
    names = [name for frame in frames.values() for name in frame]
    assert len(names) == len(set(names))


@each_family
@given(seed=SEEDS, day=DAYS)
@some_leagues
def test_a_result_reaches_neither_its_own_day_nor_an_earlier_one(family, seed, day):
    matches = random_league(seed)
    days = day_of(matches)
    changed = with_other_results(matches, days >= day, seed + 1)
    seen = days <= day
    assert_same_bits(features(family, changed)[seen], features(family, matches)[seen])


@each_family
def test_a_result_reaches_later_days(family):
    matches = random_league(3)
    days = day_of(matches)
    postponed = (days >= 20) & (days < 25)
    changed = matches.assign(home_goals=matches["home_goals"].mask(postponed))
    later = days >= 25
    assert not features(family, changed)[later].equals(features(family, matches)[later])


@each_family
@given(seed=SEEDS, day=DAYS)
@some_leagues
def test_matches_cut_off_at_a_day_give_the_same_features(family, seed, day):
    matches = random_league(seed)
    seen = day_of(matches) <= day
    cut, whole = features(family, matches[seen]), features(family, matches)[seen]
    assert_same_bits(cut, whole[list(cut)])
    # Columns of statistics that no match has so far may be absent.
    assert whole.drop(columns=list(cut)).isna().all(axis=None)


@each_family
@given(seed=SEEDS)
@some_leagues
def test_the_order_and_the_index_of_the_rows_do_not_matter(family, seed):
    matches = random_league(seed)
    order = np.random.default_rng(seed).permutation(len(matches))
    labels = [f"match {number}" for number in order]
    found = features(family, matches.iloc[order].set_axis(labels))
    assert_same_bits(found, features(family, matches).iloc[order].set_axis(labels))


@each_family
@given(seed=SEEDS)
@some_leagues
def test_other_team_names_give_the_same_features(family, seed):
    matches = random_league(seed)
    names = np.random.default_rng(seed).permutation(["Ajax", "Örebro", "a b", "10", "zz", "Team"])
    new_name = {f"team {number}": name for number, name in enumerate(names)}
    renamed = matches.assign(home_team=matches["home_team"].map(new_name), away_team=matches["away_team"].map(new_name))
    assert_same_bits(features(family, renamed), features(family, matches))


@each_family
@given(seed=SEEDS)
@some_leagues
def test_matches_still_to_come_change_nothing(family, seed):
    matches = random_league(seed)
    played = matches["home_goals"].notna().to_numpy()
    assert_same_bits(features(family, matches[played]), features(family, matches)[played])


@each_family
def test_the_matches_are_left_as_they_were(family):
    matches = random_league(5)
    before = matches.copy(deep=True)
    found = features(family, matches)
    found.loc[:, :] = 0
    pd.testing.assert_frame_equal(matches, before, check_exact=True)


@each_family
def test_features_are_float32_with_the_index_of_the_matches(family):
    matches = random_league(6).set_axis(np.arange(150)[::-1] * 7)
    found = features(family, matches)
    assert set(found.dtypes) == {np.dtype("float32")}
    assert found.index.equals(matches.index)
    assert not np.isinf(found).any(axis=None)


@each_family
def test_no_matches_give_no_rows(family):
    assert features(family, random_league(7)[:0]).shape[0] == 0


@each_family
def test_matches_without_any_result_get_features(family):
    matches = random_league(8).assign(home_goals=np.float32("nan"), away_goals=np.float32("nan"))
    assert len(features(family, matches)) == 150
