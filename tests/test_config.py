from dataclasses import asdict, fields, is_dataclass
from pathlib import Path

import pytest
import yaml
from sklearn.base import is_classifier

from matchclf.compose import CONF
from matchclf.config import Config, Features, Table, Temporal, World, check_keys
from matchclf.errors import ConfigError
from matchclf.features.build import find_families
from matchclf.models import build_model
from matchclf.stages import STAGES
from matchclf.usage import options

# Hydra's own, and the search spaces, which are found by the name of the model.
GROUPS = sorted({folder.name for folder in CONF.iterdir() if folder.is_dir()} - {"hydra", "search"})
# Choices that set keys of other groups, a word, or a list.
NOT_PARTS = ("experiment", "model", "output")
TABLES = [name for name in options(CONF / "data") if name != "synthetic"]
IN_A_BUCKET = {"bucket", "key", "endpoint_url", "region", "version_id"}
# What else an option needs: a place to read from, or the variant that promises the profile.
NEEDED = {f"data={name}": ["data.path=somewhere"] for name in TABLES} | {
    "data=s3": ["data.bucket=matches", "data.key=raw/"],
    "experiment=internationals": ["data.path=somewhere"],
    "features=no_h2h": ["variant=full_no_h2h"],
}
# Every other profile has the name of its variant.
NEEDED |= {
    f"features={name}": [f"variant={name}"] for name in set(options(CONF / "features")) & set(options(CONF / "variant"))
}


def composed_part(config: Config, group: str) -> object:
    return config.models if group == "model" else getattr(config, group)


@pytest.mark.parametrize("choice", [f"{group}={name}" for group in GROUPS for name in options(CONF / group)])
def test_every_option_composes_and_builds(compose, choice):
    group, _, name = choice.partition("=")
    config = compose(choice, *NEEDED.get(choice, []))
    parts = [composed_part(config, each) for each in GROUPS if each not in NOT_PARTS]
    assert all(map(is_dataclass, [config, *parts, *config.models.values()]))
    for key, model in config.models.items():
        assert is_classifier(build_model(key, model, config.seed))
    assert set(config.features.use) <= find_families().keys()
    assert config.stage.name in STAGES
    if group == "experiment":
        assert name == (config.run_kind if config.smoke else config.data.name)
    elif group == "output":
        assert config.output == name
    elif group == "model":
        assert list(config.models) == [name]
    elif group == "features":
        assert config.features.profile == name
    else:
        assert composed_part(config, group).name == name


def keys_of(name: str) -> set[str]:
    return set(yaml.safe_load((CONF / "data" / f"{name}.yaml").read_text(encoding="utf-8"))) - {"defaults"}


@pytest.mark.parametrize("name", [name for name in TABLES if name != "s3"])
def test_a_table_format_sets_every_key_that_a_table_has(name):
    assert keys_of(name) == {f.name for f in fields(Table)} - IN_A_BUCKET


def test_a_bucket_is_a_place_and_no_format():
    assert keys_of("s3") == {"name", "path", *IN_A_BUCKET}


@pytest.mark.parametrize(
    ("variant", "profile", "families"),
    [
        ("baseline", "full", ["elo", "poisson", "chances", "form", "season", "rest", "h2h"]),
        ("full", "full", ["elo", "poisson", "chances", "form", "season", "rest", "h2h"]),
        ("elo_only", "elo_only", ["elo"]),
        ("stats_only", "stats_only", ["form", "rest"]),
        ("full_no_h2h", "no_h2h", ["elo", "poisson", "chances", "form", "season", "rest"]),
    ],
)
def test_a_variant_stands_for_a_profile_and_a_profile_for_families(compose, variant, profile, families):
    config = compose("stage=ablation", f"variant={variant}")
    assert (config.variant.name, config.features.profile, config.features.use) == (variant, profile, families)
    assert sorted(config.features.families) == sorted(find_families())


def test_the_default_experiment_is_this(compose):
    config = compose()
    found = {name: value for name, value in asdict(config).items() if name not in ("data", "features", "models")}
    assert found == {
        "stage": {"name": "train_eval", "select_by": "cv"},
        "variant": {"name": "baseline", "profile": "full"},
        "frac": {"name": "full", "value": 1.0},
        "classification": {"experiment_name": "matches_clf", "smoke_experiment_name": "matches_clf_smoke"},
        "ablation": {"experiment_name": "matches_clf"},
        "temporal": {"test_start": "2024-01-01", "cv_years": [2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023]},
        "tuning": {
            "n_trials": 30,
            "n_jobs": 1,
            "max_failures": 5,
            "resume": "auto",
            "racing": True,
            "racing_gain": 0.0002,
            "racing_folds": 2,
        },
        "final": {"best_params": "auto", "calibration": "temperature", "calibration_share": 0.1, "tuned": {}},
        "reference": None,
        "registry": {
            "model_name": "soccer-match-outcome",
            "candidate_tolerance": 0.0,
            "champion_brier_gain": 0.002,
            "champion_max_ece": 0.05,
        },
        "tracking": {"name": "local", "uri": None, "on_outage": "fail"},
        "lineage": {"allow_dirty": False, "require_clean": False, "on_duplicate": "run"},
        "reproduce": {"dry_run": False, "tolerance": 0.000001},
        "smoke": False,
        "seed": 1,
        "rounds": 300,
        "workers": 0,
        "run_id": None,
        "version": None,
        "alias": "champion",
        "confirm": False,
        "rollback": False,
        "fixtures": None,
        "forecasts": "data/predictions/upcoming.csv",
        "output": "text",
        "what": "registry",
        "run_a": None,
        "run_b": None,
        "sweep": None,
    }
    assert config.data == World()
    assert list(config.models) == ["dummy", "logreg", "hgb", "xgb"]


@pytest.mark.parametrize(
    ("overrides", "variant"),
    [
        (["stage=ablation"], "full"),
        (["stage=ablation", "variant=baseline"], "baseline"),
        (["variant=elo_only", "stage=ablation"], "elo_only"),
    ],
)
def test_an_ablation_is_of_the_full_variant_unless_told_otherwise(compose, overrides, variant):
    assert compose(*overrides).variant.name == variant


@pytest.mark.parametrize(("overrides", "name"), [([], "xgb"), (["model=hgb"], "hgb"), (["model=[logreg]"], "logreg")])
def test_a_final_model_is_xgb_unless_told_otherwise_and_held_against_logreg(compose, overrides, name):
    config, every = compose("stage=final_train", *overrides), compose().models
    assert (config.models, config.reference) == ({name: every[name]}, every["logreg"])
    assert (config.variant.name, config.run_kind) == ("baseline", "final_train")


def test_the_reference_is_a_model_like_any_other(compose):
    config = compose("stage=final_train", "model@reference=hgb", "reference.estimator.max_iter=7")
    assert config.reference.estimator["max_iter"] == 7
    assert config.models == compose("model=xgb").models


def test_a_smoke_experiment_is_small_and_kept_apart(compose):
    config = compose("experiment=smoke", "stage=ablation")
    assert (config.run_kind, config.experiment_name, config.stage.name) == ("smoke", "matches_clf_smoke", "ablation")
    assert (config.frac.name, config.frac.value) == ("smoke", 0.001)
    assert config.models["xgb"].estimator["n_estimators"] == config.models["hgb"].estimator["max_iter"] == 10


def test_the_command_line_wins_over_a_preset(compose):
    config = compose("experiment=smoke", "frac=tenth", "rounds=20")
    assert (config.run_kind, config.frac.value, config.models["xgb"].estimator["n_estimators"]) == ("smoke", 0.1, 20)


@pytest.mark.parametrize("stage", ["train_eval", "ablation"])
def test_a_run_that_is_no_smoke_run_is_of_the_kind_of_its_stage(compose, stage):
    config = compose(f"stage={stage}")
    assert (config.run_kind, config.experiment_name) == (stage, "matches_clf")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stage.select_by=luck"], "stage.select_by=luck is unknown; choose one of cv, holdout."),
        (["frac.value=0"], "frac.value must be above 0 and at most 1; found 0.0."),
        (["frac.value=1.01"], "frac.value must be above 0 and at most 1; found 1.01."),
        (["frac.value=nan"], "frac.value must be above 0 and at most 1; found nan."),
        (["tuning.resume=maybe"], "tuning.resume=maybe is unknown; choose one of auto, force, fresh."),
        (["tuning.n_trials=0"], "tuning.n_trials must be at least 1; found 0."),
        (["tuning.n_jobs=0"], "tuning.n_jobs must be at least 1; found 0."),
        (["tuning.max_failures=-1"], "tuning.max_failures must be at least 0; found -1."),
        (["tuning.racing_folds=1"], "tuning.racing_folds must be at least 2; found 1."),
        *(
            ([f"final.calibration_share={share}"], f"{said}; found {float(share)}.")
            for share in ("0", "-0.1", "0.51", "nan", "inf")
            for said in ["final.calibration_share must be above 0 and at most 0.5"]
        ),
        (
            ["final.calibration=beta"],
            "final.calibration=beta is unknown; choose one of isotonic, sigmoid, temperature, none.",
        ),
        (["final.best_params=maybe"], "final.best_params=maybe is unknown; choose one of auto, force, ignore."),
        *(
            ([f"registry.{key}=-0.001"], f"registry.{key} must not be negative; found -0.001.")
            for key in ("candidate_tolerance", "champion_brier_gain", "champion_max_ece")
        ),
        (["lineage.on_duplicate=maybe"], "lineage.on_duplicate=maybe is unknown; choose one of run, link, refuse."),
        (["reproduce.tolerance=-1"], "reproduce.tolerance must not be negative; found -1.0."),
        (["workers=-1"], "workers must be 0 (one a core) or more; found -1."),
        (["model=[]"], "model is empty; expected at least one model, for instance model=[logreg,xgb]."),
        (
            ["features=elo_only"],
            "variant=baseline means features=full, but features=elo_only was chosen; leave one of the two out, "
            "so that the tags tell the truth.",
        ),
        (
            ["features.use=[elo,luck]"],
            "features.use=luck is unknown; choose one of elo, poisson, chances, market, season, form, h2h, rest.",
        ),
        (
            ["~features.families.h2h"],
            "features.use=h2h is unknown; choose one of elo, poisson, chances, market, season, form, rest.",
        ),
        (
            ["temporal.test_start=tomorrow"],
            "temporal.test_start=tomorrow is not a date; expected YYYY-MM-DD, for instance 2024-01-01.",
        ),
        (
            ["temporal.test_start=2023-02-29"],
            "temporal.test_start=2023-02-29 is not a date; expected YYYY-MM-DD, for instance 2024-01-01.",
        ),
        (
            ["temporal.test_start=2023-12-31"],
            "temporal.cv_years reaches into the holdout: year 2023 is not over before temporal.test_start=2023-12-31.",
        ),
        (["temporal.cv_years=[]"], "temporal.cv_years is empty; expected at least one validation year."),
        (["temporal.cv_years=[2020,2019]"], "temporal.cv_years must rise without repeats; found [2020, 2019]."),
        (["temporal.cv_years=[2020,2020]"], "temporal.cv_years must rise without repeats; found [2020, 2020]."),
        (
            ["classification.experiment_name=other"],
            "ablation.experiment_name must be the same as classification.experiment_name; found "
            "'matches_clf' and 'other'.",
        ),
        (
            ["experiment=smoke", "classification.smoke_experiment_name=matches_clf"],
            "classification.smoke_experiment_name must differ from classification.experiment_name, so that "
            "a smoke run never writes among production runs; both are 'matches_clf'.",
        ),
        (["data.promoted=9"], "data.promoted must be less than half of data.teams_per_division=18; found 9."),
        (
            ["data=football_data", "data.path=x", "data.on_bad_rows=keep"],
            "data.on_bad_rows=keep is unknown; choose one of error, drop.",
        ),
        (
            ["data=football_data", "data.path=x", "data.bucket=b"],
            "data.bucket=b and data.key=None go together; expected both or none.",
        ),
        (
            ["data=parquet", "data.path=' '"],
            "data.path is empty; expected a CSV file, a Parquet file or a folder of them.",
        ),
        (
            ["data=football_data", "data.path=x", "data.odds=[[PSH,PSD]]"],
            "data.odds has ['PSH', 'PSD']; expected three columns: home, draw, away.",
        ),
        (
            ["data=football_data", "data.path=x", "data.season_start=13-01"],
            "data.season_start=13-01 is not a day of the year; expected MM-DD, for instance 07-01.",
        ),
        (
            ["data=football_data", "data.path=x", "data.season_start_exceptions={2020: soon}"],
            "data.season_start_exceptions.2020=soon is not a day of the year; expected MM-DD, for instance 07-01.",
        ),
    ],
)
def test_a_setting_that_contradicts_another_or_itself_is_refused(compose, overrides, message):
    with pytest.raises(ConfigError) as caught:
        compose(*overrides)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "entry", [["Wales"], ["Wales", 0], ["Wales", 100], ["Wales", "1"], ["Wales", True], ["Wales", 1, "W", 2]]
)
def test_a_division_without_country_and_tier_is_refused(entry):
    with pytest.raises(ConfigError, match=r"^data\.divisions\.W1 is .*; expected \[country, tier\]"):
        Table("mine", "x", divisions={"W1": entry})


@pytest.mark.parametrize("name", options(CONF / "search"))
def test_a_search_space_is_of_parameters_that_its_model_has(compose, name):
    config = compose("stage=tuning", f"model={name}")
    space = yaml.safe_load((CONF / "search" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert list(config.models) == [name]
    assert space.keys() <= {f"models.{name}.estimator.{key}" for key in config.models[name].estimator}


def test_the_last_validation_year_may_end_the_day_before_the_holdout():
    assert Temporal("2024-01-01", [2023]).cv_years == [2023]


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("nope", "stage, variant, data, features, models, frac, classification, ablation, temporal, "),
        ("stage.nope", "name, select_by."),
        ("temporal.nope", "test_start, cv_years."),
        ("models.xgb.nope", "family, preprocessing, estimator."),
    ],
)
def test_a_key_that_was_added_and_is_read_by_nobody_is_refused(compose, key, choices):
    with pytest.raises(ConfigError) as caught:
        compose(f"+{key}=1")
    assert str(caught.value).startswith(f"{key} is an unknown key; choose one of {choices}")


def test_keys_that_are_declared_pass(compose):
    check_keys(compose())
    check_keys(Features("mine", ["elo"], {"elo": {"anything": 1}}))


def test_yaml_files_explain_every_key_they_set():
    for path in [*CONF.glob("data/*.yaml"), *CONF.glob("features/*.yaml"), *CONF.glob("frac/*.yaml")]:
        assert "#" in Path(path).read_text(encoding="utf-8"), path
