"""How good the final model is: calibration curves, confusion matrix, importance of the features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from matchclf.metrics import Labels, Proba
from matchclf.plots.style import BLUE, GREY, ORANGE

TITLES = ("home win", "draw", "away win")
GROUPS = 10
SHOWN = 20
Z_95 = 1.96


def calibration_curves(target: Labels, proba: Proba, raw: Proba | None) -> Figure:
    """One panel an outcome: how often it happened against how probable it was said to be, in ten equal groups.

    The bars are 95 % intervals of the shares. ``raw`` is the forecast before calibration, None where there was none.
    """
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    for label, axes in enumerate(figure.subplots(1, 3)):
        happened = target == label
        if raw is not None:
            _curve(axes, happened, raw[:, label], GREY, "before calibration")
        _curve(axes, happened, proba[:, label], BLUE, "forecast" if raw is None else "after calibration")
        top = 1.08 * max(axes.get_xlim()[1], axes.get_ylim()[1])
        axes.plot([0, top], [0, top], color="black", lw=0.8, ls=":", label="perfect")
        axes.set(xlim=(0, top), ylim=(0, top), aspect="equal", title=TITLES[label], xlabel="forecast probability")
    figure.axes[0].set_ylabel("share of matches in which it happened")
    figure.axes[0].legend(loc="upper left", frameon=False)
    figure.suptitle(f"Calibration on the holdout, {len(target):,} matches in {GROUPS} groups of equal size")
    return figure


def confusion_matrix(target: Labels, proba: Proba) -> Figure:
    """Most probable outcome against what happened: matches, and their share of the row."""
    counts = np.zeros((3, 3), dtype=int)
    np.add.at(counts, (target, proba.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]:,}\n{share:.0%}"
        axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.55 else "black")
    axes.set(xlabel="most probable outcome", ylabel="what happened", xticks=range(3), yticks=range(3))
    axes.set(xticklabels=TITLES, yticklabels=TITLES)
    axes.set_title(f"Confusion matrix of the holdout, {len(target):,} matches")
    figure.colorbar(picture, label="share of the row", shrink=0.8)
    return figure


def feature_importance(importance: pd.DataFrame, matches: int) -> Figure:
    """The most important features: ``importance`` has the columns feature, mean and std, in log-loss."""
    top = importance.sort_values("mean", ascending=False).head(SHOWN).iloc[::-1]
    figure = Figure(figsize=(9.5, 1.4 + 0.28 * len(top)), layout="constrained")
    axes = figure.subplots()
    axes.barh(top["feature"], top["mean"], xerr=top["std"], color=BLUE, ecolor=ORANGE, capsize=2)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel("rise of the log-loss when the feature is shuffled")
    figure.suptitle(
        f"The {len(top)} most important of {len(importance)} features, on {matches:,} matches of the holdout\n"
        "(thin bars: standard deviation over the repeats)"
    )
    return figure


def _curve(axes: Axes, happened: NDArray[np.bool_], proba: NDArray[np.float64], colour: str, label: str) -> None:
    groups = [group for group in np.array_split(np.argsort(proba, kind="stable"), GROUPS) if len(group)]
    said = np.array([proba[group].mean() for group in groups])
    was = np.array([happened[group].mean() for group in groups])
    error = Z_95 * np.sqrt(was * (1 - was) / np.array([len(group) for group in groups]))
    axes.errorbar(said, was, yerr=error, color=colour, marker="o", ms=4, lw=1.4, elinewidth=1, label=label)
