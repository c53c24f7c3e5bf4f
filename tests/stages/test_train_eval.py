import json
import shutil

import numpy as np
import pandas as pd
import pytest

import program

HOLDOUT = ["logloss", "brier", "rps", "accuracy", "ece", "roc_auc_ovr"]


def kept(folder):
    return json.loads((folder / "data/models/run_id.json").read_text())


@pytest.fixture(scope="module")
def by_holdout(league, tmp_path_factory):
    """A train_eval that picks by the holdout, on the data of the league, and its end."""
    folder = tmp_path_factory.mktemp("by_holdout")
    shutil.copytree(league[0] / "data", folder / "data")
    done = program.run(*program.TINY, program.TWO, "stage.select_by=holdout", cwd=folder)
    assert done.code == 0, done
    return folder, done


def test_run_id_json_names_the_child_with_the_lowest_walk_forward_log_loss(league):
    folder, _ = league
    (parent,) = program.parents(folder, "train_eval%")
    scores = {name: run.data.metrics["cv.logloss_mean"] for name, run in program.children(folder, parent).items()}
    best = min(scores, key=scores.get)
    assert len(set(scores.values())) == 2
    run = program.children(folder, parent)[best]
    assert kept(folder) == {
        "run_id": run.info.run_id,
        "parent_run_id": parent.info.run_id,
        "experiment_name": "matches_clf",
        "run_kind": "train_eval",
        "model": best,
        "select_by": "cv",
        "logloss": scores[best],
        "params_hash": parent.data.tags["pipeline.params_hash"],
        "data_hash": run.data.tags["data.hash"],
    }
    assert parent.data.tags["best.run_id"] == run.info.run_id
    assert parent.data.tags["best.model"] == best
    assert parent.data.metrics["best.logloss"] == scores[best]


def test_a_smoke_run_says_in_run_id_json_that_it_is_one(league):
    folder, done = league
    assert "models/run_id.json" in done["smoke train_eval"].files
    (parent,) = program.parents(folder, "smoke | train_eval%")
    assert parent.data.tags["best.run_id"] in {run.info.run_id for run in program.children(folder, parent).values()}


def test_an_ablation_tells_its_best_model_on_the_parent_and_writes_no_winner(league):
    folder, done = league
    for name in ("ablations", "smoke ablation"):
        assert [path for path in done[name].files if path.startswith("models")] == []
    for parent in program.search(folder, "tags.`pipeline.stage` = 'ablation' and tags.`pipeline.scope` = 'parent'"):
        scores = {
            name: child.data.metrics["cv.logloss_mean"] for name, child in program.children(folder, parent).items()
        }
        assert parent.data.tags["best.model"] == min(scores, key=scores.get)
        assert parent.data.metrics["best.logloss"] == min(scores.values())


def test_picking_by_the_holdout_is_tagged_on_every_run_and_said_in_the_log(by_holdout):
    folder, done = by_holdout
    assert [run.data.tags.get("holdout.touched") for run in program.search(folder)] == ["true"] * 3
    assert "holdout    read to pick a model: it is no longer blind" in done.out
    assert "prepare    kept" in done.out


def test_no_run_says_it_touched_the_holdout_unless_asked_to(league):
    folder, done = league
    assert len(program.search(folder)) == 21
    assert program.search(folder, "tags.`holdout.touched` LIKE '%'") == []
    assert not [key for run in program.search(folder) for key in run.data.metrics if key.startswith("holdout")]
    assert "holdout" not in done["train_eval"].out


def test_picking_by_the_holdout_picks_the_lowest_log_loss_on_it(by_holdout):
    folder, _ = by_holdout
    (parent,) = program.parents(folder)
    runs = program.children(folder, parent)
    scores = {name: run.data.metrics["holdout.logloss"] for name, run in runs.items()}
    best = min(scores, key=scores.get)
    expected = {"model": best, "run_id": runs[best].info.run_id, "logloss": scores[best], "select_by": "holdout"}
    assert {key: kept(folder)[key] for key in expected} == expected


def test_holdout_scores_are_those_of_a_model_fitted_on_all_development_matches(by_holdout):
    folder, _ = by_holdout
    outcomes = {
        part: pd.read_parquet(folder / f"data/splits/{part}.parquet")["outcome_1x2"] for part in ("train", "test")
    }
    prior = outcomes["train"].value_counts(normalize=True)
    (parent,) = program.parents(folder)
    metrics = program.children(folder, parent)["dummy"].data.metrics
    assert np.isclose(metrics["holdout.logloss"], -np.log(prior[outcomes["test"]]).mean(), rtol=1e-12)
    assert np.isclose(metrics["holdout.accuracy"], (outcomes["test"] == prior.idxmax()).mean(), rtol=1e-12)
    assert {key.removeprefix("holdout.") for key in metrics if key.startswith("holdout.")} == set(HOLDOUT)
