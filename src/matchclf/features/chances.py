"""Chances: ratings of attack and defence that follow shots and corners."""

import pandas as pd

from matchclf.features.facts import known_somewhere, views
from matchclf.features.parameters import NotNegative, Positive, Share
from matchclf.features.ratings import Plan, rated
from matchclf.features.strengths import Pace

# What a team has in a match, as a start for divisions never seen.
_TYPICAL = {"shots": 12.0, "corners": 5.0}


@rated
def chances(  # noqa: PLR0913 - one keyword a setting, so that the signature says what conf/ may set
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
    """Ratings of attack and defence by shots and by corners, before the day of the match.

    A match without a statistic moves none of its ratings. A statistic that no match has gives no columns.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap : float
        As in ``strengths.Pace``.

    Returns
    -------
    pd.DataFrame
        For each statistic ``<statistic>_expected_<home|away|diff>``, ``..._attack_...``, ``..._defence_...`` and
        ``..._variance_<home|away>`` on the log scale; float32, one row a match; NaN where no match of the division
        had the statistic before.
    """
    pace = Pace(noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap)
    return Plan(known_somewhere(matches, {name: views(matches, name) for name in _TYPICAL}), _TYPICAL, pace)
