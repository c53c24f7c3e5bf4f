"""The report on a sweep: a search with its trials, or jobs side by side."""

import csv

import pytest

from matchclf.errors import ConfigError
from matchclf.reports.render import to_csv, to_html
from matchclf.reports.search import sweep_page
from matchclf.reports.sweep_runs import read_sweep
from matchclf.tracking import record, runs
from reports_pages import check_offline

SEARCH = {"pipeline.stage": "tuning", "pipeline.sweep_id": "search"}


def tables(page):
    return {one.name: list(csv.DictReader(to_csv(one).splitlines())) for one in page.tables()}


def test_a_search_tells_how_each_trial_ended_and_which_was_best(store, ended, trial):
    parent = ended("tuning | frac=0.1", SEARCH)
    record.record(parent, params={"search.models.xgb.estimator.max_depth": "int(interval(2,4))"})
    made = [
        trial(parent, 0, value=1.02, max_depth=2, eta=0.123456),
        trial(parent, 1, "failed", max_depth=9, eta=0.1),
        trial(parent, 2, value=1.01, max_depth=3, eta=0.1),
        trial(parent, 3, "pruned", value=1.005, max_depth=4, eta=0.1),
        trial(parent, 4, value=1.01, max_depth=4, eta=0.2),
    ]
    runs.finish(parent)
    page = sweep_page(read_sweep(store, "search"))
    found, ids = tables(page), [one.info.run_id for one in made]
    assert page.title == "Search: tuning | frac=0.1"
    assert page.sections[0].text[0].startswith("5 trials: 3 complete, 1 pruned, 1 failed.")
    assert page.sections[1].text == ("Trial 002 with a mean walk-forward log-loss of 1.0100 nats.",)
    assert [tuple(one.values()) for one in found["best"]] == [
        ("xgb.max_depth", "3", "int(interval(2,4))", ids[2]),
        ("xgb.eta", "0.1", "", ids[2]),
    ]
    assert [tuple(one.values()) for one in found["trials"]] == [
        ("3", "pruned", "1.005", "2.0", "4", "0.1", "", ids[3]),
        ("2", "complete", "1.01", "2.0", "3", "0.1", "", ids[2]),
        ("4", "complete", "1.01", "2.0", "4", "0.2", "", ids[4]),
        ("0", "complete", "1.02", "2.0", "2", "0.1235", "", ids[0]),
        ("1", "failed", "", "", "9", "0.1", "ValueError: no such depth", ids[1]),
    ]
    html = to_html(page)
    check_offline(html)
    assert html.count("<svg ") == 1


def test_importance_is_drawn_once_there_are_ten_trials(store, ended, trial):
    parent = ended("tuning | frac=0.1", SEARCH)
    for number in range(10):
        trial(parent, number, value=1 + 0.01 * number, max_depth=number, eta=0.1 + number % 3)
    runs.finish(parent)
    assert to_html(sweep_page(read_sweep(store, parent.id))).count("<svg ") == 2


def test_a_search_of_which_no_trial_is_complete_says_so(store, ended, trial):
    parent = ended("tuning | frac=0.1", SEARCH)
    trial(parent, 0, "failed", max_depth=1)
    runs.finish(parent, runs.FAILED, "No trial is complete")
    page = sweep_page(read_sweep(store, None))
    assert page.sections[1].text == ("No trial is complete; the table below has the reasons.",)
    check_offline(to_html(page))


def test_jobs_of_a_sweep_stand_side_by_side_best_first(store, job):
    made = [job(variant, skill=skill) for variant, skill in (("elo_only", 0.05), ("full", 0.2))]
    page = sweep_page(read_sweep(store, None))
    rows = tables(page)["scores"]
    assert [(one["job"], one["model"], one["status"], one["run"]) for one in rows] == [
        ("ablation | variant=full | frac=1.0", "logreg", "FINISHED", made[1].info.run_id),
        ("ablation | variant=elo_only | frac=1.0", "logreg", "FINISHED", made[0].info.run_id),
    ]
    assert float(rows[0]["log-loss"]) == made[1].data.metrics["cv.logloss_mean"]
    check_offline(to_html(page))


def test_without_a_sweep_it_is_said_how_to_make_one(store):
    with pytest.raises(ConfigError, match="There is no sweep yet; run stage=tuning, or another stage with --multirun"):
        read_sweep(store, None)
    with pytest.raises(ConfigError, match=r"No run belongs to sweep=x; give the value of a tag pipeline\.sweep_id"):
        read_sweep(store, "x")
