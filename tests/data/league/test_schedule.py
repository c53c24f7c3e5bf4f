from itertools import permutations

import numpy as np
import pytest

from matchclf.data.league.schedule import double_round_robin, match_days, round_days

EVEN = range(4, 41, 2)


def test_four_teams_meet_in_these_rounds():
    home, away = double_round_robin(4)
    rounds = [sorted(zip(*row, strict=True)) for row in (np.stack([home, away], axis=1)).tolist()]
    assert rounds == [
        [(0, 3), (1, 2)],
        [(2, 0), (3, 1)],
        [(0, 1), (2, 3)],
        [(2, 1), (3, 0)],
        [(0, 2), (1, 3)],
        [(1, 0), (3, 2)],
    ]


@pytest.mark.parametrize("teams", EVEN)
def test_every_team_plays_once_a_round_and_meets_every_other_at_home_once(teams: int):
    schedule = double_round_robin(teams)
    assert schedule.shape == (2, 2 * (teams - 1), teams // 2)
    for home, away in zip(*schedule, strict=True):
        assert sorted([*home, *away]) == list(range(teams))
    pairs = sorted(zip(*(side.ravel().tolist() for side in schedule), strict=True))
    assert pairs == sorted(permutations(range(teams), 2))


@pytest.mark.parametrize("teams", EVEN)
def test_nobody_plays_more_than_three_rounds_running_on_one_side(teams: int):
    home = double_round_robin(teams)[0]
    at_home = np.stack([(home == team).any(axis=1) for team in range(teams)])
    running = np.lib.stride_tricks.sliding_window_view(at_home, 4, axis=1).sum(axis=-1)
    assert running.min() > 0
    assert running.max() < 4


@pytest.mark.parametrize("teams", EVEN)
@pytest.mark.parametrize("year", [1999, 2000, 2023, 2025])
def test_a_season_is_spread_evenly_from_august_to_may_with_its_second_half_from_january(teams: int, year: int):
    rounds = 2 * (teams - 1)
    days, midweek = round_days(year, rounds)
    gaps = np.diff(days).astype(int)
    assert days.shape == (rounds,)
    assert np.datetime64(f"{year}-08-10") <= days[0] <= np.datetime64(f"{year}-09-30")
    assert np.datetime64(f"{year + 1}-04-01") <= days[-1] <= np.datetime64(f"{year + 1}-05-16")
    assert np.datetime64(f"{year}-12-20") < days[rounds // 2] < np.datetime64(f"{year + 1}-02-01")
    assert gaps.min() >= 3
    assert gaps.max() <= 7 * (-(-40 // (rounds - midweek.sum())))
    assert sorted(set(np.is_busday(days, weekmask="Sat")[~midweek].tolist())) == [True]
    assert np.is_busday(days[midweek], weekmask="Wed").all()


def test_a_weekend_runs_from_friday_to_monday_and_rounds_never_touch():
    days = match_days(np.random.default_rng(0), 2023, 78, 400)
    weekdays = (days.astype("datetime64[D]").astype(int) + 3) % 7
    shares = (np.bincount(weekdays.ravel(), minlength=7) / days.size).round(2).tolist()
    assert shares == [0.03, 0.0, 0.49, 0.0, 0.03, 0.24, 0.23]
    assert (days[1:].min(axis=1) - days[:-1].max(axis=1)).astype(int).min() == 2
