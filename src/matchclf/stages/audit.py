"""Look for leaks in this config's own features, for drift, and for where the forecasts of a run are off."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matchclf import paths
from matchclf.config import Config
from matchclf.console import step, table
from matchclf.data.schema import outcome
from matchclf.data.sources import load_matches
from matchclf.drift import stability_index
from matchclf.errors import DataError
from matchclf.evaluate import known_features, proba_in_order
from matchclf.features.build import build_features
from matchclf.files import replacing
from matchclf.leakage import GROUP, Leak, future_leaks, history_leaks, shuffled_results
from matchclf.metrics import match_losses
from matchclf.models import build_model
from matchclf.paired import Difference, paired_difference
from matchclf.split import split
from matchclf.stages.audit_forecasts import show_forecasts

log = logging.getLogger(__name__)
FUTURE_DAYS, HISTORY_DAYS = 3, 5
# Latest matches that the model of the shuffled results learns from.
LEARNT = 50_000
# Shuffled results can be told a little from their division alone; a leak tells far more.
BY_CHANCE = 0.005
SHOWN = 10


def run(config: Config) -> dict[str, Any]:
    """Show and keep every finding; raises DataError when a feature knows its own day or the future."""
    matches = load_matches(config.data, Path.cwd()).matches
    families = {name: config.features.families[name] for name in config.features.use}

    def build(some: pd.DataFrame) -> pd.DataFrame:
        return pd.concat(build_features(some, families).values(), axis=1)

    with step("features") as found:
        features = build(matches)
        found.append(f"{features.shape[1]} columns of {len(matches):,} matches")
    days = _days(matches, config)
    with step("leaks") as found:
        leaks = future_leaks(matches, build, features, days[:FUTURE_DAYS])
        leaks += history_leaks(matches, build, features, days[FUTURE_DAYS:])
        found.append(f"{len(leaks)} columns know too much, {len(days)} days looked at")
    with step("shuffled") as found:
        gain = _shuffled_gain(config, matches, build)
        found.append(f"log-loss less the prior's {gain}")
    parts = [
        _show_leaks(leaks, gain),
        _show_drift(config, matches, features),
        *show_forecasts(config, matches, features),
    ]
    with replacing(paths.AUDIT) as part:
        part.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    log.info("\n%s\n\nwritten    %s", "\n\n".join(parts), paths.AUDIT)
    if leaks or gain.mean < -BY_CHANCE:
        raise DataError(f"The features leak: {_worst(leaks, gain)}. See {paths.AUDIT}.")
    return {"leaks": 0, "shuffled": gain.mean, "written": str(paths.AUDIT)}


def _days(matches: pd.DataFrame, config: Config) -> list[pd.Timestamp]:
    """Days of the validation years, drawn by the seed."""
    those = matches["date"][matches["date"].dt.year.isin(config.temporal.cv_years)].unique()
    if len(those) < FUTURE_DAYS + HISTORY_DAYS:
        raise DataError(
            f"The validation years have {len(those)} days with matches; an audit needs {FUTURE_DAYS + HISTORY_DAYS}."
        )
    drawn = np.random.default_rng(config.seed).choice(len(those), FUTURE_DAYS + HISTORY_DAYS, replace=False)
    return [pd.Timestamp(those[number]) for number in drawn]


def _shuffled_gain(config: Config, matches: pd.DataFrame, build: object) -> Difference:
    """Log-loss of the first model less that of the prior, on results that were given to other matches before."""
    development, _ = split(shuffled_results(matches, config.seed), config.temporal.test_start)
    features, target = build(development), outcome(development["home_goals"], development["away_goals"]).to_numpy()  # type: ignore[operator]
    year, size = config.temporal.cv_years[-1], development.groupby(GROUP)["season"].transform("size")
    train = np.flatnonzero(development["date"].dt.year < year)[-LEARNT:]
    valid = np.flatnonzero((development["date"].dt.year == year) & (size > 1))
    if not valid.size:
        raise DataError(f"No two matches of {year} share day and division; their results cannot be shuffled.")
    name, model = next(
        (one for one in config.models.items() if one[1].family != "dummy"), next(iter(config.models.items()))
    )
    known = known_features(features.iloc[train])
    fitted = build_model(name, model, config.seed).fit(known, target[train])
    ours = proba_in_order(fitted, features.iloc[valid][known.columns], name)
    prior = np.tile(np.bincount(target[train], minlength=3) / len(train), (len(valid), 1))
    losses = [match_losses(target[valid], proba)["logloss"] for proba in (ours, prior)]
    return paired_difference(losses[0], losses[1], development["date"].iloc[valid])


def _show_leaks(leaks: list[Leak], gain: Difference) -> str:
    shuffled = f"Results shuffled within day and division: log-loss less the prior's {gain}"
    if not leaks:
        return f"Leaks: none found\n{shuffled}"
    rows = [[one.column, one.probe, f"{one.day:%Y-%m-%d}", f"{one.matches:,}"] for one in leaks[:SHOWN]]
    return f"Leaks: {len(leaks)}\n{table(['column', 'probe', 'day', 'matches'], rows, left=3)}\n{shuffled}"


def _worst(leaks: list[Leak], gain: Difference) -> str:
    if not leaks:
        return f"shuffled results are forecast better than by the prior, log-loss {gain.mean:+.4f}"
    columns = sorted({one.column for one in leaks})
    return f"{len(columns)} columns know their own day or the future, among them {', '.join(columns[:3])}"


def _show_drift(config: Config, matches: pd.DataFrame, features: pd.DataFrame) -> str:
    holdout = (matches["date"] >= config.temporal.test_start).to_numpy()
    if not holdout.any():
        return "Drift: the data have no holdout"
    index = {name: stability_index(column[~holdout], column[holdout]) for name, column in features.items()}
    worst = sorted(index, key=lambda name: -index[name])[:SHOWN]
    rows = [[str(name), f"{index[name]:.3f}", "changed" if index[name] > 0.25 else ""] for name in worst]
    return f"Drift from development to holdout, population stability index\n{table(['column', 'index', ''], rows)}"
