"""The best trial so far, as a trial sees it that runs beside others."""

import pandas as pd
import pytest

from matchclf.stages import trials
from matchclf.stages.trials import Rival
from matchclf.tracking import record, runs
from matchclf.tracking.children import child_run

FOLDS = [2016, 2017, 2018]
FIRST, BETTER, WORSE = [1.02, 1.01, 1.0], [1.01, 1.0, 0.99], [1.03, 1.03, 1.03]


@pytest.fixture
def parent(store):
    return runs.start(store, "tuning", {"pipeline.scope": "parent"})


def ended(parent, number, scores, state="complete"):
    with child_run(parent, f"trial | {number:03d}", {"trial.number": str(number), "trial.params": "{}"}) as child:
        by_year = pd.DataFrame({"cv.logloss": scores}, index=FOLDS[: len(scores)])
        means = {"cv.logloss_mean": sum(scores) / len(scores)} if state == "complete" else {}
        record.record(child, metrics=means, by_year=by_year, tags={"trial.state": state})


def test_there_is_none_before_a_trial_is_complete(parent):
    ended(parent, 0, BETTER[:2], "pruned")
    assert Rival(parent).scores() == []


def test_a_trial_that_ends_meanwhile_is_seen_after_some_seconds(parent, monkeypatch):
    ended(parent, 0, FIRST)
    rival = Rival(parent)
    ended(parent, 1, BETTER)
    assert rival.scores() == FIRST
    monkeypatch.setattr(trials, "LOOK_AGAIN_SECONDS", -1)
    assert rival.scores() == BETTER
    ended(parent, 2, WORSE)
    assert rival.scores() == BETTER


def test_the_store_is_not_asked_again_at_once(parent, monkeypatch):
    ended(parent, 0, FIRST)
    rival, asked = Rival(parent), []
    monkeypatch.setattr(trials, "best_trial", asked.append)
    assert [rival.scores() for _ in range(3)] == [FIRST] * 3
    assert asked == []
