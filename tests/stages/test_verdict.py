"""Two runs held against each other, in a real store."""

import numpy as np
import pandas as pd
import pytest

from matchclf.errors import ModelError
from matchclf.stages.verdict import Step, compare_runs, first_divergence, together
from matchclf.tracking import record, runs
from matchclf.tracking.provenance import keep_digests

DIGESTS = {"matches": "m", "features.elo": "e", "split.development": "s", "fold.2019": "f", "fold.2020": "g"}
PROBA = np.array([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]])
TOLERANCE = 1e-6


@pytest.fixture
def made(store):
    """A finished run with digests, scores and forecasts, as the store returns it."""

    def make(digests=DIGESTS, metrics=None, proba=None, tags=None, holdout=None):
        run = runs.start(store, "model | logreg", tags or {})
        if digests is not None:
            keep_digests(run, digests)
        record.record(run, metrics=metrics or {})
        if proba is not None:
            table = pd.DataFrame(proba, columns=["prob_home", "prob_draw", "prob_away"])
            record.keep_table(run, table.assign(fold=[2019, 2020]), "predictions/out_of_fold.parquet")
        if holdout is not None:
            record.keep_table(run, pd.DataFrame(holdout), "predictions/holdout.parquet")
        runs.finish(run)
        return store.client.get_run(run.id)

    return make


def found(store, before, after, tolerance=TOLERANCE):
    """Name, gap and verdict of each step that is not identical, and the verdict on all."""
    steps = compare_runs(store, before, after, tolerance)
    return [(one.name, one.gap, one.verdict) for one in steps if one.verdict != "identical"], together(steps)


def test_every_step_is_told_in_the_order_in_which_data_travels(store, made):
    runs_made = (
        made(metrics={"cv.logloss": 1.0}),
        made(metrics={"cv.logloss": 1.0}, digests=dict(sorted(DIGESTS.items()))),
    )
    steps = compare_runs(store, *runs_made, TOLERANCE)
    assert steps == [
        *(Step(name.split(".")[0], name, value, value, 0.0, "identical") for name, value in DIGESTS.items()),
        Step("metrics", "metrics.cv.logloss", "1", "1", 0.0, "identical"),
    ]
    assert (together(steps), first_divergence(steps)) == ("identical", None)


def test_how_long_it_took_does_not_count(store, made):
    one, other = (made(metrics={"duration_seconds": seconds}) for seconds in (1.0, 2.0))
    assert found(store, one, other) == ([], "identical")


@pytest.mark.parametrize(
    ("shift", "verdict", "all_together"),
    [
        (1e-7, "within tolerance", "within tolerance"),
        (1e-5, "diverged", "diverged first at fold.2020"),
    ],
)
def test_forecasts_that_differ_are_held_against_the_tolerance(store, made, shift, verdict, all_together):
    one = made(proba=PROBA)
    other = made(digests=DIGESTS | {"fold.2020": "other"}, proba=PROBA + np.array([[0, 0, 0], [shift, -shift, 0]]))
    (step,), whole = found(store, one, other)
    assert step == ("fold.2020", pytest.approx(shift, rel=1e-6), verdict)
    assert whole == all_together


def test_forecasts_of_the_holdout_are_compared_by_the_name_of_the_model(store, made):
    tables = [
        {f"{name}_{end}": [0.25 + shift] for name in ("final", "raw") for end in ("home", "draw", "away")}
        for shift in (0, 0.5)
    ]
    one, other = (
        made(digests={"model.raw": str(n)}, holdout=table | {"raw_home": [0.5 + n / 8]})
        for n, table in enumerate(tables)
    )
    assert found(store, one, other) == ([("model.raw", 0.5, "diverged")], "diverged first at model.raw")


@pytest.mark.parametrize("name", ["matches", "features.elo", "split.development", "fold.2019"])
def test_a_step_that_is_known_by_its_digest_alone_has_diverged_when_that_differs(store, made, name):
    steps, whole = found(store, made(), made(digests=DIGESTS | {name: "other"}))
    assert steps == [(name, pytest.approx(float("nan"), nan_ok=True), "diverged")]
    assert whole == f"diverged first at {name}"


def test_a_step_that_one_run_does_not_have_has_diverged(store, made):
    less = {name: value for name, value in DIGESTS.items() if name != "fold.2020"}
    for pair in ((made(), made(digests=less)), (made(digests=less), made())):
        assert found(store, *pair)[1] == "diverged first at fold.2020"


def test_the_first_of_several_is_the_one_data_meets_first(store, made):
    other = made(digests=DIGESTS | {"fold.2019": "x", "matches": "y", "split.development": "z"})
    assert found(store, made(), other)[1] == "diverged first at matches"


@pytest.mark.parametrize(
    ("metrics", "verdict"),
    [
        ({"cv.logloss": 1.0 + 1e-7}, "within tolerance"),
        ({"cv.logloss": 1.0 + 1e-5}, "diverged first at metrics.cv.logloss"),
        ({}, "diverged first at metrics.cv.logloss"),
        ({"cv.logloss": 1.0, "cv.rps": 0.2}, "diverged first at metrics.cv.rps"),
    ],
)
def test_scores_are_held_against_the_tolerance_and_a_missing_one_has_diverged(store, made, metrics, verdict):
    assert found(store, made(metrics={"cv.logloss": 1.0}), made(metrics=metrics))[1] == verdict


def test_of_a_trial_that_was_stopped_early_the_folds_that_it_ran_are_compared(store, made):
    first = {name: value for name, value in DIGESTS.items() if name != "fold.2020"}
    stopped = made(digests=first, metrics={"cv.logloss_estimate": 1.1}, tags={"trial.state": "pruned"})
    whole = made(metrics={"cv.logloss_mean": 1.0}, tags={"trial.state": "complete"})
    assert found(store, stopped, whole) == ([], "identical")
    changed = made(digests=DIGESTS | {"fold.2019": "other"}, tags={"trial.state": "complete"})
    assert found(store, stopped, changed)[1] == "diverged first at fold.2019"


def test_a_run_without_digests_is_told(store, made):
    without = made(digests=None)
    with pytest.raises(ModelError, match=f"Run {without.info.run_id} .* has no digests"):
        compare_runs(store, made(), without, TOLERANCE)
