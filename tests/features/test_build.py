import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import matchclf.features
from features.leagues import random_league
from matchclf.errors import ConfigError
from matchclf.features.build import build_features, check_families, find_families
from matchclf.features.rest import rest

CONF = Path(__file__).parents[2] / "conf" / "features"
ELO = {
    "k": 20,
    "margin": "log",
    "home_advantage": 60,
    "scale": 400,
    "season_regression": 0.1,
    "start": 1500,
    "tier_gap": 50,
    "newcomer_gap": 50,
}
FAMILIES = "chances, elo, form, h2h, market, poisson, rest, season"
FORM = {"windows": [5], "scopes": ["all"]}


def profile(name: str) -> dict[str, object]:
    return yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))


def test_a_family_is_found_by_the_name_of_its_module():
    assert sorted(find_families()) == ["chances", "elo", "form", "h2h", "market", "poisson", "rest", "season"]


def test_a_new_family_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "derby.py").write_text(
        "from matchclf.features.parameters import Count\n"
        "def derby(matches, *, reach: Count):\n"
        "    return matches[['neutral']].astype('float32') * reach\n"
    )
    monkeypatch.setattr(matchclf.features, "__path__", [*matchclf.features.__path__, str(tmp_path)])
    monkeypatch.setitem(sys.modules, "matchclf.features.derby", None)
    del sys.modules["matchclf.features.derby"]
    matches = random_league(1)
    found = build_features(matches, {"derby": {"reach": 2}})["derby"]
    assert found["neutral"].tolist() == (matches["neutral"] * 2.0).tolist()
    with pytest.raises(ConfigError, match=r"features\.families\.derby\.reach=0 cannot be used"):
        check_families({"derby": {"reach": 0}})


def test_each_family_gives_its_own_columns():
    matches = random_league(1)
    found = build_features(matches, {"rest": {"cap_days": 9}, "h2h": {"window": 3}})
    assert list(found) == ["rest", "h2h"]
    pd.testing.assert_frame_equal(found["rest"], rest(matches, cap_days=9))


def test_ratings_made_together_are_those_of_each_family_alone():
    matches = random_league(3)
    families = {name: profile("full")["families"][name] for name in ("chances", "poisson", "elo", "market")}
    found = build_features(matches, families)
    assert list(found) == list(families)
    for name, settings in families.items():
        pd.testing.assert_frame_equal(found[name], find_families()[name](matches, **settings))


def test_no_families_give_no_columns():
    assert build_features(random_league(1), {}) == {}


@pytest.mark.parametrize(
    ("families", "sentence"),
    [
        ({"eol": {}}, f"features.families.eol is unknown; choose one of {FAMILIES}."),
        ({"history": {}}, f"features.families.history is unknown; choose one of {FAMILIES}."),
        (
            {"elo": ELO | {"kk": 1}},
            "features.families.elo.kk is unknown; choose one of k, margin, home_advantage, scale, season_regression, "
            "start, tier_gap, newcomer_gap.",
        ),
        ({"rest": {}}, "features.families.rest.cap_days is missing; expected a whole number from 1 to 1000000."),
        (
            {"rest": None},
            "features.families.rest=None cannot be used; expected its parameters: cap_days.",
        ),
        (
            {"elo": ELO | {"k": -1}},
            "features.families.elo.k=-1 cannot be used; expected a number above 0, at most 1000000.",
        ),
        (
            {"elo": ELO | {"margin": "lgo"}},
            "features.families.elo.margin=lgo cannot be used; expected one of none, log, world_football.",
        ),
        (
            {"elo": ELO | {"season_regression": 1.5}},
            "features.families.elo.season_regression=1.5 cannot be used; expected a number from 0 to 1.",
        ),
        (
            {"h2h": {"window": 0}},
            "features.families.h2h.window=0 cannot be used; expected a whole number from 1 to 1000000.",
        ),
        (
            {"form": FORM | {"windows": [5, 0]}},
            "features.families.form.windows=[5, 0] cannot be used; expected a list of different whole numbers from "
            "1 to 1000000.",
        ),
        (
            {"form": FORM | {"scopes": ["al"]}},
            "features.families.form.scopes=['al'] cannot be used; expected a list of different names out of "
            "all, venue.",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(families, sentence):
    with pytest.raises(ConfigError) as refused:
        check_families(families)
    assert str(refused.value) == sentence


def test_settings_are_checked_before_the_matches_are_touched():
    with pytest.raises(ConfigError, match="cap_days"):
        build_features(None, {"rest": {"cap_days": 0}})


def test_settings_of_the_full_profile_are_accepted():
    check_families(profile("full")["families"])


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("full", ["elo", "poisson", "chances", "form", "season", "rest", "h2h"]),
        ("elo_only", ["elo"]),
        ("stats_only", ["form", "rest"]),
        ("no_h2h", ["elo", "poisson", "chances", "form", "season", "rest"]),
        ("no_form", ["elo", "poisson", "chances", "season", "rest", "h2h"]),
        ("no_chances", ["elo", "poisson", "form", "season", "rest", "h2h"]),
        ("poisson_only", ["poisson"]),
        ("chances_only", ["chances"]),
        ("market_only", ["market"]),
        ("market", ["market", "elo", "poisson", "chances", "form", "season", "rest", "h2h"]),
    ],
)
def test_profiles_use_the_families_of_their_name(name, use):
    found = profile(name)
    assert (found["profile"], found["use"]) == (name, use)
    assert name == "full" or set(found) == {"defaults", "profile", "use"}
