import math
from collections import defaultdict
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from matchclf.features.facts import views
from matchclf.features.ratings import rating_columns
from matchclf.features.strengths import Pace, forecast

NAN = float("nan")
PACE = Pace(
    noise=1.2,
    drift=0.002,
    season_drift=0.05,
    start_variance=0.1,
    season_regression=0.3,
    tier_gap=0.2,
    newcomer_gap=0.1,
)
START_VARIANCE = {"attack": 0.1, "defence": 0.1, "mean": 0.05, "edge": 0.02}
DRIFT = {"attack": 0.002, "defence": 0.002, "mean": 1e-5, "edge": 1e-6}
SUMMER = {"attack": 0.05, "defence": 0.05, "mean": 0.0, "edge": 0.0}
NAMES = [f"{name}_{side}" for name in ("log_count", "variance", "attack", "defence") for side in ("home", "away")]


class Term(NamedTuple):
    mean: float
    variance: float
    day: pd.Timestamp
    season: str
    place: tuple[str, str, str]


def slow_forecast(matches: pd.DataFrame, statistic: str, typical: float) -> pd.DataFrame:
    """One day after the other, one team after the other."""
    seen: dict[tuple[str, str, str], Term] = {}
    out = defaultdict(dict)
    ordered = matches.sort_values(["date", "season", "country", "division"]).itertuples()
    for _, day in groupby(ordered, key=lambda row: row.date):
        evening_before, seen = seen, dict(seen)
        precision, shift, moved = defaultdict(float), defaultdict(float), []
        for row in day:
            counts = {side: getattr(row, f"{side}_{statistic}") for side in ("home", "away")}
            for side, against in (("home", "away"), ("away", "home")):
                terms = slow_terms(row, side, against, evening_before, typical)
                log_count = sum(sign * term.mean for _, sign, term in terms)
                variance = sum(sign**2 * term.variance for _, sign, term in terms)
                known = terms[2][0] in evening_before
                out[row.Index][f"log_count_{side}"] = log_count if known else NAN
                out[row.Index][f"variance_{side}"] = variance if known else NAN
                out[row.Index][f"attack_{side}"] = terms[0][2].mean if known else NAN
                out[row.Index][f"defence_{against}"] = terms[1][2].mean if known else NAN
                if math.isnan(row.home_goals) or math.isnan(counts[side]):
                    continue
                expected = math.exp(log_count)
                for key, sign, term in terms:
                    others = PACE.noise / expected + variance - sign**2 * term.variance
                    precision[key] += sign**2 / others
                    shift[key] += sign * (counts[side] - expected) / expected / others
                    moved.append((key, term))
        for key, term in moved:
            after = 1 / (1 / term.variance + precision[key])
            seen[key] = term._replace(mean=term.mean + after * shift[key], variance=after)
    return pd.DataFrame.from_dict(out, orient="index").sort_index()[NAMES]


def slow_terms(row, side, against, seen, typical):
    team, other = getattr(row, f"{side}_team"), getattr(row, f"{against}_team")
    edge = 1 if side == "home" and not row.neutral else 0
    keys = [("attack", team, 1), ("defence", other, -1), ("mean", row.division, 1), ("edge", row.division, edge)]
    return [((kind, row.country, who), sign, slow_term(kind, who, row, seen, typical)) for kind, who, sign in keys]


def slow_term(kind, who, row, seen, typical):
    def level(place):
        means = [term.mean for term in seen.values() if term.place == place]
        return sum(means) / len(means) if means else None

    place = (kind, row.country, row.division)
    old = seen.get((kind, row.country, who))
    now = {"day": row.date, "season": row.season, "place": place}
    if old is None:
        floor = {"mean": math.log(typical), "edge": 0.3}.get(kind, -PACE.tier_gap * (row.tier - 1))
        start = floor if level(place) is None else level(place) - PACE.newcomer_gap
        return Term(start, START_VARIANCE[kind], **now)
    rested = min((row.date - old.day).days, 60)
    if old.season == row.season:
        return Term(old.mean, old.variance + DRIFT[kind] * rested, **now)
    mean = old.mean + PACE.season_regression * (level(old.place) - old.mean)
    return Term(mean, old.variance + DRIFT[kind] * rested + SUMMER[kind], **now)


@pytest.mark.parametrize(("statistic", "typical"), [("goals", 1.5), ("shots", 8.0)])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_ratings_are_those_of_the_slow_way(statistic, typical, seed):
    matches = random_league(seed)
    found = forecast(matches, views(matches, statistic)[:, :, None], [typical], [PACE])
    parts = np.concatenate([found.log_count, found.variance, found.attack, found.defence])[:, :, 0].T
    np.testing.assert_allclose(parts, slow_forecast(matches, statistic, typical), rtol=1e-4, atol=1e-4)


def test_statistics_side_by_side_do_not_touch_each_other():
    matches = random_league(1)
    counts = np.stack([views(matches, name) for name in ("goals", "shots")], axis=2)
    both = forecast(matches, counts, [1.5, 8.0], [PACE, PACE])
    alone = forecast(matches, counts[:, :, 1:], [8.0], [PACE])
    np.testing.assert_array_equal(both.log_count[:, :, 1:], alone.log_count)
    np.testing.assert_array_equal(both.variance[:, :, 1:], alone.variance)


def test_a_first_match_moves_attack_and_defence_by_its_surprise():
    rows = [match(1, "a", "b", (3, 1)), match(1, "c", "d", None), match(2, "a", "b", None)]
    matches = table(*rows)
    pace = Pace(1.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0)
    found = forecast(matches, views(matches, "goals")[:, :, None], [1.3], [pace])
    assert np.isnan(found.log_count[:, 0]).all()
    home, away = 1.3 * math.exp(0.3), 1.3
    total_home, total_away = 0.1 + 0.1 + 0.05 + 0.02 + 1 / home, 0.1 + 0.1 + 0.05 + 1 / away
    attack = [0.1 / total_home * (3 / home - 1), 0.1 / total_away * (1 / away - 1)]
    np.testing.assert_allclose(found.attack[:, 2, 0], attack, atol=1e-5)
    np.testing.assert_allclose(found.defence[:, 2, 0], [-attack[1], -attack[0]], atol=1e-5)


def test_columns_are_named_by_the_statistic():
    matches = table(match(1, "a", "b", (3, 1)), match(2, "a", "b", None))
    found = rating_columns("x", forecast(matches, views(matches, "goals")[:, :, None], [1.3], [PACE]), 0)
    parts = ["expected", "attack", "defence"]
    sides = ["home", "away", "diff"]
    names = [f"x_{part}_{side}" for part in parts for side in sides]
    assert list(found) == [*names, "x_variance_home", "x_variance_away"]
    assert found["x_attack_home"][1] > 0 > found["x_attack_away"][1]
    assert found["x_defence_away"][1] < 0 < found["x_defence_home"][1]
    assert found["x_expected_diff"][1] == found["x_expected_home"][1] - found["x_expected_away"][1]
