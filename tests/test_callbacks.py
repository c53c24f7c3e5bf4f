import importlib.util
import re

import pytest

import program

ABLATIONS = [f"ablation | variant={name} | frac=1.0" for name in ("elo_only", "stats_only", "full_no_h2h", "full")]
BOTH = [("model | dummy", "FINISHED"), ("model | logreg", "FINISHED")]
STEPS = r"^(matches|features|dataset|prepare) "


def sweeps(store):
    """The sweep ids of all runs -> the names of their parent runs."""
    found = {}
    for parent in program.parents(store):
        sweep = parent.data.tags["pipeline.sweep_id"]
        assert {run.data.tags["pipeline.sweep_id"] for run in program.children(store, parent).values()} == {sweep}
        found.setdefault(sweep, []).append(parent.info.run_name)
    return found


def test_each_job_of_a_sweep_is_a_parent_of_its_own_all_tied_by_one_tag(league):
    folder, _ = league
    (sweep, names), (alone, others) = sweeps(folder).items()
    assert names == ABLATIONS
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d+", sweep)
    assert (alone, len(others)) == ("none", 3)


def test_a_sweep_prepares_the_data_once_and_shows_its_scores_side_by_side(league):
    folder, done = league
    out = done["ablations"].out
    assert re.findall(STEPS, out, re.MULTILINE) == ["matches", "features", "dataset", *["prepare"] * 3]
    rows = out[out.index("Sweep: mean walk-forward log-loss") :].splitlines()[2:6]
    expected = []
    for parent in program.parents(folder, "ablation%"):
        scores = program.children(folder, parent)
        means = [f"{scores[model].data.metrics['cv.logloss_mean']:.4f}" for model in ("dummy", "logreg")]
        expected.append([f"{parent.info.run_name} ({parent.info.run_id[:8]})", *means])
    assert [re.split(" {2,}", row) for row in rows] == expected


def test_a_run_without_the_callback_is_refused(matchclf, tmp_path):
    done = matchclf(*program.TINY, "~hydra.callbacks.parent_run")
    assert (done.code, done.files) == (4, frozenset())
    assert done.err.splitlines()[-1] == "Error: No parent run is open; an experiment is not run untracked."
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_models_and_fractions_can_be_swept_and_each_sweep_has_its_own_tag(matchclf, tmp_path):
    command = [*program.TINY, "stage=ablation", "-m", "model=dummy,[logreg,dummy]", "frac=tenth,full"]
    assert matchclf(*command).code == 0
    assert matchclf(*command[:-1], "frac=half").code == 0
    one, two = ([("model | dummy", "FINISHED")], [("model | logreg", "FINISHED"), ("model | dummy", "FINISHED")])
    name = "ablation | variant=full | frac={}".format
    assert program.tree(tmp_path) == [
        (name(0.1), "FINISHED", one),
        (name(1.0), "FINISHED", one),
        (name(0.1), "FINISHED", two),
        (name(1.0), "FINISHED", two),
        (name(0.5), "FINISHED", one),
        (name(0.5), "FINISHED", two),
    ]
    assert list(sweeps(tmp_path).values()) == [[name(f) for f in (0.1, 1.0, 0.1, 1.0)], [name(0.5)] * 2]


@pytest.mark.slow
def test_a_failed_job_leaves_the_other_jobs_of_its_sweep_alone(matchclf, tmp_path):
    done = matchclf(*program.TINY, program.TWO, "stage=ablation", "--multirun", "models.logreg.estimator.C=-1,1")
    assert done.code == 1
    failed = [("model | dummy", "FINISHED"), ("model | logreg", "FAILED")]
    assert program.tree(tmp_path) == [(ABLATIONS[-1], "FAILED", failed), (ABLATIONS[-1], "FINISHED", BOTH)]


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher"), reason="no joblib launcher")
def test_jobs_in_processes_of_their_own_give_the_same_tree(matchclf, tmp_path, league):
    command = "hydra/launcher=joblib hydra.launcher.n_jobs=2 stage=ablation --multirun variant=elo_only,full"
    done = matchclf(*program.TINY, program.TWO, *command.split())
    assert done.code == 0, done
    names = [ABLATIONS[0], ABLATIONS[3]]
    assert sorted(program.tree(tmp_path)) == [(name, "FINISHED", BOTH) for name in names]
    ((sweep, found),) = sweeps(tmp_path).items()
    assert (sorted(found), sweep != "none") == (names, True)
    for name in names:
        (here,), (there,) = program.parents(tmp_path, name), program.parents(league[0], name)
        assert here.data.tags["pipeline.params_hash"] == there.data.tags["pipeline.params_hash"]
        for model, run in program.children(tmp_path, here).items():
            other = program.children(league[0], there)[model]
            assert run.data.metrics["cv.logloss_mean"] == other.data.metrics["cv.logloss_mean"]


BROKEN_CLOSE = """
import mlflow.tracking.client as client
real, calls = client.MlflowClient.set_terminated, []

def broken(self, *arguments, **more):
    calls.append(arguments)
    if len(calls) == 2:
        raise OSError("the store is gone for a second")
    return real(self, *arguments, **more)

client.MlflowClient.set_terminated = broken
"""


def test_a_parent_that_cannot_be_closed_is_no_success(tmp_path):
    env = program.hooked(tmp_path / "hook", BROKEN_CLOSE, MLFLOW_DISABLE_TELEMETRY="true")
    done = program.run(*program.TINY, "model=dummy", "stage=ablation", cwd=tmp_path, **env)
    assert done.code == 4, done
    assert "Error: The tracking store did not take the end of the runs ablation | variant=full | frac=1.0." in done.err
    assert [(name, status) for name, status, _ in program.tree(tmp_path)] == [
        ("ablation | variant=full | frac=1.0", "FAILED")
    ]
