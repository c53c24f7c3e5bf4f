"""What runs made by hand hold: tags, matches, forecasts."""

import numpy as np
import pandas as pd

OUTCOMES = ("home", "draw", "away")
TAGS = {
    "pipeline.scope": "parent",
    "pipeline.git_sha": "abc1234",
    "pipeline.git_dirty": "false",
    "pipeline.params_hash": "p" * 16,
    "pipeline.params_hash_features": "f" * 16,
    "pipeline.variant": "baseline",
    "data.hash": "d" * 32,
    "data.version": "d" * 32,
    "data.source_key": "raw/E0.csv",
    "data.train_start": "2015-01-01",
    "data.train_end": "2023-12-31",
}


def facts(rows=1200, gaps=True, odds=True, seed=1):
    """Matches of two divisions over two years, with what a run stores of each."""
    rng = np.random.default_rng(seed)
    dates = pd.to_datetime("2020-01-04") + pd.to_timedelta(np.sort(rng.integers(0, 100, rows)) * 7, "D")
    table = pd.DataFrame(
        {
            "date": dates.as_unit("s"),
            "country": "England",
            "division": rng.choice(["E0", "E1"], rows),
            "season": np.where(dates < "2020-07-01", "2019/20", "2020/21"),
            "home_team": [f"home {n}" for n in range(rows)],
            "away_team": [f"away {n}" for n in range(rows)],
            "outcome_1x2": rng.choice(3, rows, p=[0.45, 0.27, 0.28]).astype(np.int8),
        }
    )
    if gaps:
        table["elo_diff"] = rng.normal(50, 120, rows).astype(np.float32)
    if odds:
        table[[f"odds_{name}" for name in OUTCOMES]] = np.float32([[2.1, 3.4, 3.6]]).repeat(rows, axis=0)
        table.loc[::3, "odds_home"] = np.nan
    return table


def forecast(table, skill, seed=2):
    """Probabilities that give what happened ``skill`` more than its share, with some noise."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet([9, 5, 6], len(table)) + skill * np.eye(3)[table["outcome_1x2"]]
    return proba / proba.sum(axis=1, keepdims=True)
