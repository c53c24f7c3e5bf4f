"""Hashes of the parts of a config: each changes with its own settings and with no others."""

import pytest

from matchclf.identity import params_hash, part_hashes

BASE = ("stage=final_train", "model=[logreg]", "data=football_data", "data.path=raw")


def changed(compose, *overrides, base=BASE):
    one, other = part_hashes(compose(*base)), part_hashes(compose(*base, *overrides))
    return [name for name in one if one[name] != other[name]]


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["data.season_start=01-01"], ["data"]),
        (["features.families.elo.k=40"], ["features"]),
        (["variant=elo_only"], ["features"]),
        (["temporal.test_start=2024-02-01"], ["split"]),
        (["temporal.cv_years=[2019]"], ["split"]),
        (["frac=tenth"], ["split"]),
        (["models.logreg.estimator.C=1"], ["model"]),
        (["seed=2"], ["model"]),
        (["final.calibration=none"], ["model"]),
        (["reference.estimator.C=1"], ["model"]),
        (["rounds=7", "workers=1", "data.path=/elsewhere", "tracking.uri=http://localhost:1"], []),
        (["data.bucket=matches", "data.key=E0.csv", "lineage.on_duplicate=link", "reproduce.tolerance=0.1"], []),
        (["models.logreg.estimator.C=1e-2", "frac.value=1", "features.families.elo.k=1.6e1"], []),
    ],
)
def test_a_setting_changes_the_hash_of_its_part_alone(compose, overrides, parts):
    assert changed(compose, *overrides) == parts
    assert (params_hash(compose(*BASE)) != params_hash(compose(*BASE, *overrides))) == bool(parts)


def test_settings_of_a_search_change_the_hash_of_the_search_alone(compose):
    base = ("stage=tuning", "model=logreg")
    assert changed(compose, "tuning.racing_gain=0.01", base=base) == ["search"]
    assert changed(compose, "tuning.n_trials=7", "tuning.n_jobs=2", base=base) == []
