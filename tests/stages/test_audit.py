"""Features that know too much are caught, and honest ones are not."""

from functools import wraps

import numpy as np
import pandas as pd
import pytest

from matchclf import paths
from matchclf.config import World
from matchclf.data.synthetic import make_world
from matchclf.drift import stability_index
from matchclf.errors import DataError
from matchclf.features import rest
from matchclf.leakage import (
    AFTERWARDS,
    FACTS,
    GROUP,
    as_of,
    future_leaks,
    history_leaks,
    scrambled_future,
    shuffled_results,
)
from matchclf.stages import audit

SMALL = ("data.countries=1", "data.tiers=1", "data.teams_per_division=10", "data.first_season=2014", "model=logreg")


def goals(matches):
    return (matches["home_goals"] - matches["away_goals"]).astype("float32")


def own_result(matches):
    return goals(matches)


def own_statistics(matches):
    return matches["home_shots"].astype("float32")


def own_price(matches):
    return matches["odds_home"].astype("float32")


def others_of_the_day(matches):
    return goals(matches).groupby(matches["date"]).transform("mean").astype("float32")


def next_match_of_the_team(matches):
    return goals(matches).groupby(matches["home_team"]).shift(-1).astype("float32")


def mean_of_all(matches):
    return goals(matches).groupby(matches["home_team"]).transform("mean").astype("float32")


LEAKS = [own_result, own_statistics, others_of_the_day, next_match_of_the_team, mean_of_all]


@pytest.fixture
def examine(compose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *overrides: audit.run(compose("stage=audit", *SMALL, *overrides))


def test_the_features_of_every_family_are_honest(examine, tmp_path):
    every = "features.use=[elo,poisson,chances,market,form,season,rest,h2h]"
    examine(every)
    told = (tmp_path / paths.AUDIT).read_text()
    assert told.startswith("Leaks: none found\nResults shuffled within day and division: log-loss less the prior's ")
    assert "population stability index" in told
    assert "give run_id=RUN, or run stage=train_eval first" in told


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_feature_that_knows_too_much_is_named(examine, tmp_path, monkeypatch, leak):
    @wraps(rest.rest)
    def leaky(matches, **_):
        return pd.DataFrame({"leak": leak(matches)})

    monkeypatch.setattr(rest, "rest", leaky)
    with pytest.raises(DataError, match=r"^The features leak: 1 columns know .* among them leak\. See data/audit"):
        examine("features=stats_only", "variant=stats_only")
    assert "leak" in (tmp_path / paths.AUDIT).read_text()


def test_results_that_shine_through_are_seen_without_looking_at_a_column(examine, monkeypatch):
    @wraps(rest.rest)
    def leaky(matches, **_):
        return pd.DataFrame({"leak": goals(matches)})

    monkeypatch.setattr(rest, "rest", leaky)
    for probe in ("future_leaks", "history_leaks"):
        monkeypatch.setattr(audit, probe, lambda *_: [])
    with pytest.raises(DataError, match="shuffled results are forecast better than by the prior"):
        examine("features=stats_only", "variant=stats_only")


@pytest.fixture(scope="module")
def matches():
    return make_world(World(countries=1, teams_per_division=8, first_season=2020))[0]


@pytest.mark.parametrize("probe", [future_leaks, history_leaks])
def test_the_price_of_the_match_itself_is_not_for_features(matches, probe):
    priced = matches.assign(odds_home=np.arange(len(matches), dtype="float32"))

    def build(some):
        return pd.DataFrame({"leak": own_price(some), "honest": some["tier"]})

    day = priced["date"].iloc[500]
    found = probe(priced, build, build(priced), [day])
    assert {leak.column for leak in found} == {"leak"}


def test_only_what_is_known_later_is_dealt_out_anew(matches):
    day = matches["date"].iloc[500]
    again = scrambled_future(matches, day, seed=1)
    later = matches["date"] >= day
    pd.testing.assert_frame_equal(again[list(FACTS)], matches[list(FACTS)])
    pd.testing.assert_frame_equal(again[~later], matches[~later])
    for name in AFTERWARDS:
        assert sorted(again[name][later].dropna()) == sorted(matches[name][later].dropna())
    assert (goals(again)[later] != goals(matches)[later]).any()


def test_on_the_morning_of_a_day_its_results_are_not_there_and_nothing_later_is(matches):
    day = matches["date"].iloc[500]
    known = as_of(matches, day)
    assert known["date"].max() == day
    assert known.loc[known["date"] == day, "home_goals"].isna().all()
    pd.testing.assert_frame_equal(known[known["date"] < day], matches[matches["date"] < day])


def test_no_result_stays_with_its_match_where_there_is_another_to_give_it_to(matches):
    marked = matches.assign(home_goals=np.arange(len(matches), dtype="float32"))
    again = shuffled_results(marked, seed=1)
    alone = marked.groupby(GROUP)["season"].transform("size") == 1
    moved = again["home_goals"] != marked["home_goals"]
    assert (moved == ~alone).all()
    by_day = [frame.groupby(GROUP)["home_goals"].agg(sorted) for frame in (again, marked)]
    pd.testing.assert_series_equal(*by_day)


def test_the_stability_index_is_as_worked_out_by_hand():
    before, after = pd.Series([0.0, 1.0] * 50), pd.Series([0.0] * 20 + [1.0] * 80)
    expected = (0.2 - 0.5) * np.log(0.2 / 0.5) + (0.8 - 0.5) * np.log(0.8 / 0.5)
    assert stability_index(before, after) == pytest.approx(expected, abs=1e-3)
    assert stability_index(before, before) == 0
    unknown = pd.Series([np.nan] * 50 + [0.0, 1.0] * 25)
    assert stability_index(before, unknown) > 0.25
