import json
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

import program
from matchclf.compose import CONF
from matchclf.config import Model
from matchclf.errors import ConfigError
from matchclf.models import build_model, check_models
from matchclf.usage import options

MODELS = options(CONF / "model")
DUMMY = "sklearn.dummy.DummyClassifier"
each_model = pytest.mark.parametrize("name", MODELS)

REFUSED = [
    "os.system",
    "os.popen",
    "posix.system",
    "subprocess.Popen",
    "subprocess.run",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "builtins.__import__",
    "importlib.import_module",
    "runpy.run_path",
    "shutil.rmtree",
    "pathlib.Path",
    "pickle.load",
    "pickle.Unpickler",
    "shelve.open",
    "joblib.load",
    "joblib.Memory",
    "cloudpickle.load",
    "pandas.read_pickle",
    "pandas.DataFrame",
    "numpy.load",
    "yaml.unsafe_load",
    "mlflow.sklearn.load_model",
    "mlflow.pyfunc.load_model",
    "skops.io.load",
    "torch.load",
    "urllib.request.urlopen",
    "socket.socket",
    "hydra.utils.instantiate",
    "matchclf.files.Path",
    "multiprocessing.Process",
    "ctypes.CDLL",
    "sys.exit",
    "sklearn.datasets.load_files",
    "sklearn.datasets.fetch_openml",
    "sklearn.datasets.load_svmlight_file",
    "sklearn.externals._packaging.version.parse",
    "sklearn.utils._testing.ignore_warnings",
    "sklearn.base.clone",
    "sklearn.set_config",
    "sklearn.show_versions",
    "sklearn",
    "Sklearn.linear_model.LogisticRegression",
    "sklearn_evil.Evil",
    "sklearnx.linear_model.LogisticRegression",
    "xgboost.train",
    "xgboost.rabit.init",
    "xgboost_evil.Evil",
    ".sklearn.linear_model.LogisticRegression",
    "evil.sklearn.linear_model.LogisticRegression",
    "sklearn.linear_model.",
    "sklearn.linear_model._logistic._fit",
    "__main__.Model",
    " sklearn.linear_model.LogisticRegression",
    "\u0455klearn.linear_model.LogisticRegression",
    "LogisticRegression",
    "",
    None,
    3,
    ["sklearn.linear_model.LogisticRegression"],
    {"_target_": "os.system"},
]


@pytest.fixture(scope="module")
def build(compose):
    """Build the model of this name with few rounds."""
    models = compose("rounds=10", program.EVERY_MODEL).models
    assert sorted(models) == MODELS
    return lambda name, seed=1: build_model(name, models[name], seed)


def of(target: object, **parameters: object) -> Model:
    return Model("linear", [], {"_target_": target, **parameters})


def told_by_one_column(outcomes: list[int]) -> tuple[pd.DataFrame, np.ndarray]:
    """Matches whose outcome one feature tells without error, beside one that tells nothing."""
    target = np.array(outcomes, dtype=np.int8)
    rng = np.random.default_rng(0)
    features = {"elo_diff": -target + rng.uniform(-0.2, 0.2, len(target)), "noise": rng.normal(size=len(target))}
    return pd.DataFrame(features, dtype=np.float32), target


@each_model
def test_a_model_is_a_classifier_at_the_end_of_a_pipeline(build, name):
    pipeline = build(name)
    assert isinstance(pipeline, Pipeline)
    assert isinstance(pipeline[-1], ClassifierMixin)


@each_model
def test_probabilities_come_in_the_order_home_draw_away_however_the_labels_come(build, name):
    features, target = told_by_one_column([2] * 400 + [0] * 1000 + [1] * 600)
    model = build(name).fit(features, target)
    proba = model.predict_proba(features)
    assert model.classes_.tolist() == [0, 1, 2]
    assert proba.shape == (2000, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-6)
    if name == "dummy":
        np.testing.assert_allclose(proba, np.tile([0.5, 0.3, 0.2], (2000, 1)), rtol=0, atol=1e-12)
    else:
        mean_by_outcome = np.array([proba[target == outcome].mean(axis=0) for outcome in (0, 1, 2)])
        assert mean_by_outcome.argmax(axis=0).tolist() == [0, 1, 2]


@each_model
def test_the_same_seed_gives_the_same_bits_and_leaves_the_table_alone(build, name):
    features, target = told_by_one_column([0, 1, 2, 0] * 200)
    target = np.random.default_rng(0).permutation(target)
    before = features.copy()
    one, other = (build(name).fit(features, target).predict_proba(features) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    pd.testing.assert_frame_equal(features, before)


@each_model
def test_every_step_that_draws_lots_has_the_seed_of_the_experiment(build, name):
    for step in build(name, seed=41).named_steps.values():
        assert step.get_params().get("random_state", 41) == 41


@pytest.mark.parametrize("name", ["hgb", "xgb"])
def test_another_seed_gives_other_trees(build, name):
    features, target = told_by_one_column([0, 1, 2, 0] * 500)
    target = np.random.default_rng(0).permutation(target)
    one, other = (build(name, seed).fit(features, target).predict_proba(features) for seed in (1, 2))
    assert not np.array_equal(one, other)


@each_model
def test_unknown_values_are_no_obstacle(build, name):
    features, target = told_by_one_column([0, 1, 2] * 300)
    features["elo_diff"] = features["elo_diff"].where(np.arange(900) % 4 > 0)
    proba = build(name).fit(features, target).predict_proba(features.iloc[:8])
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-6)


def test_unknown_values_take_the_median_of_the_training_part(build):
    features, target = told_by_one_column([0, 1, 2] * 100)
    features["elo_diff"] = features["elo_diff"].where(np.arange(300) % 4 > 0)
    model = build("logreg").fit(features, target)
    np.testing.assert_allclose(model[0].statistics_, features.median(), rtol=1e-6)
    filled = features.fillna(features.median())
    np.testing.assert_array_equal(model.predict_proba(features), model.predict_proba(filled))


@pytest.mark.parametrize("target", REFUSED, ids=str)
def test_a_target_that_is_no_estimator_class_of_an_allowed_package_is_refused(target):
    for model, place in (
        (of(target), "models.mine.estimator"),
        (
            Model("linear", [{"_target_": target}], {"_target_": "sklearn.dummy.DummyClassifier"}),
            "models.mine.preprocessing.0",
        ),
    ):
        for refuse in (
            lambda model=model: check_models({"mine": model}),
            lambda model=model: build_model("mine", model, 1),
        ):
            with pytest.raises(ConfigError) as caught:
                refuse()
            assert str(caught.value) == (
                f"{place}._target_={target} is refused; expected the full name of an estimator class in "
                "sklearn, xgboost, lightgbm, catboost, for instance sklearn.linear_model.LogisticRegression."
            )


def test_a_step_without_a_target_is_refused():
    with pytest.raises(ConfigError, match=r"^models\.mine\.estimator\._target_=None is refused; "):
        check_models({"mine": Model("linear", [], {"C": 1.0})})


REFUSE_ALL = """
import json, sys
from matchclf.config import Model
from matchclf.errors import ConfigError
from matchclf.models import check_models

imported = []
sys.addaudithook(lambda event, arguments: event in ("import", "open", "exec") and imported.append(arguments[0]))
refused = 0
for target in json.loads(sys.argv[1]):
    try:
        check_models({"mine": Model("linear", [], {"_target_": target})})
    except ConfigError:
        refused += 1
print(refused, imported)
"""


def test_nothing_is_imported_to_refuse_a_target():
    command = [sys.executable, "-c", REFUSE_ALL, json.dumps(REFUSED)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(REFUSED)} []\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("xgboost.Booster", "models.mine.estimator._target_=xgboost.Booster is not an sklearn estimator class."),
        (
            "sklearn.utils.Bunch",
            "models.mine.estimator._target_=sklearn.utils.Bunch is not an sklearn estimator class.",
        ),
        ("sklearn.svm.Nope", "models.mine.estimator._target_=sklearn.svm.Nope is not an sklearn estimator class."),
        (
            "sklearn.nope.Nope",
            "models.mine.estimator._target_=sklearn.nope.Nope cannot be imported: No module named 'sklearn.nope'.",
        ),
        (
            "sklearn..Nope",
            "models.mine.estimator._target_=sklearn..Nope cannot be imported: No module named 'sklearn.'.",
        ),
    ],
)
def test_a_target_in_an_allowed_package_that_is_no_estimator_is_refused(target, message):
    with pytest.raises(ConfigError) as caught:
        build_model("mine", of(target), 1)
    assert str(caught.value) == message


def test_an_unknown_parameter_is_refused_with_the_choices():
    with pytest.raises(ConfigError) as caught:
        build_model("mine", of("sklearn.dummy.DummyClassifier", strategie="prior"), 1)
    assert str(caught.value) == (
        "models.mine.estimator.strategie is an unknown parameter; choose one of constant, random_state, strategy."
    )


def test_a_parameter_of_the_config_counts_more_than_the_seed_of_the_experiment():
    assert build_model("mine", of("sklearn.dummy.DummyClassifier", random_state=7), 1)[-1].random_state == 7


def test_estimators_outside_sklearn_fit_on_one_thread(build):
    outside = [name for name in MODELS if not type(build(name)[-1]).__module__.startswith("sklearn.")]
    assert outside == ["xgb"]
    assert build("xgb")[-1].n_jobs == 1


def stands_in(settings, made):
    """Whether an estimator, and those in it, have the settings of a config."""
    if isinstance(settings, dict):
        module, _, name = settings["_target_"].rpartition(".")
        known = made.get_params(deep=False) | {"_target_": settings["_target_"]}
        right = type(made) is getattr(import_module(module), name)
        return right and all(stands_in(setting, known[key]) for key, setting in settings.items())
    if isinstance(settings, list):
        return len(settings) == len(made) and all(map(stands_in, settings, made))
    return settings == made


@each_model
def test_parameters_reach_the_estimator_as_they_stand_in_the_config(compose, build, name):
    settings = compose(f"model=[{name}]", "rounds=10").models[name].estimator
    assert stands_in(settings, build(name)[-1])
    assert not stands_in(settings, build_model(name, of(DUMMY), 1)[-1]) or name == "dummy"


def test_the_config_is_untouched():
    model = of("sklearn.dummy.DummyClassifier", strategy="prior")
    build_model("mine", model, 1)
    assert model == of("sklearn.dummy.DummyClassifier", strategy="prior")


def blend(*, steps=(), **trees):
    """A mean of two models, one of them a pipeline."""
    linear = {"_target_": "sklearn.pipeline.Pipeline", "steps": [*steps, ["prior", {"_target_": DUMMY}]]}
    members = [["linear", linear], ["trees", {"_target_": "xgboost.XGBClassifier", "n_estimators": 5} | trees]]
    return of("sklearn.ensemble.VotingClassifier", voting="soft", estimators=members)


def test_a_blend_is_the_mean_of_its_members_each_with_the_seed_and_one_thread():
    features, target = told_by_one_column([2] * 40 + [0] * 100 + [1] * 60)
    model = build_model("blend", blend(subsample=0.5), seed=3).fit(features, target)
    prior = np.tile([0.5, 0.3, 0.2], (200, 1))
    trees = XGBClassifier(n_estimators=5, subsample=0.5, random_state=3, n_jobs=1).fit(features, target)
    np.testing.assert_array_equal(model.predict_proba(features), (prior + trees.predict_proba(features)) / 2)
    assert model[-1].named_estimators_["trees"].n_jobs == 1


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (blend(_target_="os.system"), "models.blend.estimator.estimators.1.1._target_=os.system is refused"),
        (blend(steps=[["a", {"_target_": "os.popen"}]]), "estimators.0.1.steps.0.1._target_=os.popen is refused"),
    ],
)
def test_a_member_outside_the_allowed_packages_is_refused_with_its_place(wrong, place):
    with pytest.raises(ConfigError, match=re.escape(place)):
        check_models({"blend": wrong})
    with pytest.raises(ConfigError, match=re.escape(place)):
        build_model("blend", wrong, seed=1)


def test_a_wrong_setting_of_a_member_is_told_with_its_place():
    with pytest.raises(ConfigError, match=r"^models\.blend\.estimator\.estimators\.1\.1\.deepth is an unknown"):
        build_model("blend", blend(deepth=3), seed=1)


def test_a_blend_of_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"^models\.b\.estimator\._target_=sklearn\S+ cannot be built from a config"):
        build_model("b", of("sklearn.ensemble.VotingClassifier"), seed=1)
