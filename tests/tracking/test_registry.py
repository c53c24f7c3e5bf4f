import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import finals
from matchclf.config import Tracking
from matchclf.errors import ConfigError, DataError, ModelError
from matchclf.files import digest
from matchclf.tracking import models, record, registry, runs
from matchclf.tracking.registry import Registered, check_loads, find_final_run, forecasts
from matchclf.tracking.store import open_store

TAGS = {
    "pipeline.stage": "final_train",
    "pipeline.run_kind": "final_train",
    "pipeline.params_hash": "0123456789abcdef",
    "pipeline.git_sha": "4331db1",
    "data.version": "d41d8cd98f00b204e9800998ecf8427e",
    "data.hash": "d41d8cd98f00b204e9800998ecf8427e",
    "model.family": "linear",
}
ROWS = pd.DataFrame({"elo_diff": [-200.0, -50.0, 0.0, 50.0, 120.0, 300.0], "rest_days_diff": [1.0, 0, -1, 2, 0, 3]})
ROWS = ROWS.astype(np.float32)
OUTCOMES = np.array([2, 1, 2, 1, 0, 0])
FORECASTS = pd.DataFrame({"date": pd.to_datetime(["2024-02-03"]), "outcome_1x2": [0], "final_home": [0.5]})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store with the experiments of the contract."""
    folder = tmp_path_factory.mktemp("registry")
    tracking = Tracking("local", f"sqlite:///{folder}/mlflow.db")
    open_store(tracking, "matches_clf_smoke", folder)
    return open_store(tracking, "matches_clf", folder)


@pytest.fixture(scope="module")
def final(place):
    """The id of a run of a final_train with a fitted model and forecasts."""
    run = runs.start(place, "final_train | model=logreg", TAGS)
    model = make_pipeline(LogisticRegression()).fit(ROWS, OUTCOMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, when it is first asked to store a model
        models.keep_model(run, model, ROWS, model.predict_proba(ROWS))
    record.keep_table(run, FORECASTS, registry.FORECASTS)
    record.record(run, metrics={"final.logloss": 1.0123456789})
    runs.finish(run)
    return run.id


@pytest.fixture
def registered(place, request):
    return Registered(place, request.node.name)


@pytest.fixture
def copy(place, final):
    """A copy of the final run with other tags or with what a function does to the folder of its artifacts."""
    return lambda *change, **more: finals.copy_run(place.client, final, *change, **more)


def test_a_version_tells_the_run_the_data_and_the_hashes_it_is_made_of(registered, place, final):
    made = registered.make_version(place.client.get_run(final))
    model = place.client.download_artifacts(final, "model/model.skops")
    assert registered.version(1).tags == {
        "run_id": final,
        "data.version": "d41d8cd98f00b204e9800998ecf8427e",
        "data.hash": "d41d8cd98f00b204e9800998ecf8427e",
        "pipeline.params_hash": "0123456789abcdef",
        "pipeline.git_sha": "4331db1",
        "pipeline.run_kind": "final_train",
        "model.sha256": digest(Path(model), "sha256"),
        "final.logloss": "1.012346",
    }
    assert (made.run_id, made.source, made.status) == (final, f"runs:/{final}/model", "READY")


def test_a_run_has_one_version_however_often_it_is_registered(registered, place, copy, final):
    other = copy()
    numbers = [int(registered.make_version(place.client.get_run(one)).version) for one in (final, other, final, other)]
    assert numbers == [1, 2, 1, 2]
    assert [version.run_id for version in registered.versions()] == [final, other]


def test_versions_come_oldest_first_with_their_aliases(registered, place, final):
    place.client.create_registered_model(registered.name)
    for _ in range(11):
        place.client.create_model_version(registered.name, f"runs:/{final}/model", final)
    registered.set_alias("champion", registered.version(10))
    registered.set_alias("smoke", registered.version(2))
    registered.set_alias("smoke", registered.version(10))
    assert [int(version.version) for version in registered.versions()] == list(range(1, 12))
    assert {int(one.version): sorted(one.aliases) for one in registered.versions() if one.aliases} == {
        10: ["champion", "smoke"]
    }
    assert registered.holder("champion").version == registered.version(10).version
    assert registered.holder("candidate") is None


def test_an_unknown_version_is_told_with_those_there_are(registered, place, copy, final):
    sentence = f"{registered.name} has no version 3; the versions are: "
    with pytest.raises(ConfigError) as problem:
        registered.version(3)
    assert str(problem.value) == f"{sentence}none."
    for one in (final, copy()):
        registered.make_version(place.client.get_run(one))
    with pytest.raises(ConfigError) as problem:
        registered.version(3)
    assert str(problem.value) == f"{sentence}1, 2."


def test_a_final_run_is_found(place, final, compose):
    found = find_final_run(place, final, compose())
    assert (found.info.run_id, registry.is_smoke(found)) == (final, False)


def test_a_smoke_run_is_found_in_the_experiment_of_smoke_runs(place, copy, compose):
    made = copy(experiment="matches_clf_smoke", pipeline__run_kind="smoke")
    assert registry.is_smoke(find_final_run(place, made, compose()))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"pipeline__stage": "ablation"}, "Run {} is of stage ablation; expected one of stage final_train."),
        ({"experiment": "elsewhere"}, "Run {} is in the experiment elsewhere; expected matches_clf."),
        ({"experiment": "matches_clf_smoke"}, "Run {} is in the experiment matches_clf_smoke; expected matches_clf."),
        (
            {"pipeline__run_kind": "smoke"},
            "Run {} is in the experiment matches_clf; expected matches_clf_smoke.",
        ),
    ],
)
def test_a_run_that_is_no_final_run_of_ours_is_refused(place, copy, compose, tmp_path, more, sentence):
    open_store(Tracking("local", place.uri), "elsewhere", tmp_path)
    made = copy(**more)
    with pytest.raises(ModelError) as problem:
        find_final_run(place, made, compose())
    assert str(problem.value) == sentence.format(made)


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED", "SCHEDULED"])
def test_a_run_that_did_not_end_well_is_refused(place, copy, compose, status):
    made = copy()
    place.client.update_run(made, status=status)
    with pytest.raises(ModelError) as problem:
        find_final_run(place, made, compose())
    assert str(problem.value) == f"Run {made} is {status}; expected one that is FINISHED."


def test_a_deleted_or_missing_run_is_refused(place, copy, compose):
    made = copy()
    place.client.delete_run(made)
    sentences = {
        made: f"Run {made} is deleted; restore it with `mlflow runs restore --run-id {made}`.",
        "0000": f"There is no run 0000 in {place.uri}.",
        "": "The version was made by hand and names no run, so nothing is known of its model.",
    }
    for run_id, sentence in sentences.items():
        with pytest.raises(ModelError) as problem:
            find_final_run(place, run_id, compose())
        assert str(problem.value) == sentence


def test_the_model_that_is_loaded_forecasts_what_was_stored(place, final):
    model = models.load_model(place, final)
    stored = pd.read_parquet(place.client.download_artifacts(final, models.SAMPLE))
    np.testing.assert_array_equal(model.predict_proba(ROWS), stored[["0", "1", "2"]].to_numpy())


def edit(name, old, new):
    """A change of the bytes of an artifact."""

    def change(folder):
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new))

    return change


def other_model(folder):
    skops.io.dump(make_pipeline(LogisticRegression(C=9)).fit(ROWS, OUTCOMES), folder / "model/model.skops")


def removed(name):
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (removed("model/model.skops"), "The artifact model/model.skops of run {} cannot be read: "),
        (removed("model/MLmodel"), "The artifact model/MLmodel of run {} cannot be read: "),
        (lambda folder: shutil.rmtree(folder / "model"), "The artifact model/model.skops of run {} cannot be read: "),
        (removed(models.SAMPLE), f"The artifact {models.SAMPLE} of run {{}} cannot be read: "),
        (edit("model/model.skops", b"PK", b"KP"), "The model of run {} was altered: the SHA-256 of model.skops is "),
        (other_model, "The model of run {} was altered: the SHA-256 of model.skops is "),
        (edit("model/MLmodel", b"mlflow", b"mlfIow"), "The model of run {} was altered: the SHA-256 of MLmodel is "),
    ],
    ids=["no model", "no MLmodel", "no folder", "no sample", "damaged", "another model", "MLmodel"],
)
def test_a_model_that_was_removed_or_altered_is_refused(place, copy, change, sentence):
    made = copy(change)
    with pytest.raises(ModelError) as problem:
        check_loads(place, made)
    assert str(problem.value).startswith(sentence.format(made))


def test_a_model_without_a_digest_is_refused(place, copy):
    made = copy()
    place.client.delete_tag(made, models.DIGEST_TAG)
    with pytest.raises(ModelError, match=r"was altered: the SHA-256 of model.skops is [0-9a-f]{64}, expected none\.$"):
        models.load_model(place, made)


def test_code_beside_a_model_is_not_run(place, copy, tmp_path):
    mark = tmp_path / "ran"

    def add_code(folder):
        edit("model/MLmodel", b"loader_module: mlflow.sklearn", b"code: code\n    loader_module: loads")(folder)
        (folder / "model/code").mkdir()
        (folder / "model/code/loads.py").write_text(f"open({str(mark)!r}, 'w').close()\n")

    made = copy(add_code)
    with pytest.raises(ModelError, match="was altered"):
        check_loads(place, made)
    assert not mark.exists()
    assert "loads" not in sys.modules


class Unknown(DummyClassifier):
    """A type that nobody put on the list."""

    def __setstate__(self, state):
        raise AssertionError("It was made.")


def test_a_model_of_types_that_are_not_trusted_is_refused_even_with_its_own_digest(place, copy):
    made = copy(lambda folder: skops.io.dump(Unknown().fit(ROWS, OUTCOMES), folder / "model/model.skops"))
    path = Path(place.client.download_artifacts(made, "model/model.skops"))
    place.client.set_tag(made, models.DIGEST_TAG, digest(path, "sha256"))
    with pytest.raises(ModelError) as problem:
        models.load_model(place, made)
    assert str(problem.value).startswith(f"The model of run {made} holds types that are not trusted: ")
    assert "Unknown" in str(problem.value)


def test_a_model_that_forecasts_something_else_in_a_fresh_process_is_refused(place, copy):
    def change(folder):
        sample = pd.read_parquet(folder / models.SAMPLE)
        shift = pd.Series(0.001, index=[3]).reindex(sample.index, fill_value=0)
        sample.assign(**{"0": sample["0"] + shift, "1": sample["1"] - shift}).to_parquet(folder / models.SAMPLE)

    made = copy(change)
    with pytest.raises(ModelError) as problem:
        check_loads(place, made)
    assert str(problem.value) == (
        f"The model of run {made} does not load back in a fresh process: through pyfunc it forecasts up to 0.001 away "
        "from what it should."
    )


def test_the_forecasts_of_the_holdout_are_read_back(place, final):
    pd.testing.assert_frame_equal(forecasts(place, final), FORECASTS)


def test_forecasts_that_are_missing_or_damaged_are_refused(place, copy):
    missing = copy(removed(registry.FORECASTS))
    with pytest.raises(ModelError, match=f"^The artifact {registry.FORECASTS} of run {missing} cannot be read: "):
        forecasts(place, missing)
    damaged = copy(lambda folder: (folder / registry.FORECASTS).write_bytes(b"PAR1"))
    with pytest.raises(DataError, match=r"holdout.parquet cannot be read as Parquet: "):
        forecasts(place, damaged)


def test_registries_of_one_database_share_a_lock_whatever_the_folder(place, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    here = registry.lock_file(place)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert registry.lock_file(place).resolve() == here.resolve()
    assert here.parent == Path(place.uri.removeprefix("sqlite:///")).parent
