import copy
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from matchclf.config import Config, Features
from matchclf.identity import canonical_json, file_hash, identity, params_hash, short_hash

unhurried = examples(200)
FILES = ("data=football_data", "data.path=somewhere")

# Every field of the config is on one side. A new field fails the first test below until somebody decides on which.
CAN_CHANGE_A_RESULT = {
    "Stage.name": "ablation",
    "Stage.select_by": "holdout",
    "World.name": "another",
    "World.seed": 2,
    "World.countries": 3,
    "World.tiers": 3,
    "World.teams_per_division": 16,
    "World.promoted": 2,
    "World.first_season": 2001,
    "World.last_season": 2026,
    "World.goals_per_match": 2.8,
    "World.home_advantage": 0.3,
    "World.shared_goals": 0.1,
    "World.strength_spread": 0.2,
    "World.tier_gap": 0.3,
    "World.drift": 0.03,
    "World.form_effect": 0.0,
    "World.h2h_effect": 0.0,
    "Table.columns": {"date": ["Date"]},
    "Table.constants": {"neutral": True},
    "Table.date_formats": ["%d/%m/%Y"],
    "Table.missing": ["NA"],
    "Table.odds": [],
    "Table.divisions": {},
    "Table.season_start": "08-01",
    "Table.season_start_exceptions": {},
    "Table.match_key": ["date", "home_team"],
    "Table.on_bad_rows": "drop",
    "Features.use": ["elo", "form", "rest"],
    "Features.families": {name: {} for name in ("elo", "poisson", "chances", "form", "season", "rest", "h2h")},
    "Model.family": "another",
    "Model.preprocessing": [{"_target_": "sklearn.preprocessing.MinMaxScaler"}],
    "Model.estimator": {"_target_": "sklearn.dummy.DummyClassifier"},
    "Frac.value": 0.2,
    "Temporal.test_start": "2024-02-01",
    "Temporal.cv_years": [2016, 2017],
    # In a search; otherwise there is nothing to race.
    "Tuning.racing": False,
    "Tuning.racing_gain": 0.002,
    "Tuning.racing_folds": 4,
    # In a final_train.
    "Final.calibration": "none",
    "Final.calibration_share": 0.2,
    "Config.seed": 2,
}
CANNOT_CHANGE_A_RESULT = {
    "Variant.name": "full",
    "Variant.profile": "another",
    # The format counts, not what it is called; and the content of the files, not where they lie.
    "Table.name": "another",
    "Table.path": "elsewhere",
    "Table.bucket": "another",
    "Table.key": "another",
    "Table.endpoint_url": "http://localhost:9000",
    "Table.region": "another",
    "Table.version_id": "another",
    "Features.profile": "another",
    "Features.full": ["elo"],
    "Frac.name": "another",
    "Experiments.experiment_name": "another",
    "Experiments.smoke_experiment_name": "another",
    "Ablation.experiment_name": "another",
    # A search of more trials goes on with the same one, at any speed and after any failure.
    "Tuning.n_trials": 31,
    "Tuning.n_jobs": 2,
    "Tuning.max_failures": 6,
    "Tuning.resume": "fresh",
    # Tuned parameters count where they are used, in the model.
    "Final.best_params": "force",
    "Final.tuned": {"run_id": "another"},
    "Registry.model_name": "another",
    "Registry.candidate_tolerance": 0.1,
    "Registry.champion_brier_gain": 0.1,
    "Registry.champion_max_ece": 0.1,
    "Tracking.name": "server",
    "Tracking.uri": "http://localhost:5000",
    "Tracking.on_outage": "spool",
    "Lineage.allow_dirty": True,
    "Lineage.require_clean": True,
    "Lineage.on_duplicate": "refuse",
    "Reproduce.dry_run": True,
    "Reproduce.tolerance": 0.1,
    "Config.smoke": True,
    # Boosting rounds count where a model refers to them, and stand there as a number of its own.
    "Config.rounds": 10,
    "Config.workers": 2,
    # Of stages that train nothing.
    "Config.run_id": "another",
    "Config.version": 2,
    "Config.alias": "candidate",
    "Config.confirm": True,
    "Config.rollback": True,
    "Config.fixtures": "another.csv",
    "Config.forecasts": "another.csv",
    "Config.output": "quiet",
    "Config.what": "diff",
    "Config.run_a": "another",
    "Config.run_b": "another",
    "Config.sweep": "another",
}
PARTS = {"stage", "variant", "data", "features", "models", "frac"} | {
    *("classification", "ablation", "temporal", "tuning", "tracking", "final", "reference", "registry"),
    *("lineage", "reproduce"),
}
# Fields that must have the same value as another.
TWINS = {
    "Variant.profile": "Features.profile",
    "Features.profile": "Variant.profile",
    "Experiments.experiment_name": "Ablation.experiment_name",
    "Ablation.experiment_name": "Experiments.experiment_name",
}


def parts_of(part: Any) -> list[Any]:
    """A dataclass and every dataclass in it."""
    inner = part.values() if isinstance(part, dict) else vars(part).values() if is_dataclass(part) else []
    return [*([part] if is_dataclass(part) else []), *(found for value in inner for found in parts_of(value))]


def changed(config: Config, place: str, value: Any) -> Config:
    """A copy with another value in every part of this class."""
    other = copy.deepcopy(config)
    places = [one.split(".") for one in (place, TWINS.get(place, place))]
    for part in parts_of(other):
        for name in {name for kind, name in places if kind == type(part).__name__}:
            assert getattr(part, name) != value
            setattr(part, name, value)
    return other


def backwards(value: Any) -> Any:
    """The same with all keys in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(item) for key, item in reversed(value.items())}
    return value


@pytest.fixture(scope="module")
def by_class(compose):
    """A config in which a part of this class matters: files for what only a table has, a search for its settings."""
    league, final = compose(), compose("stage=final_train")
    more = {"Table": compose(*FILES), "Tuning": compose("stage=tuning"), "Final": final, "Registry": final}
    return lambda place: more.get(place.partition(".")[0], league)


def test_somebody_decided_for_every_field_on_which_side_it_is(compose):
    parts = [*parts_of(compose()), *parts_of(compose(*FILES))]
    declared = {f"{type(part).__name__}.{f.name}" for part in parts for f in fields(part)}
    assert declared == CAN_CHANGE_A_RESULT.keys() | CANNOT_CHANGE_A_RESULT.keys() | {f"Config.{name}" for name in PARTS}
    assert not CAN_CHANGE_A_RESULT.keys() & CANNOT_CHANGE_A_RESULT.keys()


@pytest.mark.parametrize(("place", "value"), CAN_CHANGE_A_RESULT.items())
def test_a_changed_value_that_can_change_a_result_changes_the_hash(by_class, place, value):
    config = by_class(place)
    assert params_hash(changed(config, place, value)) != params_hash(config)


@pytest.mark.parametrize(("place", "value"), CANNOT_CHANGE_A_RESULT.items())
def test_a_changed_value_that_cannot_change_a_result_leaves_the_hash(by_class, place, value):
    config = by_class(place)
    assert params_hash(changed(config, place, value)) == params_hash(config)


def test_every_value_of_a_model_changes_the_hash(compose):
    config = compose()
    hashes = {params_hash(config)}
    places = [(name, key) for name, model in config.models.items() for key in model.estimator]
    for name, key in places:
        other = copy.deepcopy(config)
        other.models[name].estimator[key] = "changed"
        hashes.add(params_hash(other))
    assert len(hashes) == len(places) + 1


def test_every_parameter_of_a_family_changes_the_hash_if_the_family_is_used(compose):
    full, elo_only = compose("variant=full"), compose("variant=elo_only")
    places = [(family, key) for family, settings in full.features.families.items() for key in settings]
    for family, key in places:
        for config in (full, elo_only):
            other = copy.deepcopy(config)
            other.features.families[family][key] = "changed"
            assert (params_hash(other) != params_hash(config)) == (family in config.features.use), (family, key)


STAGES = ("train_eval", "ablation", "tuning", "final_train")
OF_ONE_STAGE = {
    "Tuning.racing": (False, "tuning"),
    "Tuning.racing_gain": (0.002, "tuning"),
    "Tuning.racing_folds": (4, "tuning"),
    "Final.calibration": ("none", "final_train"),
    "Final.calibration_share": (0.2, "final_train"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", OF_ONE_STAGE)
def test_settings_of_one_stage_count_in_that_stage_alone(compose, stage, place):
    config, (value, counts) = compose(f"stage={stage}"), OF_ONE_STAGE[place]
    assert (params_hash(changed(config, place, value)) != params_hash(config)) == (stage == counts)


def test_the_reference_counts_in_a_final_train_and_elsewhere_there_is_none(compose):
    one, other = (compose("stage=final_train", f"model@reference={name}") for name in ("logreg", "hgb"))
    assert params_hash(one) != params_hash(other)
    assert params_hash(compose("stage=final_train", "reference.estimator.C=1")) != params_hash(one)
    train_eval = compose("model=[xgb]")
    held = replace(train_eval, reference=one.reference)
    assert params_hash(held) == params_hash(train_eval)


def test_every_stage_that_trains_has_a_hash_of_its_own(compose):
    hashes = {params_hash(compose(f"stage={stage}", "model=[xgb]", "variant=full")) for stage in STAGES}
    assert len(hashes) == len(STAGES)


def test_tuned_parameters_count_by_their_values_alone(compose):
    config = compose("stage=final_train")
    tuned = copy.deepcopy(config)
    tuned.models["xgb"].estimator["max_depth"] = 3
    told = replace(tuned, final=replace(tuned.final, tuned={"trial": 7}, best_params="force"))
    assert params_hash(told) == params_hash(tuned) != params_hash(config)


def test_which_models_take_part_and_what_they_are_called_changes_the_hash(compose):
    one, two = compose("model=[dummy]"), compose("model=[dummy,logreg]")
    renamed = copy.deepcopy(one)
    renamed.models["prior"] = renamed.models.pop("dummy")
    assert len({params_hash(config) for config in (one, two, renamed)}) == 3


def test_rounds_count_only_where_a_model_uses_them(compose):
    assert params_hash(compose("rounds=7")) != params_hash(compose())
    assert params_hash(compose("model=[logreg]", "rounds=7")) == params_hash(compose("model=[logreg]"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["variant=full"], ["variant=baseline"]),
        (["frac=full"], ["frac=tenth", "frac.value=1"]),
        (["experiment=smoke"], ["frac=smoke", "rounds=10"]),
        (["model=[xgb,dummy]"], ["model=[dummy,xgb]"]),
        (["seed=3", "frac=tenth", "variant=elo_only"], ["variant=elo_only", "seed=3", "frac=tenth"]),
        (["models.logreg.estimator.C=1"], ["models.logreg.estimator.C=1.0"]),
        (["models.logreg.estimator.C=0.001"], ["models.logreg.estimator.C=1e-3"]),
        (["features.families.elo.k=20"], ["features.families.elo.k=2e1"]),
        (["data.home_advantage=0.25"], ["data.home_advantage=.25000"]),
        (["data.form_effect=0"], ["data.form_effect=-0.0"]),
        ([*FILES], ["data=football_data", "data.path=/elsewhere/matches.parquet"]),
        ([], ["tracking=server", "tracking.uri=http://localhost:1", "workers=2", "hydra.run.dir=elsewhere"]),
        ([], ["seed=1", "rounds=300", "data.seed=1", "stage=train_eval"]),
    ],
)
def test_the_same_experiment_by_other_overrides_has_the_same_hash(compose, one, other):
    assert params_hash(compose(*one)) == params_hash(compose(*other))


def test_no_two_options_of_a_group_that_can_change_a_result_share_a_hash(compose):
    # The variants baseline and full have one profile and are one experiment under two names.
    choices = {
        "variant": ["elo_only", "stats_only", "full_no_h2h", "full"],
        "frac": ["smoke", "hundredth", "tenth", "quarter", "half", "full"],
        "data": ["synthetic", "football_data", "internationals", "parquet"],
    }
    for group, options in choices.items():
        path = {"data": ["+data.path=somewhere"]}.get(group, [])
        hashes = {params_hash(compose(f"{group}={name}", *(path if name != "synthetic" else []))) for name in options}
        assert len(hashes) == len(options), group


def test_the_order_of_keys_does_not_matter(compose):
    config = compose(*FILES)
    assert short_hash(backwards(identity(config))) == params_hash(config)


PRINT_HASH = """
import sys
from hydra import compose, initialize_config_dir
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.identity import params_hash

register_schema()
with initialize_config_dir(str(CONF), version_base="1.3"):
    print(params_hash(to_plain(compose("config", sys.argv[1:]))))
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_folder_hash_seed_path_store_and_order_give_the_same_hash(compose, tmp_path, seed):
    overrides = ["variant=elo_only", "frac=tenth", "model=[logreg,xgb]", *FILES]
    elsewhere = [*overrides[::-1], "data.path=/elsewhere", "tracking.uri=http://localhost:1", "workers=7"]
    more = {"PYTHONHASHSEED": seed, "MLFLOW_TRACKING_URI": "http://localhost:2", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", PRINT_HASH, *elsewhere]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | more, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == params_hash(compose(*overrides))


def test_the_identity_of_features_is_the_settings_of_the_families_in_use():
    found = identity(Features("elo_only", ["elo"], {"elo": {"k": 20.0}, "rest": {"cap_days": 14}}))
    assert found == {"elo": {"k": 20.0}}


def test_a_hash_is_the_beginning_of_the_sha_256_of_the_canonical_json():
    assert short_hash({"b": 1.0, "a": None}) == hashlib.sha256(b'{"a":null,"b":1}').hexdigest()[:16]
    assert file_hash(b"abc") == "ba7816bf8f01cfea"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Slow equality: truth values are no numbers, the spelling of a number and the order of keys mean nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@given(values)
@unhurried
def test_canonical_json_tells_the_whole_value(value):
    assert same(json.loads(canonical_json(value)), value)


@given(values, values)
@unhurried
def test_canonical_json_is_equal_just_when_the_values_are(one, other):
    assert (canonical_json(one) == canonical_json(other)) == same(one, other)


@given(st.dictionaries(st.text(), values), st.randoms())
@unhurried
def test_canonical_json_does_not_depend_on_the_order_of_keys(value, random):
    keys = list(value)
    random.shuffle(keys)
    assert canonical_json({key: backwards(value[key]) for key in keys}) == canonical_json(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (True, "true"),
        ("1", '"1"'),
        ((1, 2.0), "[1,2]"),
        ({2020: "08-03"}, '{"2020":"08-03"}'),
        ("Köln", '"K\\u00f6ln"'),
    ],
)
def test_each_kind_of_value_has_one_spelling(value, expected):
    assert canonical_json(value) == expected
