"""The report on an ablation, from runs whose forecasts are known."""

import csv

import numpy as np
import pytest

from matchclf.metrics import match_losses
from matchclf.reports import learning
from matchclf.reports.ablation import ablation_page
from matchclf.reports.ablation_runs import read_ablation
from matchclf.reports.page import Plot
from matchclf.reports.render import to_csv, to_html, to_markdown
from reports_pages import check_offline
from reports_runs import facts, forecast

EVIL = "<script>x</script>"


def table(page, name):
    (found,) = [one for one in page.tables() if one.name == name]
    return list(csv.DictReader(to_csv(found).splitlines()))


def sections(page):
    return {one.title: one for one in page.sections}


@pytest.fixture
def read(store):
    return lambda: ablation_page(store, read_ablation(store, "sweep"))


def test_every_number_is_that_of_its_run(job, read, store):
    runs = {variant: job(variant, skill=skill) for variant, skill in (("full", 0.1), ("elo_only", 0.05), ("more", 0.2))}
    job("full", sweep="another")
    page, matches = read(), facts()
    target = matches["outcome_1x2"].to_numpy()
    losses = {
        name: match_losses(target, forecast(matches, skill))["logloss"]
        for name, skill in (("full", 0.1), ("elo_only", 0.05), ("more", 0.2))
    }
    rows = table(page, "differences_logloss")
    assert [(one["variant"], one["model"], one["verdict"]) for one in rows] == [
        ("elo_only", "logreg", "worse"),
        ("more", "logreg", "better"),
    ]
    for one in rows:
        name = one["variant"]
        expected = losses[name].mean(), (losses[name] - losses["full"]).mean()
        np.testing.assert_allclose((float(one["mean"]), float(one["difference"])), expected)
        assert float(one["from"]) < expected[1] < float(one["to"])
        assert one["run"] == runs[name].info.run_id
    priced = matches[[f"odds_{name}" for name in ("home", "draw", "away")]].notna().all(axis=1).to_numpy()
    for one in table(page, "bookmaker"):
        np.testing.assert_allclose(float(one["mean"]), losses[one["variant"]][priced].mean())
        assert one["run"] == runs[one["variant"]].info.run_id
    for one in table(page, "by_division"):
        inside = (matches["division"] == one["slice"]).to_numpy()
        difference = (losses[one["variant"]] - losses["full"])[inside].mean()
        np.testing.assert_allclose(float(one["difference"]), difference)
        assert (int(one["matches"]), one["run"]) == (inside.sum(), runs[one["variant"]].info.run_id)
    scores = {(one["variant"], one["model"]): one for one in table(page, "scores")}
    assert list(scores) == [("more", "logreg"), ("full", "logreg"), ("elo_only", "logreg"), ("baseline", "prior")]
    assert scores["baseline", "prior"]["log-loss"] == "1.07"
    assert (
        scores["baseline", "prior"]["run"]
        == store.client.get_run(runs["more"].info.run_id).data.tags["mlflow.parentRunId"]
    )
    assert {one["run id"] for one in table(page, "runs")} >= {one.info.run_id for one in runs.values()}


def test_the_page_has_a_plot_of_each_kind_and_refers_to_nothing(job, read):
    for variant in ("full", "elo_only"):
        job(variant)
    page = read()
    plots = [block.shows for section in page.sections for block in section.blocks if isinstance(block, Plot)]
    assert [told.split(":")[0] for told in plots] == [
        "Difference in log-loss from full with its interval, one panel a model, one row a variant.",
        "By division",
        "By season",
        "By Elo gap (points, home less away, home advantage included)",
        "How much more often each outcome happened than forecast, by forecast probability and variant.",
    ]
    html = to_html(page)
    check_offline(html)
    assert html.count("<svg ") == len(plots)


def test_runs_of_an_older_kind_are_read_and_what_they_lack_is_said(job, read):
    for variant in ("full", "elo_only"):
        job(variant, table=facts(gaps=False, odds=False))
    page = read()
    assert "Against the bookmaker" not in sections(page)
    assert sections(page)["Where it differs from full"].text[-1] == (
        "No slices by Elo gap: no run of this sweep stored it with its forecasts, as runs do since then."
    )
    assert {one.name for one in page.tables()} >= {"by_division", "by_season"}


def test_the_elo_gap_is_taken_from_a_run_that_has_it(job, read):
    job("full")
    job("market_only", table=facts(gaps=False))
    assert "by_elo_gap" in {one.name for one in read().tables()}


def test_names_and_tags_of_users_are_shown_and_nothing_else(job, read):
    job("full", model=EVIL)
    job(EVIL, model=EVIL, **{"pipeline.git_sha": EVIL, "data.source_key": EVIL})
    page = read()
    html = to_html(page)
    check_offline(html)
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "<script" not in to_markdown(page)


def test_the_learning_curve_has_the_runs_that_differ_in_the_fraction_alone(job, read):
    job("full")
    job("elo_only")
    assert "learning_curve" not in {one.name for one in read().tables()}
    assert sections(read())["Learning curve"].text[0].startswith("Every variant was run with one share")
    old = job("full", frac=0.1, sweep="earlier", skill=0.02)
    new = job("full", frac=0.1, sweep="later", skill=0.05)
    job("full", frac=0.5, sweep="other data", **{"data.hash": "e" * 32})
    job("full", frac=0.25, sweep="other features", **{"pipeline.params_hash_features": "g" * 16})
    rows = table(read(), "learning_curve")
    assert [(one["variant"], one["frac"]) for one in rows] == [("full", "0.1"), ("full", "1.0")]
    assert rows[0]["run"] == new.info.run_id != old.info.run_id
    assert float(rows[0]["log-loss"]) == new.data.metrics["cv.logloss_mean"]


def test_no_stored_settings_are_read_where_all_runs_have_one_share(job, read, monkeypatch):
    job("full")
    job("elo_only")
    job("full", sweep="earlier")

    def read_config(store, run_id):
        raise AssertionError(run_id)

    monkeypatch.setattr(learning, "read_config", read_config)
    assert "learning_curve" not in {one.name for one in read().tables()}
    job("full", frac=0.1, sweep="later")
    with pytest.raises(AssertionError):
        read()
