"""How a search went: history, importance of the parameters, and one slice a parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from matchclf.plots.style import BLUE, GREY, ORANGE

STATES = {"complete": BLUE, "pruned": GREY}
LOG_RATIO = 20


def search_plots(trials: pd.DataFrame) -> dict[str, Figure]:
    """How a search went: history, importance of the parameters, and one slice a parameter.

    ``trials`` has the columns number, state, value and one a parameter; failed trials are left out.
    """
    ended = trials[trials["value"].notna()]
    names = [name for name in ended.columns if name not in ("number", "state", "value")]
    return {
        "optimization_history": _history(ended),
        "parameter_importance": _importance(ended, names),
        "slice": _slices(ended, names),
    }


def _history(trials: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    _points(axes, trials, "number")
    complete = trials[trials["state"] == "complete"]
    axes.step(complete["number"], complete["value"].cummin(), where="post", color=ORANGE, label="best so far")
    axes.set(xlabel="trial", ylabel="walk-forward log-loss (lower is better)", title="Search history")
    axes.legend()
    return figure


def _importance(trials: pd.DataFrame, names: list[str]) -> Figure:
    shares = importance(trials, names).sort_values()
    figure = Figure(figsize=(8, 1.2 + 0.4 * len(names)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(shares.index, shares.to_numpy(), color=BLUE)
    axes.bar_label(bars, labels=[f"{share:.0%}" for share in shares], padding=3)
    axes.set(
        xlabel="share of the differences explained",
        title="Which parameters mattered",
        xlim=(0, 1.15 * (shares.max() or 1)),
    )
    return figure


def importance(trials: pd.DataFrame, names: list[str]) -> pd.Series:
    """Share of each parameter in what a random forest over the trials explains, summing to 1 (Breiman 2001)."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(n_estimators=200, random_state=0)
    forest.fit(trials[names].apply(_numbers).to_numpy(), trials["value"])
    return pd.Series(forest.feature_importances_, index=names)


def _slices(trials: pd.DataFrame, names: list[str]) -> Figure:
    rows = -(-len(names) // 3)
    figure = Figure(figsize=(11, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, min(3, len(names)), squeeze=False, sharey=True).ravel()
    for one, name in zip(axes, names, strict=False):
        _points(one, trials, name)
        one.set(xlabel=name)
        values, words = _numbers(trials[name]), _words(trials[name])
        if words:
            one.set_xticks(range(len(words)), labels=words)
        elif values.min() > 0 and values.max() / values.min() > LOG_RATIO:
            one.set_xscale("log")
    for spare in axes[len(names) :]:
        spare.set_visible(False)
    figure.supylabel("walk-forward log-loss")
    figure.suptitle("Each parameter against the score (the worst tenth may lie above)")
    return figure


def _numbers(values: pd.Series) -> pd.Series:
    words = {word: float(number) for number, word in enumerate(_words(values))}
    return values.astype(str).map(words) if words else values.astype(float)


def _words(values: pd.Series) -> list[str]:
    """The different values of a parameter that is chosen from words; empty for one that is a number."""
    return [] if pd.api.types.is_numeric_dtype(values) else sorted(values.astype(str).unique())


def _points(axes: Axes, trials: pd.DataFrame, x: str) -> None:
    places = _numbers(trials[x])
    for state, colour in STATES.items():
        some = trials[trials["state"] == state]
        if len(some):
            label = state if state == "complete" else "stopped early (estimate)"
            axes.scatter(places[some.index], some["value"], s=22, color=colour, label=label, zorder=3)
    axes.set_ylim(*_limits(trials["value"].to_numpy()))


def _limits(values: np.ndarray) -> tuple[float, float]:
    # A few very bad trials would squeeze the rest into one line.
    low, high = float(values.min()), float(np.quantile(values, 0.9))
    room = 0.1 * (high - low) + 1e-4
    return low - room, high + room
