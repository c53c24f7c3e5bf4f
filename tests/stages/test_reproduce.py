"""Runs made again from their ids alone, by the program in a repository that has moved on."""

import json

import numpy as np
import pytest
import yaml
from mlflow.tracking import MlflowClient

import finals
import program
import projects
from dvc_repo import git
from matchclf.errors import ConfigError, ModelError, SourceError
from matchclf.lineage.git import MAX_DIFF_BYTES
from matchclf.stages import reproduce

EXPERIMENT = "matches_clf_reproduction"


@pytest.fixture
def project(history, monkeypatch):
    """The folder and the ids; what runs in this process takes it for the repository of the code."""
    folder, ids = history
    monkeypatch.chdir(folder)
    monkeypatch.setattr(reproduce, "PACKAGE", folder / "src/matchclf")
    return folder, ids


@pytest.fixture
def again(compose):
    """Make a run again in this process; the run itself is made by a process of its own."""
    return lambda run_id, *more: reproduce.run(compose("stage=reproduce", f"run_id={run_id}", *more))


def client(folder) -> MlflowClient:
    return program.client(folder)


def reproductions(folder, run_id=None):
    """Parent runs of the experiment for reproductions, of this run or of all."""
    found = client(folder).get_experiment_by_name(EXPERIMENT)
    query = "tags.`pipeline.scope` = 'parent'" + (f" and tags.`reproduction.of` = '{run_id}'" if run_id else "")
    return client(folder).search_runs([found.experiment_id], query) if found else []


def written(folder, run_id):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads((folder / f"data/reproductions/{run_id}.json").read_text(), parse_constant=refuse)


def worktrees(folder):
    return git(folder, "worktree", "list").splitlines()


def verdicts(found):
    return {step["name"]: step["verdict"] for step in found["steps"]}


def config_changed(change):
    """A change of a run's artifacts: another resolved config."""

    def changed(folder):
        path = folder / "config/resolved.yaml"
        settings = yaml.safe_load(path.read_text())
        change(settings)
        path.write_text(yaml.safe_dump(settings))

    return changed


def test_an_ablation_is_made_again_by_one_command_after_code_and_data_moved_on(history):
    folder, ids = history
    run_id = ids["ablation | variant=full"]
    before, status = projects.contents(folder), git(folder, "status", "--porcelain")
    done = projects.run(folder, "stage=reproduce", f"run_id={run_id}")
    assert done.code == 0, done
    assert f"verdict    identical; written to data/reproductions/{run_id}.json" in done.out
    assert (worktrees(folder), projects.contents(folder)) == ([worktrees(folder)[0]], before)
    assert git(folder, "status", "--porcelain") == status

    (made,) = reproductions(folder, run_id)
    original = client(folder).get_run(run_id)
    assert (made.info.status, made.info.run_name) == ("FINISHED", "reproduction | ablation | variant=full | frac=1.0")
    assert made.data.tags["reproduction.verdict"] == "identical"
    same = ("pipeline.params_hash", "data.hash", "mlflow.source.git.commit", "pipeline.stage", "data.source_md5")
    assert [made.data.tags[name] for name in same] == [original.data.tags[name] for name in same]
    assert made.data.tags["mlflow.source.git.commit"] == projects.sha(folder, "HEAD~1")
    assert (made.data.metrics, made.data.params) == (original.data.metrics, original.data.params)

    found = written(folder, run_id)
    assert {name: found[name] for name in ("run_id", "reproduction", "verdict")} == {
        "run_id": run_id,
        "reproduction": made.info.run_id,
        "verdict": "identical",
    }
    families = ("elo", "poisson", "chances", "season", "form", "h2h", "rest")
    shared = ["matches", *(f"features.{name}" for name in families), "split.development", "split.holdout"]
    of_a_model = [*shared, "fold.2019", "fold.2020"]
    digests = {
        *shared,
        *(f"model | {model}: {step}" for model in ("dummy", "logreg") for step in of_a_model),
    }
    assert {step["name"] for step in found["steps"] if "metrics." not in step["name"]} == digests
    assert set(verdicts(found).values()) == {"identical"}
    stored = program.artifact(folder, made, f"reproduction/{run_id}.json")
    assert json.loads(stored.read_text()) == found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "steps"),
    [
        ("tuning", "trial", ["fold.2019", "fold.2020"]),
        ("final_train | model=logreg", "final_train | model=logreg", ["model.final", "model.reference"]),
        ("trial | 000", "trial | 000", ["fold.2019", "fold.2020"]),
        ("model | logreg", "model | logreg", ["fold.2019", "fold.2020"]),
    ],
)
def test_a_run_of_every_other_kind_is_identical_too(project, again, name, of, steps):
    folder, ids = project
    best = client(folder).get_run(ids["tuning"]).data.tags["best.run_id"]
    run_id = best if of == "trial" else ids[of]
    again(ids[name])
    (made,) = reproductions(folder, run_id)
    assert made.data.tags["reproduction.verdict"] == "identical"
    told = verdicts(written(folder, run_id))
    assert [step for step in told if step.startswith(("fold.", "model."))] == steps
    assert set(told.values()) == {"identical"}
    assert len(worktrees(folder)) == 1


def copied(folder, run_id, *arguments, **tags):
    return finals.copy_run(client(folder), run_id, *arguments, **tags)


def diverging(again, folder, run_id):
    """The step at which it diverged, as error, tag and file tell it alike."""
    with pytest.raises(ModelError, match="diverged first at") as told:
        again(run_id)
    assert told.value.exit_code == 1
    step, _, values = str(told.value).partition("diverged first at ")[2].partition(": ")
    (made,) = reproductions(folder, run_id)
    found = written(folder, run_id)
    assert found["verdict"] == made.data.tags["reproduction.verdict"] == f"diverged first at {step}"
    first = next(one for one in found["steps"] if one["name"] == step)
    assert values == f"{first['before']} before, {first['after']} now."
    assert first["before"] != first["after"]
    return step, found


def test_changed_code_of_a_feature_is_caught_at_this_feature(history):
    folder, ids = history
    run_id = copied(folder, ids["model | dummy"], mlflow__source__git__commit=projects.sha(folder))
    done = projects.run(folder, "stage=reproduce", f"run_id={run_id}")
    assert (done.code, "diverged first at features.elo: " in done.err) == (1, True), done
    told = verdicts(written(folder, run_id))
    assert [name for name, verdict in told.items() if verdict != "identical"] == ["features.elo"]
    assert len(worktrees(folder)) == 1


@pytest.mark.slow
def test_a_changed_model_is_caught_at_its_first_fold(project, again):
    folder, ids = project
    change = config_changed(lambda settings: settings["models"]["logreg"]["estimator"].update(C=5.0))
    step, found = diverging(again, folder, copied(folder, ids["model | logreg"], change))
    assert step == "fold.2019"
    (gap,) = [one["gap"] for one in found["steps"] if one["name"] == step]
    assert 0.05 < gap < 1
    assert {verdict for name, verdict in verdicts(found).items() if name < "fold"} == {"identical"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda settings: settings["data"].update(season_start="01-01"), "matches"),
        (lambda settings: settings["features"]["families"]["form"].update(windows=[4]), "features.form"),
        (lambda settings: settings["temporal"].update(test_start="2023-02-01"), "split.development"),
    ],
)
def test_a_change_before_the_model_is_caught_at_the_step_it_enters(project, again, change, expected):
    folder, ids = project
    step, found = diverging(again, folder, copied(folder, ids["model | logreg"], config_changed(change)))
    assert step == expected
    assert [one["gap"] for one in found["steps"] if one["name"] == step] == [None]


@pytest.mark.slow
def test_a_run_that_fails_when_it_is_made_again_says_so_and_leaves_no_worktree(project, again, capfd):
    folder, ids = project
    change = config_changed(lambda settings: settings["models"]["logreg"]["estimator"].update(C=-1.0))
    with pytest.raises(ModelError, match="could not be made again: it stopped with exit code 1"):
        again(copied(folder, ids["model | logreg"], change))
    assert "Traceback" not in capfd.readouterr().err
    assert len(worktrees(folder)) == 1


def test_the_plan_is_shown_and_nothing_is_started(project, again, caplog):
    folder, ids = project
    run_id = ids["ablation | variant=full"]
    caplog.set_level("INFO")
    before = len(reproductions(folder))
    again(run_id, "reproduce.dry_run=true")
    tags = client(folder).get_run(run_id).data.tags
    assert caplog.messages == [
        f"reproduce  ablation | variant=full | frac=1.0 ({run_id})\n"
        f"code       {projects.sha(folder, 'HEAD~1')} of {folder}\n"
        f"data       file: raw/E0.csv, MD5 {tags['data.source_md5']}\n"
        "packages   0 differ"
    ]
    assert len(reproductions(folder)) == before


def test_the_plan_names_packages_that_changed_with_the_version_then_and_now(project, again, caplog):
    folder, ids = project

    def change(copy):
        path = copy / "lineage/environment.json"
        kept = json.loads(path.read_text())
        path.write_text(json.dumps(kept | {"package.numpy": "1.0"}))

    caplog.set_level("INFO")
    again(copied(folder, ids["ablation | variant=full"], change), "reproduce.dry_run=true")
    (plan,) = caplog.messages
    assert plan.splitlines()[-1] == f"packages   1 differ; package.numpy 1.0 -> {np.__version__}"


def running(folder, ids):
    return client(folder).create_run(client(folder).get_run(ids["tuning"]).info.experiment_id).info.run_id


def failed(folder, ids):
    run_id = copied(folder, ids["model | dummy"])
    client(folder).set_terminated(run_id, "FAILED")
    return run_id


def foreign(folder, ids):
    run_id = running(folder, ids)
    client(folder).set_terminated(run_id)
    return run_id


def without_config(folder, ids):
    return copied(folder, ids["model | dummy"], lambda copy: (copy / "config/resolved.yaml").unlink())


def cut(folder, ids):
    mlflow = client(folder)
    parent = copied(folder, ids["ablation | variant=full"], pipeline__git_diff="cut")
    assert mlflow.get_run(parent).data.tags["pipeline.git_dirty"] == "false"
    return parent


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (lambda *_: "0" * 32, ModelError, "There is no run {id} in sqlite:///{folder}/mlflow.db."),
        (running, ModelError, "Run {id} is RUNNING; only a run that is FINISHED can be made again."),
        (failed, ModelError, "Run {id} is FAILED; only a run that is FINISHED can be made again."),
        (foreign, ModelError, "Run {id} is none of matchclf: it has no tag pipeline.stage."),
        (without_config, ModelError, "Run {id} has no config/resolved.yaml; its config is not known."),
        (
            lambda folder, ids: copied(folder, ids["model | dummy"], mlflow__source__git__commit="none"),
            SourceError,
            "Run {id} was made by code in no git repository; which code it was is not known.",
        ),
        (
            cut,
            SourceError,
            "Run {id} was made with uncommitted changes that are not all stored; its code cannot be had again.",
        ),
        (
            lambda folder, ids: copied(folder, ids["model | dummy"], data__source_md5="1" * 32),
            SourceError,
            f"The matches of run {{id}} are not found: raw/E0.csv has the MD5 {{here}}, expected {'1' * 32}; nor are "
            "they in DVC's cache, a DVC remote or the bucket they came from. Put the file of that MD5 there, or run "
            "`dvc pull` where it is tracked.",
        ),
    ],
)
def test_what_is_missing_is_told_in_a_sentence(project, again, make, kind, told):
    folder, ids = project
    run_id = make(folder, ids)
    with pytest.raises(kind) as found:
        again(run_id)
    here = projects.md5(folder / projects.FILE)
    assert str(found.value) == told.format(id=run_id, folder=folder, here=here)
    assert found.value.exit_code != 0
    assert len(worktrees(folder)) == 1


def test_a_commit_that_is_not_here_is_told_with_how_to_get_it(project, again):
    folder, ids = project
    with pytest.raises(SourceError, match=f"(?s){'1' * 40}.*git fetch"):
        again(copied(folder, ids["model | dummy"], mlflow__source__git__commit="1" * 40))
    assert len(worktrees(folder)) == 1


def test_without_a_repository_of_the_code_it_says_to_clone_it(project, again, tmp_path, monkeypatch):
    folder, ids = project
    monkeypatch.setattr(reproduce, "PACKAGE", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="here is no git repository of the code; clone it"):
        again(ids["model | dummy"], f"tracking.uri=sqlite:///{folder}/mlflow.db")


def test_without_a_run_id_it_says_how_to_give_one(compose):
    with pytest.raises(ConfigError, match="stage=reproduce run_id=RUN"):
        reproduce.run(compose("stage=reproduce"))


@pytest.mark.slow
def test_uncommitted_changes_are_stored_and_made_again(history, tmp_path):
    folder = projects.make(tmp_path / "project")
    projects.change_features(folder)
    notes = folder / "src/matchclf/windows.py"
    notes.write_bytes(b"# line ends of another system\r\nVALUE = 1\r\n")
    command = (*projects.ON_FILES, "stage=ablation", "variant=elo_only", "model=[dummy]")
    assert projects.run(folder, *command).code == 0
    (parent,) = program.parents(folder)
    tags = ("pipeline.git_dirty", "pipeline.git_diff", "mlflow.source.git.commit")
    assert [parent.data.tags[name] for name in tags] == ["true", "complete", projects.sha(folder)]
    git(folder, "checkout", "--quiet", ".")
    notes.unlink()

    done = projects.run(folder, "stage=reproduce", f"run_id={parent.info.run_id}")
    assert done.code == 0, done
    assert f"code       {projects.sha(folder)} of {folder}, with its uncommitted changes" in done.out
    (made,) = reproductions(folder, parent.info.run_id)
    assert (made.data.tags["reproduction.verdict"], made.data.tags["pipeline.git_dirty"]) == ("identical", "true")
    kept = program.artifact(folder, parent, "lineage/uncommitted.diff").read_bytes()
    assert b"VALUE = 1\r\n" in kept
    assert len(kept) < MAX_DIFF_BYTES
    assert git(folder, "status", "--porcelain", "src") == ""


@pytest.mark.slow
def test_a_run_that_only_points_to_another_is_made_again_as_that_one(project, again):
    folder, ids = project
    mlflow = client(folder)
    original = mlflow.get_run(ids["model | dummy"])
    pointing = mlflow.create_run(original.info.experiment_id, tags={"duplicate.of": original.info.run_id}).info.run_id
    mlflow.set_terminated(pointing)
    again(pointing)
    assert reproductions(folder, original.info.run_id)[0].data.tags["reproduction.verdict"] == "identical"
