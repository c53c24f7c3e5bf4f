"""Plots of the reports, in colours that ``svg`` turns into those of the page; labels stand beside what they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matchclf.metrics import Labels, Proba
from matchclf.reports.svg import BLUE, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, STYLE

P = ParamSpec("P")
TITLES = ("home win", "draw", "away win")
LINES = (BLUE, ORANGE, GREEN, PURPLE, GREY)
GROUPS, Z_95 = 10, 1.96
PANELS = 4
# Mean, lower and upper end.
Interval = tuple[float, float, float]


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """The same drawing with the reports' fonts and colours."""

    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


@in_style
def intervals(panels: Mapping[str, Mapping[str, Interval]], unit: str, told: bool = True) -> Figure:
    """One panel a key, one row a name: a point with its interval, beside the line of no difference.

    Blue lies below zero as a whole, orange above, grey on both sides; ``told`` writes the mean beside each.
    """
    names = list(dict.fromkeys(name for rows in panels.values() for name in rows))
    columns = min(PANELS, len(panels))
    deep = -(-len(panels) // columns)
    height = deep * (0.75 + 0.27 * len(names)) + 0.25
    figure = Figure(figsize=(10, height), layout="constrained")
    grid = figure.subplots(deep, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (title, rows) in zip(grid, panels.items(), strict=False):
        _rows(axes, rows, names, told and columns < 3)
        axes.set_title(title if len(panels) > 1 else "")
    for spare in grid[len(panels) :]:
        spare.set_visible(False)
    for axes in grid[len(panels) - columns : len(panels)]:
        axes.tick_params(labelbottom=True)  # also above a place that is left empty
    figure.supxlabel(unit, fontsize="medium", color=INK)
    return figure


def _rows(axes: Axes, rows: Mapping[str, Interval], names: list[str], told: bool) -> None:
    drawn = [(place, *rows[name]) for place, name in enumerate(names) if name in rows]
    places, means, lows, highs = np.reshape(drawn, (-1, 4)).T
    colours = [BLUE if high < 0 else ORANGE if low > 0 else GREY for low, high in zip(lows, highs, strict=True)]
    axes.hlines(places, lows, highs, colours, lw=2, capstyle="round")
    axes.scatter(means, places, s=25, c=colours, zorder=2)
    if told:
        for place, mean, _, high in drawn:
            axes.annotate(f"{mean:+.4f}", (high, place), (6, 0), textcoords="offset points", va="center", fontsize=9)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.margins(x=0.16 if told else 0.05)


@in_style
def calibration_gaps(target: Labels, forecasts: Mapping[str, Proba]) -> Figure:
    """One row of panels a forecast, one column an outcome: share that happened less probability, in ten equal groups.

    In percentage points with 95 % intervals: on the line of zero the forecast is right on average.
    """
    figure = Figure(figsize=(10, 0.6 + 1.75 * len(forecasts)), layout="constrained")
    grid = figure.subplots(len(forecasts), 3, squeeze=False, sharex="col", sharey=True)
    for row, (name, proba) in zip(grid, forecasts.items(), strict=True):
        for label, axes in enumerate(row):
            _gaps(axes, target == label, proba[:, label])
            axes.set_title(f"{name}: {TITLES[label]}")
    figure.supxlabel("forecast probability, %", fontsize="medium", color=INK)
    figure.supylabel("happened less forecast, percentage points", fontsize="medium", color=INK)
    return figure


def _gaps(axes: Axes, happened: NDArray[np.bool_], proba: NDArray[np.float64]) -> None:
    groups = [group for group in np.array_split(np.argsort(proba, kind="stable"), GROUPS) if len(group)]
    said = np.array([proba[group].mean() for group in groups])
    was = np.array([happened[group].mean() for group in groups])
    error = Z_95 * np.sqrt(was * (1 - was) / np.array([len(group) for group in groups]))
    axes.errorbar(100 * said, 100 * (was - said), yerr=100 * error, color=BLUE, marker="o", ms=4, lw=1.2)
    axes.axhline(0, color=INK, lw=0.8)
    axes.grid(axis="y")


@in_style
def lines(curves: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> Figure:
    """Curves of (share, score), each named at its end; the shares on a logarithmic scale, as percentages."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    for number, points in enumerate(curves.values()):
        axes.plot(*zip(*points, strict=True), color=LINES[number % len(LINES)], marker="o", ms=5, lw=1.6)
    shares = sorted({share for points in curves.values() for share, _ in points})
    axes.set_xscale("log")
    axes.set_xticks(shares, labels=[f"{100 * share:g} %" for share in shares])
    axes.set_xticks([], minor=True)
    axes.set(xlabel=across, ylabel=up)
    axes.grid(axis="y")
    _name_ends(axes, curves)
    return figure


def _name_ends(axes: Axes, curves: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Write the name of each curve at its end, moved up or down where two would lie on each other."""
    low, high = axes.get_ylim()
    room = 0.065 * (high - low)
    place = -np.inf
    for number, (name, points) in sorted(enumerate(curves.items()), key=lambda one: one[1][1][-1][1]):
        share, score = points[-1]
        place = max(score, place + room)
        colour = LINES[number % len(LINES)]
        axes.annotate(name, (share, place), (8, 0), textcoords="offset points", va="center", color=colour)


@in_style
def history(numbers: Sequence[int], values: Sequence[float], states: Sequence[str]) -> Figure:
    """Score of each trial by number, the best so far as a line; very bad trials are drawn at the upper edge."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    scores, complete = np.array(values), np.array(states) == "complete"
    top = _top(scores)
    for some, colour in ((complete, BLUE), (~complete, GREY)):
        inside = some & (scores <= top)
        axes.plot(np.array(numbers)[inside], scores[inside], "o", color=colour, ms=5)
        axes.plot(np.array(numbers)[some & ~inside], np.full((some & ~inside).sum(), top), "^", color=colour, ms=6)
    best = np.minimum.accumulate(np.where(complete, scores, np.inf))
    axes.step(numbers, np.where(np.isfinite(best), best, np.nan), where="post", color=ORANGE, lw=1.6, zorder=1)
    axes.annotate(
        f"best so far {best[-1]:.4f}",
        (numbers[-1], best[-1]),
        (8, 0),
        textcoords="offset points",
        color=ORANGE,
        va="center",
    )
    axes.set(xlabel="trial", ylabel="walk-forward log-loss (nats, lower is better)")
    axes.locator_params(axis="x", integer=True)
    axes.grid(axis="y")
    return figure


def _top(scores: NDArray[np.float64]) -> float:
    low, most = float(scores.min()), float(np.quantile(scores, 0.8))
    return most + 0.2 * (most - low) + 1e-4


@in_style
def bars(values: Mapping[str, float], show: str, unit: str) -> Figure:
    """One bar a name, the value written at its end."""
    figure = Figure(figsize=(9, 0.7 + 0.27 * len(values)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(list(values), list(values.values()), color=BLUE, height=0.65)
    axes.bar_label(drawn, labels=[format(value, show) for value in values.values()], padding=4, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_color(FAINT)
    axes.margins(x=0.1)
    return figure
