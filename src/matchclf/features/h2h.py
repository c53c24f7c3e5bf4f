"""Head-to-head: what happened when the same two teams met before, at any ground."""

import numpy as np
import pandas as pd

from matchclf.features.facts import days, played, points, teams, views
from matchclf.features.history import History, sided, table
from matchclf.features.parameters import Count


def h2h(matches: pd.DataFrame, *, window: Count) -> pd.DataFrame:
    """Results of the last meetings of the two teams before the day of the match.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    window : int
        Number of meetings looked back.

    Returns
    -------
    pd.DataFrame
        ``h2h_matches``, the meetings found in the window; ``h2h_points_mean_home`` and ``_away`` in [0, 3],
        their ``_diff``; ``h2h_goal_diff_mean`` in the view of the team at home now; float32, one row a match;
        means are NaN where the teams never met.
    """
    day, team, goals = days(matches), teams(matches), views(matches, "goals")
    team_and_opponent = team * (team.max(initial=0) + 1) + team[::-1]
    past = History.of(team_and_opponent, day, played(matches))
    first, stop = window_of = past.last(window)
    goal_diff = goals - goals[::-1]
    columns = {
        "h2h_matches": (stop - first)[0].astype(np.float64),
        **sided("h2h_points_mean", past.mean(points(goal_diff), window_of)),
        "h2h_goal_diff_mean": past.mean(goal_diff, window_of)[0],
    }
    return table(columns, matches.index)
