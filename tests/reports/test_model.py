"""The model card of a final run whose forecasts are known."""

import csv

import numpy as np
import pandas as pd
import pytest

from matchclf.errors import ModelError
from matchclf.metrics import match_losses, score
from matchclf.paired import paired_difference
from matchclf.reports.final_runs import read_final
from matchclf.reports.model import model_page
from matchclf.reports.render import to_csv, to_html
from matchclf.tracking import record, runs
from reports_pages import check_offline
from reports_runs import OUTCOMES, facts, forecast

PARAMS = {
    "model.name": "xgb",
    "model.class": "xgboost.XGBClassifier",
    "model.calibration": "temperature",
    "data.train_rows": 5000,
    "data.frac": 1.0,
    "features.families": "elo,form",
}
SKILLS = {"final": 0.1, "raw": 0.09, "reference": 0.05, "bookmaker": 0.2, "prior": 0.0}


def forecasts(odds=True):
    """A table as a final run stores it; every third match has no price."""
    table = facts(odds=False)
    for name, skill in SKILLS.items():
        table[[f"{name}_{one}" for one in OUTCOMES]] = forecast(table, skill)
    if not odds:
        return table.drop(columns=[f"bookmaker_{one}" for one in OUTCOMES])
    table.loc[::3, [f"bookmaker_{one}" for one in OUTCOMES]] = np.nan
    return table


@pytest.fixture
def final(store, ended):
    """A final run with these forecasts and tags, as its report reads it."""

    def make(table=None, **tags):
        table = forecasts() if table is None else table
        run = ended("final_train | model=xgb", {"pipeline.stage": "final_train", "holdout.reading": "1", **tags})
        scores = score(table["outcome_1x2"].to_numpy(), table[[f"final_{one}" for one in OUTCOMES]].to_numpy())
        metrics = {f"final.{name}": value for name, value in scores.items()} | {"final.ece_raw": 0.05}
        record.record(run, PARAMS, metrics)
        record.keep_table(run, table, "predictions/holdout.parquet")
        importance = pd.DataFrame({"feature": ["b", "a"], "mean": [0.001, 0.002], "std": [0.0001, 0.0002]})
        record.keep_table(run, importance, "importance/features.parquet")
        runs.finish(run)
        return read_final(store, run.id)

    return make


def tables(page):
    return {one.name: list(csv.DictReader(to_csv(one).splitlines())) for one in page.tables()}


def limits(page):
    return next(one.text for one in page.sections if one.title == "Known limits")


def test_the_card_has_the_scores_of_the_model_and_of_all_it_is_held_against(final):
    made, table = final(), forecasts()
    page = model_page(made, {"3": "candidate, champion"})
    found = tables(page)
    target = table["outcome_1x2"].to_numpy()
    proba = {name: table[[f"{name}_{one}" for one in OUTCOMES]].to_numpy() for name in SKILLS}
    told = {"this model": "final", "before calibration": "raw", "logistic regression on all features": "reference"}
    told |= {"bookmaker": "bookmaker", "class prior": "prior"}
    assert [one["against"] for one in found["against"]] == list(told)[1:]
    for one in found["against"]:
        name = told[one["against"]]
        rows = np.arange(len(table)) % 3 > 0 if name == "bookmaker" else np.full(len(table), True)
        ours, theirs = (match_losses(target[rows], proba[key][rows])["logloss"] for key in ("final", name))
        difference = paired_difference(ours, theirs, table["date"][rows])
        assert (int(one["matches"]), one["run"]) == (rows.sum(), made.run.info.run_id)
        np.testing.assert_allclose(float(one["its log-loss"]), theirs.mean())
        expected = difference.mean, difference.low, difference.high
        np.testing.assert_allclose([float(one[key]) for key in ("model less it", "from", "to")], expected)
    scores = {one["score"]: one for one in found["scores"]}
    for name in ("log-loss", "Brier", "RPS"):
        assert float(scores[name]["from"]) < float(scores[name]["value"]) < float(scores[name]["to"])
    for name, key in (("log-loss", "logloss"), ("accuracy", "accuracy"), ("ECE", "ece")):
        np.testing.assert_allclose(float(scores[name]["value"]), made.run.data.metrics[f"final.{key}"])
    assert [one["feature"] for one in found["importance"]] == ["a", "b"]
    assert dict(page.facts)["Registered"] == "version 3 candidate, champion"
    html = to_html(page)
    check_offline(html)
    assert html.count("<svg ") == 6


def test_limits_are_told_from_the_run(final):
    assert limits(model_page(final(), {})) == (
        "It was trained on 5,000 matches up to 2023-12-31 (fraction 1.0 of the development part) and tested on the "
        "divisions E0, E1; nothing is known of others.",
        "It sees only what these families of features tell: elo, form.",
        "It forecasts the result after full time, home win, draw or away win, and nothing else.",
    )
    table = forecasts(odds=False)
    table[[f"final_{one}" for one in OUTCOMES]] = [0.5, 0.2, 0.3]
    tags = {"holdout.reading": "3", "pipeline.run_kind": "smoke", "pipeline.git_dirty": "true"}
    told = " ".join(limits(model_page(final(table, **tags, **{"pipeline.git_diff": "cut"}), {})))
    for part in (
        "It is a smoke run",
        "The holdout was read 3 times",
        "Draws are the most probable outcome in 0.0% of the matches",
        "Away wins are the most probable",
        "The code had uncommitted changes; what is stored of them is cut.",
    ):
        assert part in told


def test_without_prices_the_slices_are_held_against_the_prior(final):
    page = model_page(final(forecasts(odds=False)), {})
    titles = [one.title for one in page.tables() if one.name == "by_division"]
    assert titles == ["By division: log-loss less that of the class prior, nats"]
    assert dict(page.facts)["Registered"] == "no"


def test_texts_of_a_run_are_text(final):
    table = forecasts()
    table["division"] = "<script>x</script>"
    page = model_page(final(table, **{"pipeline.git_sha": "<script>", "data.source_key": "<img src=//x>"}), {})
    check_offline(to_html(page))


def test_a_run_without_forecasts_of_the_holdout_is_refused(store, ended):
    run = ended("ablation", {"pipeline.stage": "ablation"})
    with pytest.raises(
        ModelError, match=f"Run {run.id} is of stage ablation; a model card needs one of stage final_tr"
    ):
        read_final(store, run.id)
    early = ended("final", {"pipeline.stage": "final_train"})
    with pytest.raises(ModelError, match=r"has no predictions/holdout\.parquet; it did not get as far as the holdout"):
        read_final(store, early.id)
    for one in (run, early):
        runs.finish(one)
