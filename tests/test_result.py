import json

import pytest

import program

SMALL = [*program.TINY, program.TWO]
SCORES = {"accuracy", "brier", "ece", "logloss", "roc_auc_ovr", "rps"}


def told(done):
    """The only line of standard output."""
    (line,) = done.out.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept")
    return folder, program.run(
        *SMALL, "stage=ablation", "--multirun", "variant=elo_only,full", "output=json", cwd=folder
    )


def test_a_sweep_tells_its_runs_as_mlflow_has_them(swept):
    folder, done = swept
    found = told(done)
    assert (found["exit_code"], found["error"], found["experiment"]) == (0, None, "matches_clf")
    stored = program.parents(folder)
    assert [one["run_id"] for one in found["runs"]] == [one.info.run_id for one in stored]
    for one, parent in zip(found["runs"], stored, strict=True):
        children = program.children(folder, parent)
        assert (one["name"], one["status"]) == (parent.info.run_name, "FINISHED")
        assert [(child["name"], child["run_id"]) for child in one["children"]] == [
            (f"model | {name}", child.info.run_id) for name, child in children.items()
        ]
        for child in one["children"]:
            stored_child = children[child["name"].removeprefix("model | ")]
            assert child["metrics"] == stored_child.data.metrics
            assert {f"cv.{name}_mean" for name in SCORES} <= child["metrics"].keys()
    assert "logreg" in done.err  # what a person reads


def test_a_single_run_and_its_failure_are_told(matchclf, tmp_path):
    done = matchclf(*SMALL, "experiment=smoke", "output=json")
    assert [one["status"] for one in told(done)["runs"]] == ["FINISHED"]
    failed = matchclf(*SMALL, "models.logreg.estimator.C=-1", "output=json")
    found = told(failed)
    assert (failed.code, found["exit_code"]) == (1, 1)
    assert found["error"] == "1 of 2 models failed: logreg; the tag status.reason of each child run has the cause."
    assert [child["status"] for child in found["runs"][0]["children"]] == ["FINISHED", "FAILED"]


def test_what_cannot_be_composed_is_told_too(matchclf):
    done = matchclf("variant=elo", "output=json")
    found = told(done)
    assert (done.code, found["exit_code"]) == (2, 2)
    assert found["error"].startswith("variant=elo is unknown; choose one of ")


def test_stages_without_runs_tell_what_they_wrote(swept, matchclf):
    folder, _ = swept
    assert told(matchclf(*SMALL, "stage=prepare", "output=json", cwd=folder)) == {
        "exit_code": 0,
        "error": None,
        "data_version": program.parents(folder)[0].data.tags["data.version"],
        "written": ["data/processed/dataset.parquet", "data/splits/train.parquet", "data/splits/test.parquet"],
    }
    report = told(matchclf("stage=report", "what=ablation", "output=json", cwd=folder))["written"]
    assert (folder / report).is_file()


@pytest.mark.slow
def test_a_reproduction_tells_its_verdict_alone(swept, matchclf):
    folder, _ = swept
    run_id = program.parents(folder)[0].info.run_id
    found = told(matchclf("stage=reproduce", f"run_id={run_id}", "output=json", cwd=folder))
    assert (found["exit_code"], found["run_id"], found["verdict"]) == (0, run_id, "identical")
    assert (folder / found["written"]).is_file()
    quiet = matchclf("stage=reproduce", f"run_id={run_id}", "output=quiet", cwd=folder)
    assert (quiet.code, quiet.out) == (0, "")


def test_quiet_is_quiet_and_errors_are_told_all_the_same(matchclf, tmp_path):
    done = matchclf(*SMALL, "experiment=smoke", "output=quiet")
    assert (done.code, done.out) == (0, "")
    (log,) = tmp_path.glob("multirun/*/*/matchclf.log")
    assert "logreg" in log.read_text()
    failed = matchclf(*SMALL, "models.logreg.estimator.C=-1", "output=quiet")
    assert failed.out == ""
    assert failed.err.splitlines()[-1].startswith("Error: 1 of 2 models failed: logreg; ")


def test_how_it_is_shown_changes_no_result(compose):
    from matchclf.identity import params_hash

    assert len({params_hash(compose(f"output={name}")) for name in ("text", "quiet", "json")}) == 1
    assert params_hash(compose("forecasts=mine.csv")) == params_hash(compose())


def test_the_former_key_of_the_forecasts_is_refused_with_the_choices(matchclf):
    done = matchclf("stage=predict", "output=forecasts.csv")
    assert (done.code, done.err) == (
        2,
        "Error: output=forecasts.csv is unknown; choose one of json, quiet, text.\n",
    )
