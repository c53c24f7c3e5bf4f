"""What every family of features promises; a new family is tested by being there."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from features.leagues import random_league, with_other_results
from matchclf.data.dataset import FACTS
from matchclf.features.build import build_features, find_families

FULL = Path(__file__).parents[2] / "conf" / "features" / "full.yaml"
SETTINGS = yaml.safe_load(FULL.read_text(encoding="utf-8"))
FAMILIES = sorted(find_families())
SEEDS = st.integers(0, 99)
DAYS = st.integers(0, 59)
AT_ONCE = 8

each_family = pytest.mark.parametrize("family", FAMILIES)
some_leagues = examples(200, AT_ONCE)


def features(family: str, matches: pd.DataFrame) -> pd.DataFrame:
    return build_features(matches, {family: SETTINGS["families"][family]})[family]


@cache
def leagues(seed: int) -> pd.DataFrame:
    """Leagues of several countries, which have nothing to do with each other."""
    matches = random_league(seed, 120 * AT_ONCE)
    country = np.random.default_rng(seed).integers(AT_ONCE, size=len(matches))
    return matches.assign(country=np.char.add("country ", country.astype(str)))


@cache
def known(family: str, seed: int) -> pd.DataFrame:
    return features(family, leagues(seed))


def day_of(matches: pd.DataFrame) -> np.ndarray:
    return (matches["date"] - pd.Timestamp("2020-01-01")).dt.days.to_numpy()


def assert_same_bits(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    np.testing.assert_array_equal(bits(found), bits(expected))


def bits(frame: pd.DataFrame) -> np.ndarray:
    return np.ascontiguousarray(frame.to_numpy(np.float32)).view(np.uint32)


def test_every_family_has_its_settings_in_the_full_profile():
    assert sorted(SETTINGS["families"]) == FAMILIES
    # Ratings that learn from prices are in profiles of their own.
    assert sorted([*SETTINGS["use"], "market"]) == FAMILIES


def test_no_column_belongs_to_two_families():
    frames = build_features(random_league(1), SETTINGS["families"])
    names = [name for frame in frames.values() for name in frame]
    assert len(names) == len(set(names))
    assert set(names).isdisjoint(FACTS)


@each_family
@given(seed=SEEDS, day=DAYS)
@some_leagues
def test_a_result_reaches_neither_its_own_day_nor_an_earlier_one(family, seed, day):
    matches = leagues(seed)
    days = day_of(matches)
    changed = with_other_results(matches, days >= day, seed + 1)
    seen = days <= day
    assert_same_bits(features(family, changed)[seen], known(family, seed)[seen])


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
    seen = day_of(leagues(seed)) <= day
    cut, whole = features(family, leagues(seed)[seen]), known(family, seed)[seen]
    assert_same_bits(cut, whole[list(cut)])
    # Columns of statistics that no match has so far may be absent.
    assert whole.drop(columns=list(cut)).isna().all(axis=None)


@each_family
@given(seed=SEEDS, chance=st.integers(0, 10_000))
@some_leagues
def test_the_order_of_rows_and_columns_and_the_index_do_not_matter(family, seed, chance):
    matches, rng = leagues(seed), np.random.default_rng(chance)
    order = rng.permutation(len(matches))
    labels = [f"match {number}" for number in order]
    columns = rng.permutation(list(matches.columns))
    found = features(family, matches.iloc[order][columns].set_axis(labels))
    assert_same_bits(found, known(family, seed).iloc[order].set_axis(labels))


@each_family
@given(seed=SEEDS, chance=st.integers(0, 10_000))
@some_leagues
def test_other_team_names_give_the_same_features(family, seed, chance):
    matches = leagues(seed)
    names = np.random.default_rng(chance).permutation(["Ajax", "Örebro", "a b", "10", "zz", "Team"])
    new_name = {f"team {number}": name for number, name in enumerate(names)}
    renamed = matches.assign(home_team=matches["home_team"].map(new_name), away_team=matches["away_team"].map(new_name))
    assert_same_bits(features(family, renamed), known(family, seed))


@each_family
@given(seed=SEEDS, share=st.floats(0, 1))
@some_leagues
def test_matches_still_to_come_change_nothing(family, seed, share):
    matches = leagues(seed)
    kept = matches["home_goals"].notna().to_numpy() | (np.random.default_rng(seed).random(len(matches)) < share)
    assert_same_bits(features(family, matches[kept]), known(family, seed)[kept])


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
