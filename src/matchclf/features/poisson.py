"""Goals that both teams can expect, from an attack and a defence of each team that follow the scores."""

import numpy as np
import pandas as pd
from scipy.special import i0e

from matchclf.features.facts import views
from matchclf.features.history import Columns
from matchclf.features.parameters import NotNegative, Positive, Share
from matchclf.features.ratings import Plan, rated
from matchclf.features.strengths import Forecast, Pace

# What a team scores in a match, as a start for divisions never seen.
_TYPICAL = {"goals": 1.3}


@rated
def poisson(  # noqa: PLR0913 - one keyword a setting, so that the signature says what conf/ may set
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
    """Ratings of attack and defence before the day of the match, and the chance of a draw that follows.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap : float
        As in ``strengths.Pace``.

    Returns
    -------
    pd.DataFrame
        ``goals_expected_<home|away|diff>``, ``goals_attack_...``, ``goals_defence_...`` and
        ``goals_variance_<home|away>`` on the log scale; ``goals_draw``, the chance of a draw in [0, 1] if goals were
        two independent Poisson counts (Skellam, 1946); float32, one row a match; NaN on a division's first day.
    """
    pace = Pace(noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap)
    return Plan({"goals": views(matches, "goals")}, _TYPICAL, pace, _draw)


def _draw(found: Forecast) -> Columns:
    home, away = np.exp(found.log_count[:, :, 0])
    # Bessel function scaled by exp(-x), so that large counts do not overflow.
    draw = np.exp(-((np.sqrt(home) - np.sqrt(away)) ** 2)) * i0e(2 * np.sqrt(home * away))
    known = np.where(np.isnan(home), np.nan, draw)
    return {"goals_draw": known.astype(np.float32)}
