import functools
import hashlib
import os
import pickle
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

import program
from matchclf.calibration import fit_calibrated
from matchclf.compose import CONF
from matchclf.errors import ModelError
from matchclf.files import write_parquet
from matchclf.models import build_model
from matchclf.tracking import models, runs, verify
from matchclf.tracking.models import DIGEST_TAG, FILE, FOLDER, SAMPLE, TRUSTED, keep_model, load_model
from matchclf.usage import options

# MLflow 3.17 says this of itself on pandas 3.1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType"),
]
METHODS = ["isotonic", "sigmoid", "temperature", "none"]
NAMES = ["elo_diff", "noise"]


def matches(rows: int = 4000) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(rows, 2)), columns=NAMES, dtype=np.float32)
    strength = np.exp(np.outer(features["elo_diff"], [1, 0, -1]))
    share = (strength / strength.sum(axis=1, keepdims=True)).cumsum(axis=1)
    target = (rng.uniform(size=(rows, 1)) > share[:, :2]).sum(axis=1).astype(np.int8)
    features.loc[::7, "noise"] = np.nan
    return features, target, pd.Series(pd.date_range("2015-01-01", periods=rows, unit="s"))


def calibrated(pipeline: Pipeline, method: str) -> Pipeline:
    with threadpool_limits(1):
        return fit_calibrated(pipeline, *matches(), method, 0.3).model


@pytest.fixture
def run(store):
    started = runs.start(store, "final_train | model=any", {})
    yield started
    runs.finish(started)


@pytest.fixture
def interpreter(monkeypatch):
    """A stored model is tried by an interpreter that imports everything itself, as users have it."""
    monkeypatch.setattr(models, "sys", sys)


own_interpreter = pytest.mark.usefixtures("interpreter")


def kept(run, model: Pipeline) -> Path:
    """Put a model and its sample where ``keep_model`` puts them, without the look back; the folder of artifacts."""
    sample = matches()[0].fillna(0).head(50).astype(np.float64)
    folder = Path(run.store.client.get_run(run.id).info.artifact_uri.removeprefix("file://"))
    models._save(run, model, sample, model.predict_proba(sample), folder / FOLDER)
    tag(run, folder)
    return folder


def tag(run, folder: Path) -> None:
    """Tag a run with the digests of what is in its folder now."""
    for name, file in models.DIGESTS.items():
        run.store.client.set_tag(run.id, name, hashlib.sha256((folder / FOLDER / file).read_bytes()).hexdigest())


def write_sample(path: Path, features: pd.DataFrame, proba: np.ndarray) -> str:
    write_parquet(features.join(pd.DataFrame(proba, features.index, list("012"))), path)
    return str(path)


@pytest.mark.parametrize("name", options(CONF / "model"))
@pytest.mark.parametrize("method", METHODS)
def test_every_model_by_every_method_forecasts_the_same_when_it_is_loaded(compose, run, tmp_path, name, method):
    model = calibrated(build_model(name, compose("rounds=5", program.EVERY_MODEL).models[name], 1), method)
    features = matches()[0].head(200)
    double = features.astype(np.float64)
    with threadpool_limits(1):
        folder = kept(run, model)
        found = load_model(run.store, run.id)
        assert type(found) is type(model)
        for rows in (features, double):
            np.testing.assert_array_equal(found.predict_proba(rows), model.predict_proba(rows))
        sample = write_sample(tmp_path / "sample.parquet", double, model.predict_proba(double))
        verify.main(str(folder / FOLDER), sample)


def simple() -> Pipeline:
    features, target, _ = matches()
    return make_pipeline(LogisticRegression()).fit(features[["elo_diff"]].assign(noise=np.float32(0)), target)


@pytest.mark.slow
@own_interpreter
def test_a_model_is_kept_with_its_digests_its_signature_and_an_example_and_loads_back(run):
    model, sample = simple(), matches()[0].fillna(0).head(20)
    keep_model(run, model, sample, model.predict_proba(sample.astype(np.float64)))
    client = run.store.client
    files = {file.path for file in client.list_artifacts(run.id, FOLDER)}
    assert {f"{FOLDER}/{FILE}", f"{FOLDER}/MLmodel", f"{FOLDER}/input_example.json"} <= files
    folder = Path(client.download_artifacts(run.id, ""))
    tags = client.get_run(run.id).data.tags
    assert tags[DIGEST_TAG] == hashlib.sha256((folder / FOLDER / FILE).read_bytes()).hexdigest()
    described = yaml.safe_load((folder / FOLDER / "MLmodel").read_text())
    inputs, outputs = (yaml.safe_load(described["signature"][key]) for key in ("inputs", "outputs"))
    assert [(one["name"], one["type"]) for one in inputs] == [(name, "double") for name in NAMES]
    assert outputs == [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]
    assert (described["run_id"], described["flavors"]["python_function"]["predict_fn"]) == (run.id, "predict_proba")
    assert described["flavors"]["sklearn"]["serialization_format"] == "skops"
    assert not [
        path.name for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")
    ]
    example = pd.read_json(folder / FOLDER / "input_example.json", orient="split")
    pd.testing.assert_frame_equal(example, sample.head(3).astype(np.float64), check_dtype=False)
    table = pd.read_parquet(folder / SAMPLE)
    assert list(table.columns) == [*NAMES, "0", "1", "2"]
    found = load_model(run.store, run.id).predict_proba(sample.astype(np.float64))
    np.testing.assert_array_equal(found, table[["0", "1", "2"]])


@pytest.mark.parametrize(("wrong", "gap"), [(1e-3, "0.001"), (np.nan, "nan")])
def test_a_model_that_forecasts_something_else_when_it_is_loaded_is_found_out(run, tmp_path, wrong, gap):
    model, sample = simple(), matches()[0].fillna(0).head(20)
    proba = model.predict_proba(sample)
    proba[7, 1] += wrong
    folder = kept(run, model)
    with pytest.raises(SystemExit) as caught:
        verify.main(str(folder / FOLDER), write_sample(tmp_path / "sample.parquet", sample, proba))
    assert caught.value.code == f"through pyfunc it forecasts up to {gap} away from what it should"


@pytest.mark.slow
@own_interpreter
def test_the_run_is_told_that_its_model_does_not_load_back(run):
    model, sample = simple(), matches()[0].fillna(0).head(20)
    with pytest.raises(ModelError) as caught:
        keep_model(run, model, sample, model.predict_proba(sample)[:, ::-1])
    assert str(caught.value).startswith(
        f"The model of run {run.id} does not load back in a fresh process: through pyfunc it forecasts up to 0."
    )


class Custom(ClassifierMixin, BaseEstimator):
    """A class that only we know."""

    def fit(self, *_: object) -> "Custom":
        self.classes_ = np.arange(3)
        return self

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        return np.full((len(features), 3), 1 / 3)


def double(table: pd.DataFrame) -> pd.DataFrame:
    return table * 2


UNTRUSTED = {
    "a class of our own": lambda: make_pipeline(Custom()),
    "a function of our own": lambda: make_pipeline(FunctionTransformer(double), LogisticRegression()),
    "a call of the system": lambda: make_pipeline(
        FunctionTransformer(functools.partial(os.system, "touch executed")), LogisticRegression()
    ),
    "a method by its name": lambda: make_pipeline(
        FunctionTransformer(pd.DataFrame.to_pickle, kw_args={"path": "executed"}), LogisticRegression()
    ),
}


def fitted(pipeline: Pipeline) -> Pipeline:
    pipeline[-1].fit(matches()[0].fillna(0), matches()[1])
    return pipeline


@pytest.mark.parametrize("name", UNTRUSTED)
def test_what_cannot_be_stored_without_code_is_refused_and_nothing_is_stored(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    sample = matches()[0].fillna(0).head(5)
    with pytest.raises(ModelError, match=r"^The model cannot be stored without running code when it is loaded: "):
        keep_model(run, fitted(UNTRUSTED[name]()), sample, np.full((5, 3), 1 / 3))
    assert run.store.client.list_artifacts(run.id) == []
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", UNTRUSTED)
def test_types_that_are_not_trusted_are_refused_even_when_the_digests_are_right(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder = kept(run, simple())
    skops.io.dump(fitted(UNTRUSTED[name]()), folder / FOLDER / FILE)
    tag(run, folder)
    with pytest.raises(ModelError, match=rf"^The model of run {run.id} holds types that are not trusted: "):
        load_model(run.store, run.id)
    assert not (tmp_path / "executed").exists()


def test_every_trusted_type_is_one_that_some_model_needs(compose):
    needed = set()
    for name, model in compose("rounds=5", program.EVERY_MODEL).models.items():
        for method in METHODS:
            needed |= set(
                skops.io.get_untrusted_types(data=skops.io.dumps(calibrated(build_model(name, model, 1), method)))
            )
    assert needed <= set(TRUSTED)
    # A tree of scikit-learn, which a model file may ask for.
    assert set(TRUSTED) - needed <= {"sklearn.tree._tree.Tree"}


ALTERED = {
    "nothing left": lambda file: file.write_bytes(b""),
    "no archive": lambda file: file.write_bytes(b"cos\nsystem\n(S'touch executed'\ntR."),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "one bit": lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:]),
    "another model": lambda file: skops.io.dump(LogisticRegression(), file),
    "a comment": lambda file: zipfile.ZipFile(file, "a").close() or file.write_bytes(file.read_bytes() + b" "),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_model_is_refused_by_its_digest_before_it_is_parsed(run, how):
    folder = kept(run, simple())
    expected = run.store.client.get_run(run.id).data.tags[DIGEST_TAG]
    ALTERED[how](folder / FOLDER / FILE)
    found = hashlib.sha256((folder / FOLDER / FILE).read_bytes()).hexdigest()
    with pytest.raises(ModelError) as caught:
        load_model(run.store, run.id)
    assert str(caught.value) == (
        f"The model of run {run.id} was altered: the SHA-256 of {FILE} is {found}, expected {expected}."
    )


@pytest.mark.parametrize("how", ["nothing left", "no archive", "cut"])
def test_a_damaged_model_is_told_in_a_sentence_even_when_the_digests_are_right(run, how):
    folder = kept(run, simple())
    ALTERED[how](folder / FOLDER / FILE)
    tag(run, folder)
    with pytest.raises(ModelError, match=rf"^The model of run {run.id} cannot be parsed: BadZipFile: "):
        load_model(run.store, run.id)


EVIL = """
from pathlib import Path

Path({mark!r}).touch()


def _load_pyfunc(path, **_):
    return None
"""


def poison(folder: Path, mark: Path) -> None:
    """Let MLmodel name a module of the model's own folder as its loader."""
    code = folder / FOLDER / "code"
    code.mkdir()
    (code / "evil_loader.py").write_text(EVIL.format(mark=str(mark)))
    described = yaml.safe_load((folder / FOLDER / "MLmodel").read_text())
    described["flavors"]["python_function"] |= {"loader_module": "evil_loader", "code": "code"}
    described["flavors"]["sklearn"]["code"] = "code"
    (folder / FOLDER / "MLmodel").write_text(yaml.safe_dump(described))


def refuses(run, message: str) -> None:
    """Neither this process nor a fresh one loads the model."""
    for load in (load_model, lambda *where: models.verify(*where, Path("no sample"))):
        with pytest.raises(ModelError, match=message):
            load(run.store, run.id)


@pytest.mark.parametrize("forged", [False, True], ids=["tags as they were", "tags forged"])
def test_an_edited_description_of_a_model_is_never_executed(run, tmp_path, forged):
    folder, mark = kept(run, simple()), tmp_path / "executed"
    poison(folder, mark)
    if forged:
        tag(run, folder)
    told = (
        r"cannot be trusted: its MLmodel differs from ours in python_function\.code, python_function\.loader_module, "
    )
    refuses(run, rf"^The model of run {run.id} {told if forged else 'was altered: the SHA-256 of MLmodel is '}")
    assert not mark.exists()
    assert "evil_loader" not in sys.modules


@pytest.mark.slow
def test_the_edited_description_is_a_danger_to_those_who_load_it_otherwise(run, tmp_path):
    folder, mark = kept(run, simple()), tmp_path / "executed"
    poison(folder, mark)
    load = "import sys, mlflow.pyfunc; mlflow.pyfunc.load_model(sys.argv[1])"
    command = [sys.executable, "-c", load, str(folder / FOLDER)]
    subprocess.run(command, env=program.environment(), capture_output=True, check=False)
    assert mark.exists()


def test_a_model_that_is_not_there_is_told(run):
    with pytest.raises(ModelError, match=rf"^The artifact {FOLDER}/.* of run {run.id} cannot be read: "):
        load_model(run.store, run.id)


def test_a_model_without_a_digest_is_not_trusted(run):
    folder = kept(run, simple())
    run.store.client.delete_tag(run.id, DIGEST_TAG)
    with pytest.raises(ModelError, match=rf"^The model of run {run.id} was altered: .*, expected none\.$"):
        load_model(run.store, run.id)
    shutil.rmtree(folder)


class Touching:
    """What runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def describe(folder: Path, flavor: str, **said: Any) -> None:
    """Let MLmodel say other things about a flavor."""
    path = folder / FOLDER / "MLmodel"
    described = yaml.safe_load(path.read_text())
    described["flavors"].setdefault(flavor, {}).update(said)
    path.write_text(yaml.safe_dump(described))


def pickled(by: Callable[[object], bytes], name: str, form: str) -> Callable[[Path, Path], None]:
    def put(folder: Path, mark: Path) -> None:
        (folder / FOLDER / name).write_bytes(by(Touching(mark)))
        describe(folder, "sklearn", pickled_model=name, serialization_format=form)
        describe(folder, "python_function", model_path=name)

    return put


def in_joblib(folder: Path, mark: Path) -> None:
    joblib.dump(Touching(mark), folder / FOLDER / "model.joblib")
    describe(folder, "sklearn", pickled_model="model.joblib", serialization_format="cloudpickle")
    describe(folder, "python_function", model_path="model.joblib")


def beside(loader: str, **said: Any) -> Callable[[Path, Path], None]:
    """Another flavor whose loader unpickles a file of the folder."""

    def put(folder: Path, mark: Path) -> None:
        (folder / FOLDER / "python_model.pkl").write_bytes(pickle.dumps(Touching(mark)))
        describe(folder, "python_function", loader_module=loader, **said)

    return put


def with_code(folder: Path, mark: Path) -> None:
    poison(folder, mark)
    describe(folder, "python_function", loader_module="mlflow.sklearn")


def in_place_of_skops(by: Callable[[object], bytes]) -> Callable[[Path, Path], None]:
    return lambda folder, mark: (folder / FOLDER / FILE).write_bytes(by(Touching(mark)))


def of_unknown_types(folder: Path, mark: Path) -> None:
    made = make_pipeline(FunctionTransformer(functools.partial(os.system, f"touch {mark}")), LogisticRegression())
    skops.io.dump(made, folder / FOLDER / FILE)
    describe(folder, "sklearn", skops_trusted_types=[*TRUSTED, "functools.partial", "posix.system"])


MALICIOUS = {
    "pickle, said to be one": pickled(pickle.dumps, "model.pkl", "pickle"),
    "cloudpickle, said to be one": pickled(cloudpickle.dumps, "model.pkl", "cloudpickle"),
    "pickle under the name of ours": pickled(pickle.dumps, FILE, "pickle"),
    "joblib": in_joblib,
    "pickle in the place of skops": in_place_of_skops(pickle.dumps),
    "cloudpickle in the place of skops": in_place_of_skops(cloudpickle.dumps),
    "a function of Python": beside("mlflow.pyfunc.model", python_model="python_model.pkl"),
    "another loader of MLflow": beside("mlflow.statsmodels", data="python_model.pkl"),
    "a loader of its own": poison,
    "code beside a loader of MLflow": with_code,
    "a longer list of types": of_unknown_types,
}


@pytest.mark.parametrize("name", MALICIOUS)
def test_a_malicious_model_is_refused_unexecuted_with_its_old_digests_and_with_forged_ones(run, tmp_path, name):
    folder, mark = kept(run, simple()), tmp_path / "executed"
    MALICIOUS[name](folder, mark)
    refuses(run, rf"^The model of run {run.id} was altered: ")
    tag(run, folder)
    refusal = "cannot be parsed" if "in the place of skops" in name else "cannot be trusted"
    with pytest.raises(ModelError, match=rf"^The model of run {run.id} {refusal}: "):
        load_model(run.store, run.id)
    with pytest.raises(ModelError, match=rf"^The model of run {run.id} (cannot be trusted|does not load back)"):
        models.verify(run.store, run.id, Path("no sample"))
    assert not mark.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pickle, said to be one", "cloudpickle, said to be one", "joblib"])
def test_the_malicious_models_are_a_danger_to_those_who_load_them_otherwise(run, tmp_path, name):
    folder, mark = kept(run, simple()), tmp_path / "executed"
    MALICIOUS[name](folder, mark)
    load = "import sys, mlflow.sklearn; mlflow.sklearn.load_model(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", load, str(folder / FOLDER)], env=program.environment(), capture_output=True, check=False
    )
    assert mark.exists()


NO_DESCRIPTIONS = ["", "flavors:", "flavors: [1]", "flavors: {sklearn: 1}", "- a", "a: [", "!!int ''", "\0", "{}"]


@pytest.mark.parametrize("text", NO_DESCRIPTIONS)
def test_a_description_that_is_none_is_told_even_when_the_digests_are_right(run, text):
    folder = kept(run, simple())
    (folder / FOLDER / "MLmodel").write_text(text)
    tag(run, folder)
    refuses(run, rf"^The model of run {run.id} cannot be trusted: its MLmodel ")


def of_trees() -> Pipeline:
    features, target, _ = matches(300)
    return make_pipeline(XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)).fit(features, target)


def test_a_flipped_byte_anywhere_in_a_stored_model_is_found_before_it_is_parsed(run, monkeypatch):
    folder, rng = kept(run, of_trees()), random.Random(5)
    monkeypatch.setattr(skops.io, "load", lambda *_, **__: pytest.fail("It was parsed."))
    for name in models.DIGESTS.values():
        path = folder / FOLDER / name
        content = path.read_bytes()
        for _ in range(30):
            place = rng.randrange(len(content))
            path.write_bytes(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :])
            with pytest.raises(ModelError, match=rf"^The model of run {run.id} was altered: the SHA-256 of {name} is "):
                load_model(run.store, run.id)
        path.write_bytes(content)


LOAD_FLIPPED = """
import random, sys, zipfile
from pathlib import Path
import numpy as np, pandas as pd, skops.io
from matchclf.tracking.models import TRUSTED

path, rng = Path(sys.argv[1]), random.Random(7)
content, features = path.read_bytes(), pd.DataFrame(np.zeros((2, 2), np.float32), columns=["elo_diff", "noise"])
expected, told = skops.io.load(path, trusted=TRUSTED).predict_proba(features), 0
for _ in range(int(sys.argv[2])):
    place = rng.randrange(len(content))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :])
    try:
        found = skops.io.load(path, trusted=TRUSTED).predict_proba(features)
        assert (found == expected).all(), place
    except AssertionError:
        raise
    except Exception:
        told += 1
print(told)
"""


@pytest.mark.slow
def test_even_unchecked_a_flipped_byte_of_our_format_neither_crashes_nor_gives_other_forecasts(tmp_path):
    skops.io.dump(of_trees(), tmp_path / FILE)
    command = [sys.executable, "-c", LOAD_FLIPPED, str(tmp_path / FILE), "300"]
    done = subprocess.run(command, env=program.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.parametrize("form", ["ubj", "json"])
def test_a_bare_file_of_xgboost_is_no_model_of_ours(run, form):
    folder, path = kept(run, simple()), f"model.{form}"
    of_trees()[-1].save_model(folder / FOLDER / path)
    describe(folder, "sklearn", pickled_model=path)
    describe(folder, "python_function", model_path=path, loader_module="mlflow.xgboost")
    describe(folder, "xgboost", data=path, model_class="xgboost.sklearn.XGBClassifier", model_format=form)
    refuses(run, rf"^The model of run {run.id} was altered: ")
    tag(run, folder)
    refuses(run, rf"^The model of run {run.id} cannot be trusted: its MLmodel differs from ours in ")
    (folder / FOLDER / path).replace(folder / FOLDER / FILE)
    tag(run, folder)
    refuses(run, rf"^The model of run {run.id} cannot be trusted: ")
