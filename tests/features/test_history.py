import numpy as np
import pandas as pd

from features.leagues import match, random_league, table
from matchclf.features.facts import days, played, points, teams
from matchclf.features.history import History, exact, sided
from matchclf.features.walk import rounds

NAN = float("nan")


def one_team(*day: int, asked: tuple[int, ...] = (0,)) -> History:
    """History of subject 7, with entries on some days and views that do not count on those asked for."""
    days_of_views, counts = np.array([*day, *asked]), np.arange(len(day) + len(asked)) < len(day)
    return History.of(np.full((2, counts.size), 7), days_of_views, np.stack([counts, np.zeros_like(counts)]))


def look_back(history: History, size: int, asked: int) -> list[tuple[int, int]]:
    """The windows of the views that were asked for."""
    first, stop = history.last(size)
    return list(zip(first[0, -asked:].tolist(), stop[0, -asked:].tolist(), strict=True))


def test_only_days_before_the_asked_one_are_seen():
    history = one_team(1, 3, 3, 8, asked=(0, 1, 2, 3, 4, 8, 9))
    assert [stop for _, stop in look_back(history, 9, asked=7)] == [0, 0, 1, 1, 3, 3, 4]
    assert history.before(np.full(7, 7), np.array([0, 1, 2, 3, 4, 8, 9])).tolist() == [0, 0, 1, 1, 3, 3, 4]


def test_a_window_never_cuts_a_day():
    history = one_team(1, 3, 3, 8, asked=(9,))
    windows = [look_back(history, size, asked=1) for size in (1, 2, 3, 4, 5)]
    assert windows == [[(3, 4)], [(1, 4)], [(1, 4)], [(0, 4)], [(0, 4)]]


def test_a_window_may_end_elsewhere():
    history = one_team(1, 3, 3, 8, asked=(9,))
    first, stop = history.last(1, np.full((2, 5), 3))
    assert (first[0].tolist(), stop[0].tolist()) == ([1] * 5, [3] * 5)


def test_subjects_do_not_see_each_other():
    day = np.array([5, 6, 100, 100, 100])
    subject = np.array([[1, 1, 0, 1, 2], [2, 3, 3, 4, -1]])
    first, stop = History.of(subject, day, day < 100).last(10)
    assert (stop - first)[:, 2:].tolist() == [[0, 2, 1], [1, 0, 0]]


def test_the_last_day_is_that_of_the_entry_before():
    asked = (-4, 3, 4, 8, 90)
    found = one_team(-4, 3, 3, 8, asked=asked).last_day()[0, -len(asked) :]
    np.testing.assert_array_equal(found, [NAN, -4, 3, 3, 8])


def test_a_mean_leaves_unknown_values_out():
    history = one_team(1, 2, 3)
    values = np.array([[4.0, NAN, 1.0, 99.0], [99.0, 99.0, 99.0, 99.0]])
    window = (np.array([0, 0, 1, 0]), np.array([3, 2, 2, 0]))
    np.testing.assert_array_equal(history.mean(values, window), [2.5, 4.0, NAN, NAN])


def test_exact_sums_are_the_same_in_any_order():
    values = exact(np.random.default_rng(1).normal(0, 1500, 5_000))
    assert values.sum() == np.sort(values).sum() == np.cumsum(values[::-1])[-1]
    assert np.abs(values - np.random.default_rng(1).normal(0, 1500, 5_000)).max() <= 2**-21


def test_a_team_is_its_country_and_its_name():
    rows = table(match(1, "a", "b", (1, 0)), match(2, "b", "a", (1, 0)), match(3, "a", "b", (1, 0), country="Y"))
    home, away = teams(rows)
    assert (home[0], away[0]) == (away[1], home[1])
    assert len({home[0], away[0], home[2], away[2]}) == 4


def test_teams_are_told_apart_like_pairs_of_country_and_name():
    rows = random_league(9)
    codes = teams(rows)
    names = [list(zip(rows["country"], rows[f"{side}_team"], strict=True)) for side in ("home", "away")]
    seen = {(name, code) for pair in zip(names, codes.tolist(), strict=True) for name, code in zip(*pair, strict=True)}
    assert len(seen) == len({name for name, _ in seen}) == len({code for _, code in seen})


def test_days_are_counted_in_any_resolution_of_time():
    dates = pd.to_datetime(["1872-11-30", "1969-12-31", "1970-01-01", "2026-07-01"])
    expected = [-35460, -1, 0, 20635]
    for unit in ("s", "ms", "us", "ns"):
        assert days(pd.DataFrame({"date": dates.as_unit(unit)})).tolist() == expected


def test_days_are_numbered_country_by_country():
    days_of = {"A": ["2020-08-02", "2020-08-01", "2020-08-02", "2020-09-01"], "B": ["2021-01-05", "2020-08-02"]}
    rows = [(country, pd.Timestamp(day)) for country, listed in days_of.items() for day in listed]
    assert rounds(pd.DataFrame(rows, columns=["country", "date"])).tolist() == [1, 0, 1, 2, 1, 0]


def test_a_match_without_one_of_its_goals_is_not_played():
    rows = table(match(1, "a", "b", (1, 0)), match(2, "a", "b", None), match(3, "a", "b", (1, NAN)))
    assert played(rows).tolist() == [True, False, False]


def test_a_win_gives_three_points_and_a_draw_one():
    assert points(np.array([2.0, 0.0, -1.0, NAN])).tolist() == [3.0, 1.0, 0.0, 0.0]


def test_sided_columns_are_home_away_and_home_minus_away():
    columns = sided("rest_days", np.array([[3.0, NAN], [7.0, 1.0]]))
    assert list(columns) == ["rest_days_home", "rest_days_away", "rest_days_diff"]
    np.testing.assert_array_equal(list(columns.values()), [[3, NAN], [7, 1], [-4, NAN]])
