"""Elo ratings: a team's strength in points, moved by the surprise of each result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from scipy.special import expit

from matchclf.features.facts import Bools, Floats, Ints, codes, played, teams, views
from matchclf.features.history import exact, inverse, ratio, table
from matchclf.features.parameters import NotNegative, Number, Positive, Share, one_of
from matchclf.features.walk import rounds, slices

# How much more a win by several goals moves the ratings than a win by one.
MARGINS: dict[str, Callable[[Floats], Floats]] = {
    "none": np.ones_like,
    "log": lambda gap: 1 + np.log(np.maximum(gap, 1)),
    # World Football Elo Ratings (eloratings.net): 1, 1.5 for two goals, (11 + gap) / 8 for more.
    "world_football": lambda gap: np.where(gap > 2, (11 + gap) / 8, np.where(gap == 2, 1.5, 1.0)),
}
_NEVER = -1
# What the home team gains the away team loses.
_GAINS = np.array([1.0, -1.0])


@dataclass(frozen=True)
class _Sides:
    """The teams of each match, by round, then season and division; shape (n, 2), or (n, 1) if alike for both.

    ``learner`` is the team again, or one past the last team where there is no result to learn from; ``floor``
    and ``gap`` are the points at which a new team starts in a new division, and below the mean of an old one.
    """

    round: Ints  # shape (n,)
    team: Ints
    learner: Ints
    season: Ints
    division: Ints
    floor: Floats
    gap: Floats
    divisions: int


@dataclass(frozen=True)
class _Seen:
    """Rating of each team, season and division it was last seen in; these arrays move with the rounds."""

    rating: Floats
    season: Ints
    division: Ints


def elo(  # noqa: PLR0913 - one keyword a setting, so that the signature says what conf/ may set
    matches: pd.DataFrame,
    *,
    k: Positive,
    margin: Annotated[str, one_of(*MARGINS)],
    home_advantage: NotNegative,
    scale: Positive,
    season_regression: Share,
    start: Number,
    tier_gap: NotNegative,
    newcomer_gap: NotNegative,
) -> pd.DataFrame:
    """Elo ratings of both teams before the day of the match (Elo, 1978).

    All matches of a day see the ratings of the evening before, and a team's points of one day are added up.
    A division's mean is over the teams last seen there, so that no fixture list of the future is needed.
    That a high win says more than a narrow one is from Hvattum and Arntzen (2010).

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    k : float
        Points that a win against all expectation is worth.
    margin : str
        Factor on ``k`` by goal difference: none, log (1 + its logarithm) or world_football.
    home_advantage : float
        Points added to the home team's rating, except at neutral venues.
    scale : float
        Lead in points that gives an expected score of 10/11.
    season_regression : float
        Share of the way back to the mean of its last division that a team goes when its season changes.
    start : float
        First rating in points of first-tier teams while their division has no rated team.
    tier_gap : float
        Points by which each lower tier starts lower.
    newcomer_gap : float
        Points below the mean of its division at which a new team starts after the division's first season.

    Returns
    -------
    pd.DataFrame
        ``elo_home``, ``elo_away`` and, with home advantage, ``elo_diff`` in points;
        ``elo_expected_home``, the home team's expected score (win 1, draw 0.5) in [0, 1]; float32, one row a match.
    """
    order, sides = _sides(matches, start, tier_gap, newcomer_gap)
    goal_diff = np.subtract(*views(matches, "goals"))[order]
    gain = k * MARGINS[margin](np.abs(np.nan_to_num(goal_diff)))
    score = (1 + np.sign(np.nan_to_num(goal_diff))) / 2
    advantage = np.where(matches["neutral"].to_numpy(bool), 0.0, home_advantage)[order]
    seen = _nothing_seen(int(sides.team.max(initial=-1)) + 2)
    ratings, lead, expected = np.empty(sides.team.shape), np.empty(len(matches)), np.empty(len(matches))
    for rows in slices(sides.round):
        ratings[rows] = _before(seen, sides, rows, season_regression)
        lead[rows] = ratings[rows, 0] - ratings[rows, 1] + advantage[rows]
        expected[rows] = expit(lead[rows] * np.log(10) / scale)
        gained = exact(gain[rows] * (score[rows] - expected[rows]))
        _learn(seen, sides, rows, ratings[rows], gained)
    columns = {
        "elo_home": ratings[:, 0],
        "elo_away": ratings[:, 1],
        "elo_diff": lead,
        "elo_expected_home": expected,
    }
    back = inverse(order)
    return table({name: values[back] for name, values in columns.items()}, matches.index)


def _before(seen: _Seen, sides: _Sides, rows: slice, season_regression: float) -> Floats:
    """Ratings of a round's teams, shape (matches, 2), from what was seen before it."""
    team, division = sides.team[rows], sides.division[rows]
    rating, season = seen.rating[team], seen.season[team]
    if (season == sides.season[rows]).all():
        return rating
    level = _level(seen, sides.divisions)
    regressed = rating + season_regression * (level[seen.division[team]] - rating)
    first = np.where(np.isnan(level[division]), sides.floor[rows], level[division] - sides.gap[rows])
    old = np.where(season == sides.season[rows], rating, regressed)
    return exact(np.where(season == _NEVER, first, old))


def _level(seen: _Seen, divisions: int) -> Floats:
    """Mean rating of the teams last seen in each division; NaN where there are none."""
    division, rating = seen.division[:-1], seen.rating[:-1]
    known = division != _NEVER
    total = np.bincount(division[known], rating[known], divisions)
    return ratio(total, np.bincount(division[known], minlength=divisions))


def _learn(seen: _Seen, sides: _Sides, rows: slice, before: Floats, gained: Floats) -> None:
    """Move the ratings by a round's results; of several rows of a team, the last says season and division."""
    learner = sides.learner[rows]
    seen.season[learner] = sides.season[rows]
    seen.division[learner] = sides.division[rows]
    seen.rating[learner] = before
    np.add.at(seen.rating, learner, gained[:, None] * _GAINS)


def _sides(matches: pd.DataFrame, start: float, tier_gap: float, newcomer_gap: float) -> tuple[Ints, _Sides]:
    """Sort the matches by round, season and division; give the order, too, as positions in ``matches``."""
    number, team, has_result = rounds(matches), teams(matches), played(matches)
    season, division = codes(matches, "season"), codes(matches, "country", "division")
    order = np.lexsort((division, season, number))
    floor = start - tier_gap * (matches["tier"].to_numpy(np.float64) - 1)
    is_first = _is_first_season(season[order], division[order], has_result[order])
    sides = _Sides(
        round=number[order],
        team=team.T[order],
        learner=np.where(has_result, team, team.max(initial=-1) + 1).T[order],
        season=season[order, None],
        division=division[order, None],
        floor=floor[order, None],
        gap=np.where(is_first, 0.0, newcomer_gap)[:, None],
        divisions=int(division.max(initial=-1)) + 1,
    )
    return order, sides


def _is_first_season(season: Ints, division: Ints, has_result: Bools) -> Bools:
    """Which rows, sorted by round, are of the season in which their division has its first result."""
    divisions, at = np.unique(division[has_result], return_index=True)
    first = np.full(division.max(initial=-1) + 1, _NEVER)
    first[divisions] = season[has_result][at]
    is_first: Bools = season == first[division]
    return is_first


def _nothing_seen(size: int) -> _Seen:
    return _Seen(np.zeros(size), np.full(size, _NEVER), np.full(size, _NEVER))
