"""How often the verdicts on an ablation are right: ``python benchmarks/verdicts.py [SEEDS [OVERRIDE ...]]``.

In each of so many worlds (40) of the built-in league, with its effects and without, the logistic regression is scored
on all features, without head-to-head and without form. Where an effect is on, leaving out the features that see it must
be worse; where it is off, there must be no difference. The intervals should hold the mean difference of all worlds of a
kind in 95 of 100 worlds. Momentum is 0.25, twice that of ``conf/data/synthetic.yaml``: see the column with the smallest
effect that the matches of one world can show. Works in temporary folders and prints one table.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from hydra import compose, initialize_config_dir

from matchclf import paths
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.config import Config
from matchclf.console import table
from matchclf.data.dataset import load_dataset
from matchclf.evaluate import evaluate_model, threads
from matchclf.folds import walk_forward
from matchclf.metrics import match_losses
from matchclf.models import build_model
from matchclf.stages.prepare import prepare
from matchclf.verdicts import Verdict, judge

VARIANTS = ("full_no_h2h", "no_form")
EFFECTS = {"on": ("data.form_effect=0.25",), "off": ("data.h2h_effect=0", "data.form_effect=0")}
EXPECTED = {"on": "worse", "off": "no difference"}
HEADER = ["effects", "left out", "worlds", "right", "mean", "least", "most", "smallest effect", "in interval"]


def main(seeds: str = "40", *overrides: str) -> None:
    register_schema()
    rows = []
    for effects, switched in EFFECTS.items():
        found = [verdicts(f"data.seed={seed}", *switched, *overrides) for seed in range(1, int(seeds) + 1)]
        rows += [row(effects, variant, [one[variant] for one in found]) for variant in VARIANTS]
        mean = {variant: np.mean([one[variant].mean for one in found]) for variant in VARIANTS}
        both = np.mean([all(one[v].low <= mean[v] <= one[v].high for v in VARIANTS) for one in found])
        rows.append([effects, "both at once", str(len(found)), *[""] * 5, f"{both:.1%}"])
    print(table(HEADER, rows, left=2))


def verdicts(*overrides: str) -> dict[str, Verdict]:
    """The verdicts on one world."""
    full, *others = (config(f"variant={variant}", "model=logreg", *overrides) for variant in ("full", *VARIANTS))
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        losses, dates = zip(*scored([full, *others]), strict=True)
        os.chdir(here)
    return judge({name: one - losses[0] for name, one in zip(VARIANTS, losses[1:], strict=True)}, dates[0])


def scored(configs: list[Config]) -> Iterator[tuple[np.ndarray, pd.Series]]:
    """The log-loss of each out-of-fold match, and its day."""
    for one in configs:
        data = load_dataset(paths.TRAIN, prepare(one).columns(one.features.use))
        folds = walk_forward(data.matches["date"], one.temporal.cv_years, one.frac.value)
        model = build_model("logreg", one.models["logreg"], one.seed)
        found = evaluate_model("logreg", model, data, folds, threads(one.workers))
        losses = match_losses(data.target[found.rows], found.proba)["logloss"]
        yield losses, data.matches["date"].iloc[found.rows].reset_index(drop=True)


def row(effects: str, variant: str, found: list[Verdict]) -> list[str]:
    means = np.array([one.mean for one in found])
    right = np.mean([one.told.startswith(EXPECTED[effects]) for one in found])
    covered = np.mean([one.low <= means.mean() <= one.high for one in found])
    told = [f"{value:+.5f}" for value in (means.mean(), means.min(), means.max())]
    smallest = f"{np.mean([one.smallest for one in found]):.5f}"
    return [effects, variant, str(len(found)), f"{right:.1%}", *told, smallest, f"{covered:.1%}"]


def config(*overrides: str) -> Config:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return to_plain(compose("config", list(overrides)))


if __name__ == "__main__":
    main(*sys.argv[1:])
