from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from matchclf.compose import CONF, register_schema, to_plain
from matchclf.config import Config, World
from matchclf.errors import MatchclfError
from matchclf.usage import explain, flags_first, options

FAMILIES = "chances, elo, form, h2h, market, poisson, rest, season"
GROUPS = sorted({folder.name for folder in CONF.iterdir() if folder.is_dir()} - {"hydra", "search"})
WORLD = [f.name for f in fields(World)]
TOP = [f.name for f in fields(Config)]


def told(*arguments: str) -> str:
    """What the program says of a wrong command line."""
    register_schema()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            to_plain(hydra_compose("config", list(arguments)))
    except MatchclfError as problem:
        return str(problem)
    except Exception as problem:
        return explain(problem, list(arguments), CONF)
    pytest.fail(f"{arguments} was accepted")


def keys_of_type(part: type, kind: type, place: str = "") -> list[str]:
    """Dotted keys of the values of a type in a dataclass and those in it."""
    found = []
    for name, hint in get_type_hints(part).items():
        if is_dataclass(hint):
            found += keys_of_type(hint, kind, f"{place}{name}.")
        elif hint == kind or getattr(hint, "__origin__", None) == kind:
            found.append(f"{place}{name}")
    return found


def test_keys_are_found_by_type():
    assert {"seed", "rounds", "tuning.n_trials"} <= set(keys_of_type(Config, int))
    assert {"frac.value", "tuning.racing_gain"} <= set(keys_of_type(Config, float))
    assert {"smoke", "tuning.racing"} <= set(keys_of_type(Config, bool))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("option", ["nope", "0.1"])
def test_an_unknown_option_is_told_with_all_the_options_of_its_group(group, option):
    choices = options(CONF / group)
    assert told(f"{group}={option}") == f"{group}={option} is unknown; choose one of {', '.join(choices)}."


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("variant=elo_onyl", "elo_only"),
        ("model=[logreg,xbg]", "xgb"),
        ("frac=tenht", "tenth"),
        ("stage=ablate", "ablation"),
        ("data=footballdata", "football_data"),
    ],
)
def test_what_was_meant_is_guessed(argument, meant):
    assert told(argument).endswith(f" (did you mean {meant}?).")


INTEGERS = [*keys_of_type(Config, int), "data.seed"]
NUMBERS = [*keys_of_type(Config, float), "data.drift"]


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        *((key, "abc", "Value 'abc' of type 'str' could not be converted to Integer.") for key in INTEGERS),
        ("seed", "1.5", "Value '1.5' of type 'float' could not be converted to Integer."),
        *((key, "abc", "Value 'abc' of type 'str' could not be converted to Float.") for key in NUMBERS),
        *((key, "maybe", "Value 'maybe' is not a valid bool (type str).") for key in keys_of_type(Config, bool)),
        *((key, "null", f"field '{key}' is not Optional.") for key in ("seed", "frac.value", "smoke", "stage.name")),
    ],
)
def test_a_value_of_the_wrong_type_is_told_with_its_key(key, value, why):
    assert told(f"{key}={value}") == f"{key} has a value of the wrong type: {why}"


@pytest.mark.parametrize(
    ("argument", "key"),
    [
        ("temporal.cv_years=2020", "temporal.cv_years"),
        ("temporal.cv_years=[soon]", "temporal.cv_years[0]"),
        ("features.use=elo", "features.use"),
        ("features.families.elo=3", "features.families.elo"),
        ("models.xgb.estimator=3", "models.xgb.estimator"),
        ("models.xgb=3", "models.xgb"),
        ("hydra.mode=LATER", "hydra.mode"),
        ("seed=${nowhere}", "seed"),
        ("seed=${oc.env:MATCHCLF_NOT_SET}", "seed"),
    ],
)
def test_a_value_of_another_shape_is_told_with_its_key(argument, key):
    found = told(argument)
    assert found.startswith(f"{key} has a value of the wrong type: ")
    assert found.endswith(".")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("nope", ["hydra", *TOP]),
        ("nope.deeper", ["hydra", *TOP]),
        ("stage.nope", ["name", "select_by"]),
        ("data.nope", WORLD),
        ("data.path", WORLD),
        ("features.nope", ["profile", "use", "families", "full"]),
        ("features.families.nope", ["elo", "poisson", "chances", "market", "season", "form", "h2h", "rest"]),
        ("features.families.rest.nope", ["cap_days"]),
        ("models.nope", ["dummy", "logreg", "hgb", "xgb"]),
        ("models.dummy.nope", ["family", "preprocessing", "estimator"]),
        ("models.dummy.estimator.nope", ["_target_", "strategy"]),
        ("frac.nope", ["name", "value"]),
        ("classification.nope", ["experiment_name", "smoke_experiment_name"]),
        ("temporal.nope", ["test_start", "cv_years"]),
        ("tracking.nope", ["name", "uri", "on_outage"]),
    ],
)
def test_an_unknown_key_is_told_with_the_keys_that_stand_beside_it(key, choices):
    place = key.removesuffix(".deeper")
    assert told(f"{key}=1") == f"{place} is an unknown key; choose one of {', '.join(choices)}."


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("+nope=1", f"nope is an unknown key; choose one of {', '.join(TOP)}."),
        ("+data.nope=1", f"data.nope is an unknown key; choose one of {', '.join(WORLD)}."),
        ("+frac.nope=1", "frac.nope is an unknown key; choose one of name, value."),
        ("+models.xgb.nope=1", "models.xgb.nope is an unknown key; choose one of family, preprocessing, estimator."),
        (
            "+features.families.rest.nope=1",
            "features.families.rest.nope is unknown; choose one of cap_days.",
        ),
        ("+features.families.nope.x=1", f"features.families.nope is unknown; choose one of {FAMILIES}."),
    ],
)
def test_a_key_that_nobody_reads_is_refused_even_when_added_with_a_plus(argument, message):
    assert told(argument) == message


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nonsense", "'nonsense' is not an override; expected key=value or group=option."),
        ("seed 1=2", "'seed 1=2' is not an override; expected key=value or group=option."),
        ("seed=[1", "'seed=[1' is not an override; expected key=value or group=option."),
        ("seed=${", "'seed=${' is not an override; expected key=value or group=option."),
        ("-seed=1", "'-seed=1' is not an override; expected key=value or group=option."),
        (
            "variant=full,elo_only",
            "variant=full,elo_only names several values; add --multirun to run each, or write key=[a,b] for one list.",
        ),
        (
            "seed=1,2",
            "seed=1,2 names several values; add --multirun to run each, or write key=[a,b] for one list.",
        ),
        ("~stage", "stage is missing; set it, for instance stage=VALUE."),
        *(
            (f"data={name}", "data.path is missing; set it, for instance data.path=matches.parquet.")
            for name in ("parquet", "internationals")
        ),
        (
            "models.xgb.estimator._target_=os.system",
            "models.xgb.estimator._target_=os.system is refused; expected the full name of an estimator class in "
            "sklearn, xgboost, lightgbm, catboost, for instance sklearn.linear_model.LogisticRegression.",
        ),
        (
            "features.families.rest.cap_days=-1",
            "features.families.rest.cap_days=-1 cannot be used; expected a whole number from 1 to 1000000.",
        ),
        (
            "~features.families.h2h.window",
            "features.families.h2h.window is missing; expected a whole number from 1 to 1000000.",
        ),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_told_in_one_sentence(argument, message):
    assert told(argument) == message


def test_flags_come_before_overrides_and_each_keep_their_order():
    mixed = ["stage=ablation", "-m", "~models.xgb", "--cfg", "job", "+a=-1", "variant=full,elo_only", "--resolve"]
    expected = ["-m", "--cfg", "job", "--resolve", "stage=ablation", "~models.xgb", "+a=-1", "variant=full,elo_only"]
    assert flags_first(mixed) == expected


def test_options_of_a_group_are_its_files_in_order(tmp_path):
    for name in ("b.yaml", "a.yaml", "notes.txt"):
        (tmp_path / name).touch()
    assert options(tmp_path) == ["a", "b"]


EVIL = """
class Evil:
    pass

open("executed", "w").close()
"""
REFUSED = (
    "models.dummy.estimator._target_=evil.Evil is refused; expected the full name of an estimator class in "
    "sklearn, xgboost, lightgbm, catboost, for instance sklearn.linear_model.LogisticRegression."
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stage=nope"], f"stage=nope is unknown; choose one of {', '.join(options(CONF / 'stage'))}."),
        (
            ["variant=full,elo_only"],
            "variant=full,elo_only names several values; add --multirun to run each, or write key=[a,b] for one list.",
        ),
        (
            ["variant=full,nope", "--multirun"],
            f"variant=nope is unknown; choose one of {', '.join(options(CONF / 'variant'))}.",
        ),
        (
            ["seed=abc"],
            "seed has a value of the wrong type: Value 'abc' of type 'str' could not be converted to Integer.",
        ),
        (["stage.select_by=luck"], "stage.select_by=luck is unknown; choose one of cv, holdout."),
        (["data=parquet"], "data.path is missing; set it, for instance data.path=matches.parquet."),
        (["model=dummy", "models.dummy.estimator._target_=evil.Evil"], REFUSED),
        (["tracking=server"], "tracking=server needs tracking.uri=http://HOST:PORT or MLFLOW_TRACKING_URI."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_command_ends_with_one_sentence_and_code_2_before_a_store_is_made(
    matchclf, tmp_path, arguments, message
):
    (tmp_path / "evil.py").write_text(EVIL)
    done = matchclf(*arguments)
    assert done.code == 2
    assert done.err.splitlines()[-1] == f"Error: {message}"
    assert "Traceback" not in done.out + done.err
    assert done.files == frozenset()
    assert {path.name for path in tmp_path.iterdir()} <= {"evil.py", "multirun"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("temporal: [", r"params\.yaml cannot be read as YAML: "),
        ("[1]", r"params\.yaml is not a mapping; expected keys such as classification and temporal\.$"),
    ],
)
def test_a_params_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, content, message):
    (tmp_path / "params.yaml").write_text(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MatchclfError, match=message) as caught:
        register_schema()
    assert caught.value.exit_code == 2
