"""The verdicts at the end of a sweep of ablations, and asked for later."""

import re

import pandas as pd
import pytest

import program
from matchclf.config import Tracking
from matchclf.errors import ConfigError
from matchclf.metrics import match_losses
from matchclf.paired import paired_difference
from matchclf.reports.ablation_runs import read_ablation
from matchclf.stages.ablation_report import tell_sweep
from matchclf.tracking.store import open_store
from reports_pages import check_offline

VARIANTS = ("elo_only", "stats_only", "full_no_h2h")
PROBA = ["prob_home", "prob_draw", "prob_away"]


def forecasts(folder, variant, model):
    (parent,) = program.parents(folder, f"ablation | variant={variant} | frac=1.0")[:1]
    child = program.children(folder, parent)[model]
    return pd.read_parquet(program.artifact(folder, child, "predictions/out_of_fold.parquet"))


def rows_of(told, loss):
    """The cells of a table, by variant and model."""
    lines = told[told.index(f"\n\n{loss}\n") :].split("\n\n")[1].splitlines()[2:]
    cells = [re.split(" {2,}", line) for line in lines]
    return {(one[0], one[1]): one[2:] for one in cells}


@pytest.mark.parametrize(("loss", "name"), [("log-loss", "logloss"), ("RPS", "rps")])
def test_each_variant_is_held_against_all_features_match_by_match(league, loss, name):
    folder, done = league
    rows = rows_of(done["ablations"].out, loss)
    assert set(rows) == {(variant, model) for variant in VARIANTS for model in ("dummy", "logreg")}
    for (variant, model), (mean, less, low, high, _, verdict) in rows.items():
        ours, full = forecasts(folder, variant, model), forecasts(folder, "full", model)
        losses = [match_losses(one["outcome_1x2"].to_numpy(), one[PROBA].to_numpy())[name] for one in (ours, full)]
        difference = paired_difference(*losses, ours["date"])
        assert (mean, less) == (f"{losses[0].mean():.4f}", f"{difference.mean:+.4f}")
        # Right for all rows together, so wider than the interval of one.
        assert float(low) <= difference.low + 1e-4
        assert float(high) >= difference.high - 1e-4
        assert verdict.startswith(
            "no difference" if float(low) <= 0 <= float(high) else ("worse", "better")[float(high) < 0]
        )


def test_the_report_says_the_same_later(league):
    folder, done = league
    again = program.run("stage=report", "what=ablation", cwd=folder)
    assert again.code == 0, again
    *said, written = again.out.strip().splitlines()
    assert "\n".join(said) in done["ablations"].out
    assert re.fullmatch(
        r"written +data/reports/ablation-[-\d]+/report\.html, and the same as Markdown and CSV beside it", written
    )


def test_a_sweep_that_is_not_there_has_no_verdict(league):
    folder, _ = league
    store = open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf", folder)
    assert read_ablation(store, "another") is None
    assert tell_sweep(store, "another") == ""


def test_without_a_sweep_the_report_says_how_to_make_one(compose, tmp_path, monkeypatch):
    from matchclf.stages import report

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError, match="There is no sweep of ablations yet; run stage=ablation --multirun"):
        report.run(compose("stage=report", "what=ablation"))
    with pytest.raises(
        ConfigError, match="The sweep x has no finished ablation of another variant beside variant=full"
    ):
        report.run(compose("stage=report", "what=ablation", "sweep=x"))


def test_each_parent_of_the_sweep_has_the_report_that_is_written_later(league):
    folder, _ = league
    (html,) = folder.glob("data/reports/ablation-*/report.html")
    later = html.read_text()
    check_offline(later)
    parents = [one for one in program.parents(folder) if one.data.tags["pipeline.sweep_id"] != "none"]
    assert len(parents) == 4
    kept = [program.artifact(folder, one, "report/report.html").read_text() for one in parents]
    untimed = {re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d</dd>", "", one) for one in [*kept, later]}
    assert len(set(kept)) == 1
    assert len(untimed) == 1
