"""Rest: days since a team's last match."""

import numpy as np
import pandas as pd

from matchclf.features.facts import days
from matchclf.features.history import sided, table, team_history
from matchclf.features.parameters import Count


def rest(matches: pd.DataFrame, *, cap_days: Count) -> pd.DataFrame:
    """Days since each team's last match.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    cap_days : int
        Longest rest in days: whoever rested longer counts as this.

    Returns
    -------
    pd.DataFrame
        ``rest_days_home``, ``rest_days_away`` in [1, cap_days], ``rest_days_diff``; float32, one row a match;
        NaN before a team's first match.
    """
    rested = days(matches) - team_history(matches).last_day()
    return table(sided("rest_days", np.minimum(rested, cap_days)), matches.index)
