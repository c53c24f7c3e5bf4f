"""How good the forecasts are beside the usual ones: ``python benchmarks/quality.py [OVERRIDE ...]``.

Every forecast is of the same matches of the walk-forward years; the holdout is not touched. The overrides are those of
the program, for instance ``data=football_data data.path=FILE 'model=[logreg,xgb]' temporal.cv_years=[2022,2023]``.
With penaltyblog installed, its Dixon-Coles model is refitted each month on the last two years of each division. Works
in a temporary folder and prints one table.
"""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hydra import compose, initialize_config_dir

from matchclf import paths
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.console import table
from matchclf.data.dataset import load_dataset
from matchclf.data.schema import ODDS
from matchclf.evaluate import evaluate_baselines, evaluate_model, threads
from matchclf.folds import walk_forward
from matchclf.metrics import match_losses, score
from matchclf.models import build_model
from matchclf.paired import paired_difference
from matchclf.stages.prepare import prepare

ELO = "Elo, logistic"
YEARS_SEEN = 2
HEADER = ["forecast", "matches", "log-loss", "RPS", "Brier", "accuracy", "ECE", "way to the odds", "less the first"]


def main(*overrides: str) -> None:
    here = Path.cwd()
    register_schema()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = to_plain(
            compose("config", [f"{one}" if "path=" not in one else absolute(one, here) for one in overrides])
        )
        elo = to_plain(compose("config", ["model=logreg", "variant=elo_only"]))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepared = prepare(config)
        data = load_dataset(paths.TRAIN, prepared.columns(config.features.use))
        elo_data = load_dataset(paths.TRAIN, prepared.columns(["elo"]))
    folds = walk_forward(data.matches["date"], config.temporal.cv_years, config.frac.value)
    workers = threads(config.workers)
    found = {}
    for name, model in config.models.items():
        one = evaluate_model(name, build_model(name, model, config.seed), data, folds, workers)
        found[f"{name}, {config.variant.name}"] = frame(one)
    logistic = build_model("logreg", elo.models["logreg"], elo.seed)
    found[ELO] = frame(evaluate_model(ELO, logistic, elo_data, folds, workers))
    if importlib.util.find_spec("penaltyblog"):
        found["Dixon-Coles, penaltyblog"] = dixon_coles(data.matches, folds)
    found |= {one.name: frame(one) for one in evaluate_baselines(data, folds, None) if one.name != "uniform"}
    show(found, data)


def absolute(override: str, here: Path) -> str:
    key, _, path = override.partition("=")
    return f"{key}={(here / path).absolute()}"


def frame(evaluation) -> pd.DataFrame:
    return pd.DataFrame(evaluation.proba, index=evaluation.rows)


def dixon_coles(matches: pd.DataFrame, folds) -> pd.DataFrame:
    """Forecasts of the matches whose teams both played in the last two years; the others are left out."""
    from penaltyblog.models import DixonColesGoalModel

    found = {}
    valid = matches.iloc[np.concatenate([np.arange(fold.valid.start, fold.valid.stop) for fold in folds])]
    for (_, division, month), upcoming in valid.groupby(["country", "division", valid["date"].dt.to_period("M")]):
        first = month.start_time
        past = matches[(matches["division"] == division) & (matches["date"] < first)]
        past = past[past["date"] >= first - pd.DateOffset(years=YEARS_SEEN)]
        teams = set(past["home_team"]) & set(past["away_team"])
        if len(past) < 100:
            continue
        model = DixonColesGoalModel(
            past["home_goals"].astype(int), past["away_goals"].astype(int), past["home_team"], past["away_team"]
        )
        model.fit()
        for row in upcoming.itertuples():
            if {row.home_team, row.away_team} <= teams:
                found[row.Index] = model.predict(row.home_team, row.away_team).home_draw_away
    return pd.DataFrame.from_dict(found, orient="index")


def show(found: dict[str, pd.DataFrame], data) -> None:
    """Scores on the matches that all but the bookmaker and Dixon-Coles forecast; those two on their own."""
    first = next(iter(found.values()))
    priced = data.matches[list(ODDS)].notna().all(axis=1).to_numpy()
    rows = []
    for name, proba in found.items():
        rows.append(
            [
                name,
                f"{len(proba):,}",
                *cells(data.target[proba.index], proba.to_numpy()),
                way(found, name, data, priced),
                less(first, proba, data),
            ]
        )
    print(table(HEADER, rows))


def cells(target, proba) -> list[str]:
    found = score(target, proba)
    return [f"{found[name]:.4f}" for name in ("logloss", "rps", "brier", "accuracy", "ece")]


def way(found, name: str, data, priced) -> str:
    """Share of the way from the class prior to the closing odds, by log-loss, on the matches with odds."""
    if "bookmaker" not in found:
        return ""
    rows = found[name].index.intersection(found["bookmaker"].index)
    prior, ours, odds = (
        match_losses(data.target[rows], found[one].loc[rows].to_numpy())["logloss"].mean()
        for one in ("prior", name, "bookmaker")
    )
    return f"{(prior - ours) / (prior - odds):.1%}"


def less(first: pd.DataFrame, proba: pd.DataFrame, data) -> str:
    rows = proba.index.intersection(first.index)
    losses = [match_losses(data.target[rows], one.loc[rows].to_numpy())["logloss"] for one in (proba, first)]
    one = paired_difference(losses[0], losses[1], data.matches["date"].iloc[rows])
    return f"{one.mean:+.4f} ({one.low:+.4f} to {one.high:+.4f})"


if __name__ == "__main__":
    main(*sys.argv[1:])
