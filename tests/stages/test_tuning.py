"""Searches as users run them, killed and resumed."""

import json
import os
import re
import signal
import time

import pandas as pd
import pytest

import program
from matchclf.stages.results import show_trials

SEARCH = (*program.TINY, "stage=tuning", "model=logreg", "frac=tenth", "tuning.racing=false")


def trials(folder):
    found = program.search(folder, "tags.`pipeline.stage` = 'optuna_trial'")
    return {run.info.run_name: run for run in found if "trial.state" in run.data.tags}


def points(folder):
    return {
        name: (run.data.params["logreg.C"], run.data.metrics["cv.logloss_mean"]) for name, run in trials(folder).items()
    }


def wait_for(process, folder, line):
    while line not in (folder / "out").read_text():
        assert process.poll() is None, (folder / "err").read_text()
        time.sleep(0.1)


def kill_after(process, folder, line):
    wait_for(process, folder, line)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    done = program.run(*SEARCH, "tuning.n_trials=6", cwd=folder)
    assert done.code == 0, done
    return folder, done


def test_one_parent_with_one_child_a_trial(searched):
    folder, _ = searched
    ((name, status, children),) = program.tree(folder)
    assert (name, status) == ("tuning | frac=0.1", "FINISHED")
    assert sorted(children) == [(f"trial | {number:03d}", "FINISHED") for number in range(6)]


def test_a_trial_has_the_tags_scores_and_parameters_of_the_contract(searched):
    folder, _ = searched
    (parent,) = program.parents(folder)
    for name, run in trials(folder).items():
        tags = run.data.tags
        expected = {
            "pipeline.run_kind": "tuning",
            "pipeline.stage": "optuna_trial",
            "pipeline.scope": "child",
            "pipeline.variant": "baseline",
            "features.profile": "full",
            "model.family": "linear",
            "trial.number": str(int(name.removeprefix("trial | "))),
            "mlflow.parentRunId": parent.info.run_id,
            "pipeline.params_hash": parent.data.tags["pipeline.params_hash"],
            "data.version": parent.data.tags["data.version"],
        }
        assert {key: tags.get(key) for key in expected} == expected
        assert tags["trial.params_hash"] != tags["pipeline.params_hash"]
        steps = [point.step for point in program.client(folder).get_metric_history(run.info.run_id, "cv.logloss")]
        assert sorted(steps) == list(range(2016, 2024))
        assert run.data.metrics["duration_seconds"] > 0


def test_the_parent_and_the_file_tell_of_the_best_trial(searched):
    folder, _ = searched
    (parent,) = program.parents(folder)
    best = min(trials(folder).values(), key=lambda run: run.data.metrics["cv.logloss_mean"])
    assert parent.data.metrics["best.cv.logloss_mean"] == best.data.metrics["cv.logloss_mean"]
    assert parent.data.tags["best.run_id"] == best.info.run_id
    assert parent.data.params["best.logreg.C"] == best.data.params["logreg.C"]
    written = json.loads((folder / "data/models/logreg_best_params.json").read_text())
    assert written["run_id"] == best.info.run_id
    assert written["params"] == {"logreg.C": float(best.data.params["logreg.C"])}
    assert written["data_hash"] == parent.data.tags["data.hash"]
    assert written["params_hash"] == parent.data.tags["pipeline.params_hash"]
    plots = {file.path for file in program.client(folder).list_artifacts(parent.info.run_id, "plots")}
    assert plots == {f"plots/{name}.png" for name in ("optimization_history", "parameter_importance", "slice")}


READS = """
import os
import matchclf.files as files
read = files.read_arrow

def told(source, columns=None):
    print(source.name, columns, sep="|", file=open(os.environ["READS"], "a"))
    return read(source, columns)

files.read_arrow = told
"""


def test_of_the_holdout_a_search_reads_only_the_dates(matchclf, tmp_path):
    env = program.hooked(tmp_path / "hook", READS, READS=str(tmp_path / "reads"), MLFLOW_DISABLE_TELEMETRY="true")
    done = matchclf(*SEARCH, "tuning.n_trials=1", **env)
    assert done.code == 0, done
    reads = [line.split("|") for line in (tmp_path / "reads").read_text().splitlines()]
    assert [columns for name, columns in reads if name == "test.parquet"] == ["['date']"]
    assert "dataset.parquet" not in [name for name, _ in reads]
    assert any(name == "train.parquet" and "elo_diff" in columns for name, columns in reads)


def test_each_trial_is_told_in_one_line(searched):
    _, done = searched
    lines = re.findall(r"^trial (\d{3}) +\d+\.\d s  log-loss \d\.\d{4}$", done.out, re.MULTILINE)
    assert lines == [f"{number:03d}" for number in range(6)]
    assert "Launching" not in done.out
    assert "5 to go, about" in done.out


@pytest.mark.slow
def test_an_interrupted_search_with_another_space_is_refused_until_it_is_forced(tmp_path):
    process = program.start(*SEARCH, "tuning.n_trials=40", cwd=tmp_path)
    wait_for(process, tmp_path, "trial 000")
    busy = program.run(*SEARCH, "tuning.n_trials=2", cwd=tmp_path)
    assert busy.code == 4
    assert f"is still running as process {process.pid}" in busy.err
    kill_after(process, tmp_path, "trial 000")
    other = "models.logreg.estimator.C=tag(log, interval(0.00001, 10))"
    refused = program.run(*SEARCH, "tuning.n_trials=2", other, cwd=tmp_path)
    assert refused.code == 2
    assert "had another search space; go on with it all the same with tuning.resume=force" in refused.err
    forced = program.run(*SEARCH, "tuning.n_trials=2", "tuning.resume=force", other, cwd=tmp_path)
    assert forced.code == 0, forced


def test_a_model_without_a_search_space_is_refused(matchclf):
    done = matchclf(*program.TINY, "stage=tuning", "model=dummy")
    assert done.code == 2
    assert (
        "stage=tuning tunes one model that has a search space; found model=dummy, choose one of hgb, logreg, xgb."
        in (done.err)
    )


def test_failed_trials_are_recorded_and_stop_the_search_beyond_the_budget(matchclf, tmp_path):
    bad = "models.logreg.estimator.C=interval(-2.0,-1.0)"
    done = matchclf(*SEARCH, bad, "tuning.n_trials=9", "tuning.max_failures=2")
    assert done.code == 1
    assert "3 trials failed, more than tuning.max_failures=2; the sweep stops." in done.err
    ((_, status, children),) = program.tree(tmp_path)
    assert status == "FAILED"
    assert sorted(children) == [(f"trial | {number:03d}", "FAILED") for number in range(3)]
    for run in program.search(tmp_path, "tags.`pipeline.stage` = 'optuna_trial'"):
        assert run.data.tags["status.reason"].startswith("InvalidParameterError: The 'C' parameter")


@pytest.mark.slow
def test_racing_stops_bad_trials_and_finds_the_same_best(tmp_path_factory):
    found = {}
    for racing in ("true", "false"):
        folder = tmp_path_factory.mktemp("racing")
        done = program.run(*SEARCH[:-1], f"tuning.racing={racing}", "tuning.n_trials=8", cwd=folder)
        assert done.code == 0, done
        found[racing] = folder
    states = [run.data.tags["trial.state"] for run in trials(found["true"]).values()]
    assert "pruned" in states
    best = [
        json.loads((folder / "data/models/logreg_best_params.json").read_text())["params"] for folder in found.values()
    ]
    assert best[0] == best[1]


def test_the_best_trials_stand_in_a_table_words_and_numbers():
    trials = pd.DataFrame(
        {
            "number": [0, 1, 2],
            "state": ["complete", "failed", "pruned"],
            "value": [1.05, float("nan"), 1.04],
            "logreg.C": [0.01234567, 2.0, 30.0],
            "logreg.solver": ["saga", "lbfgs", "newton-cg"],
        }
    )
    assert show_trials(trials, shown=2).splitlines() == [
        "The best 2 of 3 trials; 'pruned': stopped early, its log-loss is an estimate",
        "trial  state     log-loss  logreg.C  logreg.solver",
        "002    pruned      1.0400        30      newton-cg",
        "000    complete    1.0500   0.01235           saga",
    ]
