import hashlib
import math
import os
import subprocess
import sys
import time
from collections import defaultdict, deque
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from matchclf.config import World
from matchclf.data.schema import COLUMNS, ODDS, ORDER, conform, outcome
from matchclf.data.synthetic import make_world

PROBA = ["prob_home", "prob_draw", "prob_away"]
SMALL = World(countries=2, teams_per_division=6, promoted=1, last_season=2004)
# Nothing but home advantage and form: truth follows from the results alone.
EQUAL = replace(SMALL, strength_spread=0.0, drift=0.0, tier_gap=0.0, form_effect=0.0, h2h_effect=0.0)


@pytest.fixture(scope="module")
def league() -> tuple[pd.DataFrame, pd.DataFrame]:
    return make_world(World())


def log_loss(matches: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    happened = outcome(matches["home_goals"], matches["away_goals"]).to_numpy()
    return -np.log(truth[PROBA].to_numpy()[np.arange(len(truth)), happened])


def proba_by_counting(home_rate: float, away_rate: float) -> list[float]:
    def pmf(rate: float) -> list[float]:
        return [math.exp(-rate) * rate**k / math.factorial(k) for k in range(50)]

    home, away = pmf(home_rate), pmf(away_rate)
    total = [0.0, 0.0, 0.0]
    for i in range(50):
        for j in range(50):
            total[0 if i > j else 1 if i == j else 2] += home[i] * away[j]
    return total


def test_matches_follow_the_schema_and_are_complete_but_for_odds(league):
    matches, _ = league
    pd.testing.assert_frame_equal(matches, conform(matches))
    assert {name: str(kind) for name, kind in matches.dtypes.items()} == {c.name: c.dtype for c in COLUMNS}
    assert sorted(matches.columns[matches.isna().any()]) == sorted(ODDS)
    assert set(matches["odds_source"]) == {""}
    assert not matches["neutral"].any()
    assert not matches.duplicated(ORDER).any()


def test_the_default_world_has_these_seasons_and_divisions(league):
    matches, _ = league
    seasons = [f"{year}/{(year + 1) % 100:02d}" for year in range(2000, 2026)]
    assert sorted(set(matches["season"])) == seasons
    assert sorted(set(matches["division"])) == [
        "ALV1", "ALV2", "BOR1", "BOR2", "CES1", "CES2", "DOR1", "DOR2",
    ]  # fmt: skip
    assert set(matches.groupby(["season", "division"]).size()) == {18 * 17}
    assert (matches["division"] == matches["country"].str[:3].str.upper() + matches["tier"].astype(str)).all()
    started = matches["date"].dt.year - (matches["date"].dt.month < 7)
    assert (matches["season"].str[:4].astype(int) == started).all()


def test_every_team_meets_every_other_of_its_division_home_and_away_and_rests_two_days(league):
    matches, _ = league
    keys = ["season", "division", "home_team", "away_team"]
    assert not matches.duplicated(keys).any()
    assert set(matches.groupby(keys[:3]).size()) == {17}
    sides = [matches[["country", "date", f"{side}_team"]].set_axis([0, 1, 2], axis=1) for side in ("home", "away")]
    days = pd.concat(sides).sort_values([0, 2, 1]).groupby([0, 2])[1].diff().dt.days
    assert days.min() == 2


def test_truth_has_the_rows_of_the_matches_and_probabilities_that_sum_to_one(league):
    matches, truth = league
    keys = ["date", "country", "home_team", "away_team"]
    assert truth.columns.tolist() == [*keys, *PROBA]
    pd.testing.assert_frame_equal(truth[keys], matches[keys])
    assert set(truth[PROBA].dtypes.astype(str)) == {"float64"}
    np.testing.assert_allclose(truth[PROBA].sum(axis=1), 1, atol=1e-14)


def test_equal_teams_have_the_same_known_probabilities_in_every_match():
    world = replace(EQUAL, goals_per_match=2.7, home_advantage=0.3, shared_goals=0.1)
    _, truth = make_world(world)
    unit = 2.5 / (math.exp(0.15) + math.exp(-0.15))
    expected = proba_by_counting(unit * math.exp(0.15), unit * math.exp(-0.15))
    np.testing.assert_allclose(truth[PROBA], np.tile(expected, (len(truth), 1)), atol=1e-12)


def test_form_is_the_mean_of_points_above_expectation_over_the_last_five_matches():
    world = replace(EQUAL, form_effect=0.3)
    matches, truth = make_world(world)
    rate = (world.goals_per_match - 2 * world.shared_goals) / (2 * math.cosh(world.home_advantage / 2))
    base = (rate * math.exp(world.home_advantage / 2), rate * math.exp(-world.home_advantage / 2))
    home, draw, away = proba_by_counting(*base)
    promised = (3 * home + draw, 3 * away + draw)
    last = defaultdict(lambda: deque([0.0] * 5, maxlen=5))
    for match, known in zip(matches.itertuples(), truth[PROBA].to_numpy(), strict=True):
        teams = [(match.country, match.home_team), (match.country, match.away_team)]
        form = [sum(last[team]) / 5 for team in teams]
        rates = [base[k] * math.exp(0.3 * form[k]) for k in (0, 1)]
        np.testing.assert_allclose(known, proba_by_counting(*rates), atol=1e-12)
        difference = match.home_goals - match.away_goals
        won = (3, 0) if difference > 0 else (1, 1) if difference == 0 else (0, 3)
        for k in (0, 1):
            last[teams[k]].append(won[k] - promised[k])


def test_a_pair_effect_lasts_and_helps_one_as_much_as_it_hurts_the_other():
    _, truth = make_world(replace(EQUAL, home_advantage=0.0, h2h_effect=0.3))
    first = truth["home_team"] < truth["away_team"]
    pair = (
        truth["country"] + truth[["home_team", "away_team"]].min(axis=1) + truth[["home_team", "away_team"]].max(axis=1)
    )
    seen = truth["prob_home"].where(first, truth["prob_away"])
    assert seen.groupby(pair).agg(np.ptp).max() < 1e-12
    assert seen.groupby(pair).first().std() > 0.1


def test_switching_effects_off_keeps_the_schedule_the_names_and_nearly_all_first_goals():
    on, on_truth = make_world(replace(SMALL, form_effect=0.12, h2h_effect=0.1))
    off, _ = make_world(replace(SMALL, form_effect=0.0, h2h_effect=0.0))
    first = on["season"] == "2000/01"
    keys = [*ORDER, "season", "tier"]
    pd.testing.assert_frame_equal(on.loc[first, keys], off.loc[first, keys])
    goals = ["home_goals", "away_goals"]
    same = (on.loc[first, goals] == off.loc[first, goals]).all(axis=1)
    assert 0.7 < same.mean() < 1
    no_form, no_form_truth = make_world(replace(SMALL, form_effect=0.0, h2h_effect=0.1))
    opening = first & (on["date"] <= on["date"].min() + pd.Timedelta(days=3))
    assert opening.sum() == 12
    pd.testing.assert_frame_equal(on.loc[opening, [*keys, *goals]], no_form.loc[opening, [*keys, *goals]])
    pd.testing.assert_frame_equal(on_truth[opening], no_form_truth[opening])


def test_promotion_and_relegation_follow_the_final_tables(league):
    matches, _ = league
    rows = []
    for side, other in (("home", "away"), ("away", "home")):
        scored, conceded = matches[f"{side}_goals"], matches[f"{other}_goals"]
        rows.append(
            pd.DataFrame(
                {
                    "season": matches["season"],
                    "tier": matches["tier"].astype(int),
                    "team": matches["country"] + " " + matches[f"{side}_team"],
                    "country": matches["country"],
                    "rank": ((scored > conceded) * 3 + (scored == conceded)) * 1e6 + (scored - conceded) * 1e3 + scored,
                }
            )
        )
    tables = pd.concat(rows).groupby(["season", "country", "tier", "team"])["rank"].sum()
    seasons = sorted(set(matches["season"]))
    known = set(tables[seasons[0]].index.get_level_values("team"))
    for before, after in pairwise(seasons):
        tier_after = tables[after].reset_index().set_index("team")["tier"]
        for (_, tier), table in tables[before].groupby(level=["country", "tier"]):
            moved = tier_after.reindex(table.index.get_level_values("team")).fillna(3).to_numpy() - tier
            up, stay, down = (table.to_numpy()[moved == step] for step in (-1, 0, 1))
            assert (len(up), len(stay), len(down)) == (3 if tier == 2 else 0, 15 if tier == 1 else 12, 3)
            assert max(down) <= min(stay)
            assert tier == 1 or min(up) >= max(stay)
        newcomers = set(tier_after.index) - set(tables[before].index.get_level_values("team"))
        assert len(newcomers) == 12
        assert not newcomers & known
        assert set(tier_after[list(newcomers)]) == {2}
        known |= newcomers


def test_statistics_agree_with_the_goals(league):
    matches, _ = league
    for side in ("home", "away"):
        assert (matches[f"{side}_goals"] <= matches[f"{side}_shots_on_target"]).all()
        assert (matches[f"{side}_shots_on_target"] <= matches[f"{side}_shots"]).all()
        assert (matches[f"{side}_half_time_goals"] <= matches[f"{side}_goals"]).all()
    shots = matches["home_shots"] - matches["away_shots"]
    _, truth = league
    assert np.corrcoef(shots, truth["prob_home"] - truth["prob_away"])[0, 1] > 0.3


def test_the_default_world_looks_like_football():
    home, draws, goals, losses, priors = [], [], [], [], []
    for seed in (1, 2, 3):
        matches, truth = make_world(World(seed=seed))
        share = outcome(matches["home_goals"], matches["away_goals"]).value_counts(normalize=True)
        home.append(share[0])
        draws.append(share[1])
        goals.append((matches["home_goals"] + matches["away_goals"]).mean())
        losses.append(log_loss(matches, truth).mean())
        priors.append(-(share * np.log(share)).sum())
    assert 0.43 < np.mean(home) < 0.46
    assert 0.25 < np.mean(draws) < 0.27
    assert 2.65 < np.mean(goals) < 2.75
    assert 0.975 < np.mean(losses) < 1.0
    assert 1.065 < np.mean(priors) < 1.075


@pytest.mark.parametrize("effects", [(0.12, 0.1), (0.0, 0.0), (0.4, 0.3)])
def test_the_truth_is_calibrated(effects: tuple[float, float]):
    form_effect, h2h_effect = effects
    matches, truth = make_world(World(seed=7, form_effect=form_effect, h2h_effect=h2h_effect))
    proba = truth[PROBA].to_numpy()
    surprise = log_loss(matches, truth) + (proba * np.log(proba)).sum(axis=1)
    assert abs(surprise.mean()) < 3.5 * surprise.std() / math.sqrt(len(surprise))
    happened = outcome(matches["home_goals"], matches["away_goals"]).to_numpy()
    for k in range(3):
        miss = (happened == k) - proba[:, k]
        for part in np.array_split(np.argsort(proba[:, k]), 10):
            assert abs(miss[part].mean()) < 4 * miss[part].std() / math.sqrt(len(part))


def test_an_effect_lowers_the_best_possible_log_loss():
    quiet = World(form_effect=0.0, h2h_effect=0.0)
    plain, form, pairs = (
        log_loss(*make_world(world)).mean()
        for world in (quiet, replace(quiet, form_effect=0.4), replace(quiet, h2h_effect=0.25))
    )
    assert form < plain - 0.015
    assert pairs < plain - 0.03


DIGEST = """
import hashlib, pandas as pd
from matchclf.config import World
from matchclf.data.synthetic import make_world
tables = make_world(World(countries=2, teams_per_division=6, promoted=1, last_season=2004))
print(hashlib.sha256(b"".join(pd.util.hash_pandas_object(t).to_numpy().tobytes() for t in tables)).hexdigest())
"""


def test_the_same_settings_give_the_same_bits_in_another_process_and_another_seed_does_not():
    here = [hashlib.sha256(), hashlib.sha256()]
    for digest, world in zip(here, (SMALL, replace(SMALL, seed=2)), strict=True):
        for table in make_world(world):
            digest.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
    environment = os.environ | {"PYTHONHASHSEED": "17", "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here[0].hexdigest() != here[1].hexdigest()


def test_the_default_world_takes_less_than_two_seconds():
    started = time.process_time()
    make_world(World())
    assert time.process_time() - started < 2
