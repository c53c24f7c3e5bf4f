"""Several sweeps at once on one store."""

from collections import Counter

import pytest

import program
from faults.looks import check_ended, query

SEARCH = (*program.TINY, "variant=elo_only", "stage=tuning", "model=logreg", "tuning.racing=false")


@pytest.mark.parametrize(("sweeps", "trials"), [(2, 3), pytest.param(4, 25, marks=pytest.mark.slow)])
def test_sweeps_at_once_on_one_store_lose_no_trial_and_meet_no_lock_error(forks, place, sweeps, trials):
    folder = place("store")
    views = [place(f"sweep-{number}") for number in range(sweeps)]
    more = (f"tracking.uri=sqlite:///{folder}/mlflow.db", f"tuning.n_trials={trials}")
    commands = [forks.start(view, *SEARCH, *more, f"seed={number}") for number, view in enumerate(views)]
    assert [command.wait(1200) for command in commands] == [0] * sweeps, [command.told() for command in commands]
    said = "".join(command.told() for command in commands)
    assert "database is locked" not in said
    print("waits for the database:", said.count("Another process holds the database"))
    runs = check_ended(folder)
    parents = [run.id for run in runs if not run.parent]
    assert len(parents) == sweeps
    assert Counter(run.status for run in runs) == {"FINISHED": sweeps * (trials + 1)}
    for parent in parents:
        names = sorted(run.name for run in runs if run.parent == parent)
        assert names == [f"trial | {number:03d}" for number in range(trials)]
        assert all("cv.logloss_mean" in run.metrics for run in runs if run.parent == parent)
    assert len({run.params["logreg.C"] for run in runs if run.parent}) == sweeps * trials
    assert query(folder, "PRAGMA integrity_check") == [("ok",)]


# What a sweep writes and reads, without its computing: the store is all that they wait for.
TRIALS = """
import os, sys
from pathlib import Path
import pandas as pd
from matchclf.config import Tracking
from matchclf.stages.trials import best_trial
from matchclf.tracking import record, runs
from matchclf.tracking.children import child_run
from matchclf.tracking.store import open_store

scores = pd.DataFrame({"cv.logloss": [1.0, 1.1]}, index=[2022, 2023])
store = open_store(Tracking("local", sys.argv[1]), "matches_clf", Path.cwd())
parent = runs.start(store, "tuning", {"pipeline.scope": "parent"})
for number in range(200):
    tags = {"pipeline.scope": "child", "trial.number": str(number)}
    with child_run(parent, f"trial | {number:03d}", tags) as child:
        record.record(child, {"logreg.C": number}, {"cv.logloss_mean": number}, scores, {"trial.state": "complete"})
        record.keep_text(child, "settings", "config/resolved.yaml")
    if number % 20 == 19:
        assert best_trial(parent).data.tags["trial.number"] == "0"
runs.finish(parent)
sys.exit()
"""


@pytest.mark.slow
def test_eight_hundred_trials_of_four_processes_at_once_are_all_stored(forks, place):
    folder, views = place("store"), [place(f"sweep-{number}") for number in range(4)]
    uri = f"sqlite:///{folder}/mlflow.db"
    commands = [forks.start(view, uri, code=TRIALS) for view in views]
    assert [command.wait(600) for command in commands] == [0] * 4, [command.told() for command in commands]
    said = "".join(command.told() for command in commands)
    print("waits for the database:", said.count("Another process holds the database"))
    runs = check_ended(folder)
    assert Counter(run.status for run in runs) == {"FINISHED": 804}
    trials = Counter((run.name, run.params["logreg.C"], run.metrics["cv.logloss_mean"]) for run in runs if run.parent)
    assert trials == {(f"trial | {number:03d}", str(number), number): 4 for number in range(200)}
    assert query(folder, "SELECT count(*) FROM metrics WHERE key = 'cv.logloss'") == [(1600,)]
    assert query(folder, "PRAGMA integrity_check") == [("ok",)]
