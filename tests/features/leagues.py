"""Small random leagues that hold everything awkward: days with several matches of a team, newcomers, team
names used in two countries, promoted teams, neutral venues, unknown shots and prices, matches still to come."""

import numpy as np
import pandas as pd

from matchclf.data.schema import ODDS, conform

DAY_ZERO = pd.Timestamp("2020-01-01")


def random_league(seed: int, size: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, 60, size))
    # Team 0 is there from the first day, team 4 comes late.
    strongest = 1 + np.ceil(4 * day / 60).astype(int)
    home = rng.integers(0, strongest + 1)
    away = (home + rng.integers(1, strongest + 1)) % (strongest + 1)
    tier = rng.integers(1, 3, size)
    rows = pd.DataFrame(
        {
            "date": DAY_ZERO + pd.to_timedelta(day, unit="D"),
            "country": rng.choice(["X", "Y"], size, p=[0.7, 0.3]),
            "division": np.char.add("D", tier.astype(str)),
            "tier": tier,
            "season": (2020 + day // 20).astype(str),
            "home_team": np.char.add("team ", home.astype(str)),
            "away_team": np.char.add("team ", away.astype(str)),
            "neutral": rng.random(size) < 0.2,
            **random_results(rng, size),
        }
    )
    return conform(rows)


def random_results(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    unknown = rng.random(size) < 0.3
    upcoming = rng.random(size) < 0.1
    results = {}
    for side in ("home", "away"):
        results[f"{side}_goals"] = np.where(upcoming, np.nan, rng.integers(0, 5, size))
        for name, most in (("shots", 20), ("shots_on_target", 9)):
            shots = rng.integers(0, most, size).astype(float)
            results[f"{side}_{name}"] = np.where(upcoming | unknown, np.nan, shots)
    for side in ("home", "away"):
        results[f"{side}_corners"] = np.where(upcoming | unknown, np.nan, rng.integers(0, 9, size))
    unpriced = rng.random(size) < 0.3
    prices = np.where(unpriced, np.nan, 0.95 / rng.dirichlet([5, 4, 4], size).T)
    return results | dict(zip(ODDS, prices, strict=True))


def with_other_results(matches: pd.DataFrame, rows: np.ndarray, seed: int) -> pd.DataFrame:
    """Copy whose results of the given rows are drawn anew."""
    other = random_results(np.random.default_rng(seed), len(matches))
    return matches.assign(**{name: matches[name].where(~rows, values) for name, values in other.items()})


def match(day: int, home: str, away: str, score: tuple[int, int] | None, **more: object) -> dict[str, object]:
    """One row, on day number ``day``, in words."""
    goals = score or (np.nan, np.nan)
    row = {"date": DAY_ZERO + pd.Timedelta(days=day), "country": "X", "division": "D1", "tier": 1, "season": "1"}
    row |= {"home_team": home, "away_team": away, "neutral": False, "home_goals": goals[0], "away_goals": goals[1]}
    return row | more


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return conform(pd.DataFrame(rows))
