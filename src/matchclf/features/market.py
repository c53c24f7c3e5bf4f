"""Ratings that follow bookmakers: what the prices of past matches said about both teams."""

import numpy as np
import pandas as pd

from matchclf.features.facts import Floats, known_somewhere
from matchclf.features.parameters import NotNegative, Positive, Share
from matchclf.features.ratings import Plan, rated
from matchclf.features.strengths import Pace

_PRICES = ["odds_home", "odds_draw", "odds_away"]
# Chance of a win over that of a draw, as a start for divisions never seen.
_TYPICAL = {"market": 1.5}


@rated
def market(  # noqa: PLR0913 - one keyword a setting, so that the signature says what conf/ may set
    matches: pd.DataFrame,
    *,
    noise: Positive,
    drift: NotNegative,
    season_drift: NotNegative,
    start_variance: Positive,
    season_regression: Share,
    tier_gap: NotNegative,
    newcomer_gap: NotNegative,
) -> Plan:
    """Ratings of both teams by the prices of matches before the day of the match; its own prices are not looked at.

    Each team's chance of a win over that of a draw takes the place of goals: prices of the past know more than results
    (Wunderlich and Memmert, 2018). A match without prices moves nothing; if no match has any, there are no columns.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap : float
        As in ``strengths.Pace``.

    Returns
    -------
    pd.DataFrame
        ``market_expected_<home|away|diff>``, ``market_attack_...``, ``market_defence_...`` and
        ``market_variance_<home|away>`` on the log scale; float32, one row a match; NaN where no match of the
        division had prices before.
    """
    pace = Pace(noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap)
    return Plan(known_somewhere(matches, {"market": _win_over_draw(matches)}), _TYPICAL, pace)


def _win_over_draw(matches: pd.DataFrame) -> Floats:
    """Chance of a home win, and of an away win, over that of a draw, shape (2, n): margins cancel."""
    home, draw, away = matches[_PRICES].to_numpy(np.float64).T
    odds: Floats = draw / np.stack([home, away])
    return odds
