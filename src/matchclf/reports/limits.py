"""What a user of a model must know before trusting it: told from its run, never from hope."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matchclf.metrics import Proba
from matchclf.tracking.search import StoredRun

# A share of the matches below which an outcome counts as hardly ever the most probable one.
HARDLY = 0.02


def limits(run: StoredRun, matches: pd.DataFrame, proba: Proba) -> tuple[str, ...]:
    """Sentences on what the model has not seen, cannot know, or was chosen by."""
    found = [*_evidence(run), *_range(run, matches), *_outcomes(proba), *_code(run)]
    return (*found, "It forecasts the result after full time, home win, draw or away win, and nothing else.")


def _evidence(run: StoredRun) -> list[str]:
    reading = int(run.data.tags.get("holdout.reading", "1"))
    told = []
    if run.data.tags.get("pipeline.run_kind") == "smoke":
        told.append("It is a smoke run, made to check the wiring: its scores mean nothing.")
    if reading > 1:
        told.append(
            f"The holdout was read {reading} times on this data up to this run: whoever picks the best of several "
            "final models by it must expect less on new matches."
        )
    difference = run.data.metrics.get("difference.bookmaker.mean")
    if difference is not None and difference > 0:
        told.append(f"The bookmaker forecasts better, by {difference:.4f} nats a match: it is no ground to bet on.")
    return told


def _range(run: StoredRun, matches: pd.DataFrame) -> list[str]:
    tags, params = run.data.tags, run.data.params
    divisions = ", ".join(sorted(matches["division"].unique())) or "of none"
    told = [
        f"It was trained on {int(params['data.train_rows']):,} matches up to {tags['data.train_end']} "
        f"(fraction {params['data.frac']} of the development part) and tested on the divisions {divisions}; "
        "nothing is known of others."
    ]
    families = params.get("features.families", "")
    return [*told, f"It sees only what these families of features tell: {families.replace(',', ', ')}."]


def _outcomes(proba: Proba) -> list[str]:
    shares = np.bincount(proba.argmax(axis=1), minlength=3) / len(proba)
    return [
        f"{name} are the most probable outcome in {share:.1%} of the matches: use the probabilities, not the most "
        "probable outcome."
        for name, share in zip(("Home wins", "Draws", "Away wins"), shares, strict=True)
        if share < HARDLY
    ]


def _code(run: StoredRun) -> list[str]:
    if run.data.tags.get("pipeline.git_dirty") != "true":
        return []
    state = run.data.tags.get("pipeline.git_diff", "none")
    kept = "they are stored with the run" if state == "complete" else f"what is stored of them is {state}"
    return [f"The code had uncommitted changes; {kept}."]
