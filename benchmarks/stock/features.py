"""The columns of all families as they are usually made: pandas groupby and rolling, and ratings in a loop over rows.

The same columns with nearly the same values: here a match also sees earlier rows of its own day.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from stock.ratings import count_columns, elo_columns

SIDES = ("home", "away")
Means = Callable[[pd.DataFrame, list[str], list[str], int], pd.DataFrame]
KNOWN = ["win", "draw", "loss", "points", "goals_for", "goals_against"]
SHOTS = ["shots_for", "shots_against", "shots_on_target_for", "shots_on_target_against"]


def build(matches: pd.DataFrame, families: dict, idiom: str) -> pd.DataFrame:
    """``idiom``: transform, group by group, as most write it; or rolling, all groups at once."""
    means = {"transform": transformed, "rolling": rolling}[idiom]
    matches = matches.sort_values("date", kind="stable")
    long = long_table(matches)
    made = [
        form(long, families["form"]["windows"], means),
        h2h(long, families["h2h"]["window"], means),
        rest(long, families["rest"]["cap_days"]),
        season(matches, long, families["season"]["prior_matches"]),
        elo_columns(matches, families["elo"]),
        count_columns(matches, families),
    ]
    return pd.concat(made, axis=1).astype(np.float32)


def long_table(matches: pd.DataFrame) -> pd.DataFrame:
    """One row a match and team, the home team's first."""
    parts = []
    for side, other in (SIDES, SIDES[::-1]):
        part = matches[["date", "season", "tier"]].copy()
        part["side"] = side
        part["team"] = matches["country"] + "/" + matches[f"{side}_team"]
        part["opponent"] = matches["country"] + "/" + matches[f"{other}_team"]
        for name in ("goals", "shots", "shots_on_target"):
            part[f"{name}_for"] = matches[f"{side}_{name}"].astype(float)
            part[f"{name}_against"] = matches[f"{other}_{name}"].astype(float)
        parts.append(part)
    long = pd.concat(parts).rename_axis("match").reset_index().sort_values(["date", "match"], kind="stable")
    long["goal_diff"] = long["goals_for"] - long["goals_against"]
    long["win"], long["draw"], long["loss"] = (long["goal_diff"] > 0), (long["goal_diff"] == 0), (long["goal_diff"] < 0)
    long["points"] = 3.0 * long["win"] + long["draw"]
    return long.reset_index(drop=True)


def rolling(long: pd.DataFrame, by: list[str], columns: list[str], window: int) -> pd.DataFrame:
    """Means over the last rows of a group before each row."""
    numbers = long[columns].astype(float)
    grouped = numbers.groupby([long[one] for one in by])
    means = grouped.rolling(window, min_periods=1, closed="left").mean()
    return means.droplevel(list(range(len(by)))).sort_index()


def transformed(long: pd.DataFrame, by: list[str], columns: list[str], window: int) -> pd.DataFrame:
    """The same means, group by group."""
    numbers = long[columns].astype(float)
    grouped = numbers.groupby([long[one] for one in by])
    return grouped.transform(lambda values: values.shift().rolling(window, min_periods=1).mean())


def wide(long: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Columns of both sides and their difference, one row a match."""
    home, away = (
        columns[(long["side"] == side).to_numpy()].set_index(long["match"][long["side"] == side]) for side in SIDES
    )
    parts = [home.add_suffix("_home"), away.add_suffix("_away"), (home - away).add_suffix("_diff")]
    return pd.concat(parts, axis=1)


def form(long: pd.DataFrame, windows: list[int], means: Means) -> pd.DataFrame:
    columns = KNOWN + [name for name in SHOTS if long[name].notna().any()]
    made = [means(long, ["team"], columns, window).add_suffix(f"_mean_{window}") for window in windows]
    return wide(long, pd.concat(made, axis=1))


def h2h(long: pd.DataFrame, window: int, means: Means) -> pd.DataFrame:
    past = means(long, ["team", "opponent"], ["points", "goal_diff"], window)
    met = long.groupby(["team", "opponent"]).cumcount().clip(upper=window)
    found = wide(long, past.add_prefix("h2h_").add_suffix("_mean"))
    found = found.drop(columns=["h2h_goal_diff_mean_away", "h2h_goal_diff_mean_diff"])
    found = found.rename(columns={"h2h_goal_diff_mean_home": "h2h_goal_diff_mean"})
    at_home = long["side"] == "home"
    return found.assign(h2h_matches=met[at_home].set_axis(long["match"][at_home]))


def rest(long: pd.DataFrame, cap_days: int) -> pd.DataFrame:
    days = long.groupby("team")["date"].diff().dt.days.clip(upper=cap_days)
    return wide(long, days.to_frame("rest_days"))


def season(matches: pd.DataFrame, long: pd.DataFrame, prior: float) -> pd.DataFrame:
    grouped = long.groupby(["team", "season"])
    count = grouped.cumcount()
    so_far = pd.DataFrame({"season_matches": count})
    for name, average in (("points", 1.37), ("goal_diff", 0.0)):
        total = grouped[name].cumsum() - long[name]
        so_far[f"season_{name}_mean"] = (total + average * prior) / (count + prior)
    tiers = grouped["tier"].first().groupby("team").shift()
    before = long.join(tiers.rename("tier_before"), on=["team", "season"])["tier_before"]
    so_far["season_tier_change"] = long["tier"] - before
    return wide(long, so_far).assign(season_tier=matches["tier"], season_month=matches["date"].dt.month)
