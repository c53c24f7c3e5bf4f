"""Which tuned parameters a final_train takes, and which it refuses. Processes that do: test_final_train.py."""

import copy
import functools
import json
from pathlib import Path

import pytest

from matchclf.errors import ConfigError, DataError
from matchclf.identity import params_hash
from matchclf.models import build_model
from matchclf.stages.tuned import check_same_data, with_tuned

FILE = Path("data/models/xgb_best_params.json")
FOUND = {
    "model": "xgb",
    "params": {"xgb.n_estimators": 123, "xgb.learning_rate": 0.0625, "xgb.max_depth": 3},
    "cv_logloss_mean": 0.99,
    "trial": 7,
    "run_id": "b" * 32,
    "parent_run_id": "a" * 32,
    "run_kind": "tuning",
    "data_hash": "d" * 32,
    "params_hash": "0123456789abcdef",
    "search_hash": "fedcba9876543210",
}
USED = {"n_estimators": 123, "learning_rate": 0.0625, "max_depth": 3}
WAYS_OUT = "Search again, take it all the same with final.best_params=force, or leave it with final.best_params=ignore."


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(content=None, file=FILE, **changed):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(FOUND | changed) if content is None else content)


@pytest.fixture(scope="module")
def composed(compose):
    return functools.cache(lambda *overrides: compose("stage=final_train", *overrides))


@pytest.fixture
def config(composed):
    return lambda *overrides: copy.deepcopy(composed(*overrides))


def estimator(config):
    ((_, model),) = config.models.items()
    return model.estimator


def test_without_a_file_the_config_stays_as_it_is(config):
    assert with_tuned(config(), []) == config()


def test_the_parameters_of_the_file_are_put_into_the_model_and_told(config):
    write()
    before = config()
    found = with_tuned(before, ["stage"])
    assert estimator(found) == {**estimator(before), **USED}
    assert found.final.tuned == {**FOUND, "used": USED}
    assert build_model("xgb", found.models["xgb"], 1)[-1].get_params()["learning_rate"] == 0.0625
    assert before == config()  # the config that was given is untouched


def test_all_else_of_the_config_stays_as_it_is(config):
    write()
    before, found = config("seed=4", "final.calibration=isotonic"), with_tuned(config("seed=4"), [])
    assert (found.seed, found.reference, found.features) == (before.seed, before.reference, before.features)
    assert found.models["xgb"].preprocessing == before.models["xgb"].preprocessing
    assert found.models["xgb"].family == "gradient_boosting"


def test_the_file_of_another_model_is_not_looked_at(config):
    write("{")
    assert with_tuned(config("model=logreg"), []) == config("model=logreg")


@pytest.mark.parametrize("name", ["logreg", "hgb", "dummy"])
def test_each_model_has_a_file_of_its_own(config, name):
    key = {"logreg": "C", "hgb": "max_iter", "dummy": "strategy"}[name]
    value = {"logreg": 0.5, "hgb": 77, "dummy": "uniform"}[name]
    write(file=Path(f"data/models/{name}_best_params.json"), model=name, params={f"{name}.{key}": value})
    assert estimator(with_tuned(config(f"model={name}"), []))[key] == value


@pytest.mark.parametrize("stage", ["train_eval", "ablation", "tuning"])
def test_no_other_stage_takes_them(compose, stage):
    write()
    before = compose(f"stage={stage}", "model=xgb")
    assert with_tuned(before, []) == before


def test_they_can_be_ignored_whatever_is_in_the_file(config):
    write("{")
    ignoring = config("final.best_params=ignore")
    assert with_tuned(ignoring, []) == ignoring


@pytest.mark.parametrize(
    "given",
    [
        "models.xgb.estimator.max_depth",
        "+models.xgb.estimator.max_depth",
        "++models.xgb.estimator.max_depth",
    ],
)
def test_a_key_of_the_command_line_wins(config, given):
    write()
    found = with_tuned(config("models.xgb.estimator.max_depth=6"), ["stage", given])
    assert estimator(found)["max_depth"] == 6
    assert estimator(found)["n_estimators"] == 123
    assert found.final.tuned["used"] == {"n_estimators": 123, "learning_rate": 0.0625}


def test_a_whole_estimator_given_on_the_command_line_wins(config):
    write()
    found = with_tuned(config("models.xgb.estimator.max_depth=6"), ["models.xgb.estimator"])
    assert (estimator(found)["max_depth"], found.final.tuned["used"]) == (6, {})


def test_a_key_taken_out_on_the_command_line_stays_out(config):
    write()
    found = with_tuned(config("~models.xgb.estimator.max_depth"), ["~models.xgb.estimator.max_depth"])
    assert "max_depth" not in estimator(found)


def test_a_key_of_another_model_on_the_command_line_wins_over_nothing(config):
    write()
    found = with_tuned(config(), ["models.hgb.estimator.max_depth", "reference.estimator.max_depth", "max_depth"])
    assert found.final.tuned["used"] == USED


def test_tuned_and_untuned_have_another_params_hash_and_equal_values_the_same(config):
    write()
    tuned = with_tuned(config(), [])
    by_hand = config(*(f"models.xgb.estimator.{key}={value}" for key, value in USED.items()))
    assert params_hash(tuned) != params_hash(config())
    assert params_hash(tuned) == params_hash(by_hand)
    write(trial=8, run_id="c" * 32, data_hash="e" * 32)
    assert params_hash(with_tuned(config(), [])) == params_hash(tuned)


REFUSED = {
    "another model": ({"model": "hgb"}, f"{FILE} belongs to the model hgb; expected xgb. {WAYS_OUT}"),
    "a smoke search": (
        {"run_kind": "smoke"},
        f"{FILE} was written by a smoke search, which finds nothing of worth. {WAYS_OUT}",
    ),
    "a parameter of a feature": (
        {"params": {"xgb.max_depth": 3, "features.families.elo.k": 20.0, "frac.value": 0.5}},
        f"{FILE} holds features.families.elo.k, frac.value, no parameter of the model xgb; set it on the command "
        f"line. {WAYS_OUT}",
    ),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_what_was_found_for_something_else_is_refused_unless_forced(config, changed, message):
    write(**changed)
    with pytest.raises(ConfigError) as caught:
        with_tuned(config(), [])
    assert str(caught.value) == message
    assert caught.value.exit_code == 2
    forced = with_tuned(config("final.best_params=force"), [])
    assert estimator(forced)["max_depth"] == 3
    assert set(estimator(forced)) == set(estimator(config()))


def test_a_smoke_run_takes_what_a_smoke_search_found(config):
    write(run_kind="smoke")
    assert estimator(with_tuned(config("experiment=smoke"), []))["n_estimators"] == 123


@pytest.mark.parametrize("key", ["model", "params", "data_hash", "run_id", "run_kind"])
@pytest.mark.parametrize("rule", ["auto", "force"])
def test_a_file_without_one_of_its_keys_is_refused_even_when_forced(config, key, rule):
    write(json.dumps({name: value for name, value in FOUND.items() if name != key}))
    with pytest.raises(ConfigError) as caught:
        with_tuned(config(f"final.best_params={rule}"), [])
    assert str(caught.value) == f"{FILE} lacks {key}; write it anew with stage=tuning model=xgb."


def test_all_keys_that_are_missing_are_named(config):
    write("{}")
    with pytest.raises(ConfigError, match=r"lacks data_hash, model, params, run_id, run_kind; write it anew"):
        with_tuned(config(), [])


@pytest.mark.parametrize("content", ["", "{", '{"model": "xgb"', "[1]", "null", "3", '"xgb"', "\x00", "\ufeff{}"])
def test_a_file_that_is_no_json_object_is_refused(config, content):
    write(content)
    with pytest.raises(DataError, match=rf"^{FILE} (is not readable as JSON: |holds a JSON )") as caught:
        with_tuned(config(), [])
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("params", [None, [], ["xgb.max_depth"], "xgb.max_depth=3", 3])
@pytest.mark.parametrize("rule", ["auto", "force"])
def test_parameters_that_are_no_mapping_are_refused_in_a_sentence(config, params, rule):
    write(params=params)
    with pytest.raises(ConfigError) as caught:
        with_tuned(config(f"final.best_params={rule}"), [])
    assert str(caught.value) == f"{FILE} has params={params}; expected a mapping, for instance xgb.KEY to VALUE."


@pytest.mark.parametrize("target", ["os.system", "sklearn.datasets.load_files", "sklearn.dummy.DummyClassifier"])
def test_another_class_than_the_configured_one_cannot_be_smuggled_in(config, target):
    write(params={"xgb._target_": target})
    with pytest.raises(ConfigError, match=rf"^{FILE} holds xgb\._target_, no parameter of the model xgb; "):
        with_tuned(config(), [])


def test_a_parameter_that_the_model_does_not_have_is_refused_with_the_choices(config):
    write(params={"xgb.depth": 3})
    with pytest.raises(ConfigError, match=r"^models\.xgb\.estimator\.depth is an unknown parameter; choose one of "):
        build_model("xgb", with_tuned(config(), []).models["xgb"], 1)


def test_of_several_models_none_is_tuned(config):
    write("{")
    several = config("model=[xgb,logreg]")
    assert with_tuned(several, []) == several


def test_parameters_found_on_the_same_data_are_taken(config):
    write()
    check_same_data(with_tuned(config(), []), "d" * 32)


def test_parameters_found_on_other_data_are_refused_unless_forced(config):
    write()
    with pytest.raises(ConfigError) as caught:
        check_same_data(with_tuned(config(), []), "e" * 32)
    assert str(caught.value) == f"{FILE} was found on other data: {'d' * 32}, here it is {'e' * 32}. {WAYS_OUT}"
    check_same_data(with_tuned(config("final.best_params=force"), []), "e" * 32)


def test_without_tuned_parameters_any_data_will_do(config):
    check_same_data(config(), "e" * 32)


def test_the_other_data_are_named_with_the_file_that_was_read_even_if_it_names_another_model(config):
    write(model="hgb")
    forced = with_tuned(config("final.best_params=force"), [])
    assert forced.final.tuned["model"] == "hgb"
    check_same_data(forced, "e" * 32)


def test_what_was_read_is_not_shared_with_the_config_that_was_given(config):
    write()
    given = config()
    before = copy.deepcopy(given)
    with_tuned(given, []).final.tuned["used"].clear()
    assert given == before


def test_tuned_parameters_cannot_be_given_by_hand(config):
    with pytest.raises(ConfigError, match=r"^final\.tuned "):
        with_tuned(config("+final.tuned.used={max_depth: 9}"), ["+final.tuned.used"])
