"""stage=report from the command line to the files it writes, and the report that a final run keeps."""

import csv

import pytest

import finals
import program
from matchclf.stages.report import run as show
from reports_pages import check_offline


def test_the_registry_without_a_version_is_a_report_too(compose, tmp_path, monkeypatch, store, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO", "matchclf")
    show(compose("stage=report", f"tracking.uri={store.uri}", "registry.model_name=none-yet"))
    said = [entry.getMessage() for entry in caplog.records]
    assert said == [
        "none-yet has no version yet; stage=register makes one from a final run.",
        "written    data/reports/registry/report.html, and the same as Markdown and CSV beside it",
    ]
    check_offline((tmp_path / "data/reports/registry/report.html").read_text())


@pytest.mark.slow
def test_every_report_is_written_from_the_runs_alone(final_runs, tmp_path, monkeypatch, compose):
    folder, ids = final_runs
    monkeypatch.chdir(tmp_path)  # where nothing is but what the report writes
    monkeypatch.setattr("getpass.getuser", lambda: "someone")
    uri = f"tracking.uri=sqlite:///{folder}/mlflow.db"
    run_id = ids["logreg"]
    show(compose("stage=report", "what=model", f"run_id={run_id}", uri))
    show(compose("stage=report", "what=sweep", uri))
    show(compose("stage=report", "what=diff", f"run_a={run_id}", f"run_b={ids['hgb']}", uri))
    written = {path.parent.name.split("-")[0]: path for path in tmp_path.glob("data/reports/*/report.html")}
    assert set(written) == {"model", "sweep", "diff"}
    for path in written.values():
        check_offline(path.read_text())
    metrics = program.client(folder).get_run(run_id).data.metrics
    against = {one["against"]: one for one in rows(written["model"].with_name("against.csv"))}
    reference = against["logistic regression on all features"]
    logged = [metrics[f"difference.reference.{part}"] for part in ("mean", "low", "high")]
    assert [float(reference[name]) for name in ("model less it", "from", "to")] == pytest.approx(logged, abs=1e-12)
    jobs = rows(written["sweep"].with_name("scores.csv"))
    assert {one["run"] for one in jobs} >= set(ids.values())  # other tests copy these
    assert [float(one["log-loss"]) for one in jobs] == sorted(float(one["log-loss"]) for one in jobs)


@pytest.mark.slow
def test_a_final_run_keeps_its_card(final_runs):
    folder, ids = final_runs
    for run_id in ids.values():
        run = program.client(folder).get_run(run_id)
        html = program.artifact(folder, run, "report/report.html").read_text()
        check_offline(html)
        assert run_id in html
        assert f"{run.data.metrics['final.logloss']:.4f}" in html


@pytest.mark.slow
def test_the_registry_is_told_with_its_decisions(final_runs, tmp_path, monkeypatch, compose):
    folder, ids = final_runs
    monkeypatch.chdir(tmp_path)
    name = "registry.model_name=told"
    uri = f"tracking.uri=sqlite:///{folder}/mlflow.db"
    finals.stage(compose, "register", name, f"run_id={ids['logreg']}", uri)
    show(compose("stage=report", name, uri))
    check_offline((tmp_path / "data/reports/registry/report.html").read_text())
    (version,) = rows(tmp_path / "data/reports/registry/versions.csv")
    assert (version["version"], version["run"]) == ("1", ids["logreg"])
    decisions = rows(tmp_path / "data/reports/registry/decisions.csv")
    assert {one["verdict"] for one in decisions} <= {"passed", "gate failed"}
    assert decisions


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))
