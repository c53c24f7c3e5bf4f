"""Season: how far it is, how a team does in it, and whether the team came from another tier."""

import numpy as np
import pandas as pd

from matchclf.features.facts import Floats, codes, days, played, points, teams, views
from matchclf.features.history import History, sided, table, team_history
from matchclf.features.parameters import Positive

# Points a match of an average team: what a team that has not played yet counts as.
_AVERAGE_POINTS = 1.37
_WHOLE_SEASON = 1_000


def season(matches: pd.DataFrame, *, prior_matches: Positive) -> pd.DataFrame:
    """Each team's matches of the season before the day of the match, its change of tier, tier and month.

    Means over few matches are drawn to those of an average team (James and Stein, 1961).

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed. Where there are no seasons, all is one season.
    prior_matches : float
        Number of average matches added to those of the season.

    Returns
    -------
    pd.DataFrame
        ``season_matches_<home|away|diff>``, the number so far; ``season_points_mean_...`` and
        ``season_goal_diff_mean_...``, with the average matches; ``season_tier_change_...``, the tier now less
        that of the team's last season, NaN in its first; ``season_tier``; ``season_month``; float32, one row a match.
    """
    day, team, has_result = days(matches), teams(matches), played(matches)
    label = codes(matches, "season")
    team_and_season = team * (label.max(initial=0) + 1) + label
    past = History.of(team_and_season, day, has_result)
    first, stop = so_far = past.last(_WHOLE_SEASON)
    count = (stop - first).astype(np.float64)
    goal_diff = np.subtract(*views(matches, "goals"))
    both = np.stack([goal_diff, -goal_diff])

    def mean(values: Floats, average: float) -> Floats:
        total = np.nan_to_num(past.mean(values, so_far)) * count + average * prior_matches
        return total / (count + prior_matches)

    everything = team_history(matches)
    before_it = everything.last(1, everything.before(team, past.first_day(so_far, day)))
    tier = matches["tier"].to_numpy(np.float64)
    columns = {
        **sided("season_matches", count),
        **sided("season_points_mean", mean(points(both), _AVERAGE_POINTS)),
        **sided("season_goal_diff_mean", mean(both, 0.0)),
        **sided("season_tier_change", tier - everything.mean(np.stack([tier, tier]), before_it)),
        "season_tier": tier,
        "season_month": matches["date"].dt.month.to_numpy(np.float64),
    }
    return table(columns, matches.index)
