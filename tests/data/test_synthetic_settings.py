from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from matchclf.config import World
from matchclf.data.schema import ODDS
from matchclf.data.synthetic import make_world
from matchclf.errors import ConfigError

YAML = Path(__file__).parents[2] / "conf" / "data" / "synthetic.yaml"
PROBA = ["prob_home", "prob_draw", "prob_away"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"teams_per_division": 17},
            "data.teams_per_division must be even, so that every team plays in every round; found 17.",
        ),
        ({"teams_per_division": 2}, "data.teams_per_division must be from 4 to 40; found 2."),
        ({"teams_per_division": 42}, "data.teams_per_division must be from 4 to 40; found 42."),
        ({"promoted": 9}, "data.promoted must be less than half of data.teams_per_division=18; found 9."),
        ({"promoted": -1}, "data.promoted must be from 0 to 19; found -1."),
        ({"last_season": 1999}, "data.last_season must not be before data.first_season=2000; found 1999."),
        ({"first_season": 99}, "data.first_season must be from 1900 to 2100; found 99."),
        ({"countries": 13}, "data.countries must be from 1 to 12; found 13."),
        ({"tiers": 0}, "data.tiers must be from 1 to 8; found 0."),
        ({"seed": -1}, "data.seed must be from 0 to 9223372036854775807; found -1."),
        ({"goals_per_match": float("nan")}, "data.goals_per_match must be from 0.5 to 6; found nan."),
        ({"drift": -0.1}, "data.drift must be from 0 to 0.1; found -0.1."),
        ({"form_effect": float("inf")}, "data.form_effect must be from 0 to 0.5; found inf."),
        (
            {"goals_per_match": 2.0, "shared_goals": 1.0},
            "data.shared_goals count for both teams and must be less than half of data.goals_per_match=2.0; found 1.0.",
        ),
    ],
)
def test_settings_that_make_no_world_are_refused_by_key(settings, message):
    with pytest.raises(ConfigError) as refusal:
        World(**settings)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "settings",
    [
        {"countries": 1, "tiers": 1, "teams_per_division": 4, "promoted": 0, "last_season": 2000},
        {"countries": 1, "tiers": 1, "teams_per_division": 4, "promoted": 1, "last_season": 2003},
        {"countries": 1, "tiers": 2, "teams_per_division": 40, "promoted": 19, "last_season": 2001},
        {"countries": 12, "tiers": 3, "teams_per_division": 4, "promoted": 1, "first_season": 1999},
        {"countries": 1, "strength_spread": 0.6, "drift": 0.1, "form_effect": 0.5, "h2h_effect": 0.6},
        {"countries": 1, "shared_goals": 0.0, "home_advantage": -1.0, "last_season": 2000},
    ],
)
def test_worlds_at_the_edges_of_the_settings_are_whole(settings):
    world = World(**settings)
    matches, truth = make_world(world)
    teams, seasons = world.teams_per_division, world.last_season - world.first_season + 1
    assert len(matches) == seasons * world.countries * world.tiers * teams * (teams - 1)
    assert np.isfinite(truth[PROBA].to_numpy()).all()
    np.testing.assert_allclose(truth[PROBA].sum(axis=1), 1, atol=1e-12)
    assert not matches.drop(columns=list(ODDS)).isna().any().any()
    assert matches["season"].iloc[0] == f"{world.first_season}/{(world.first_season + 1) % 100:02d}"


def test_the_yaml_option_has_the_defaults_of_the_schema_and_explains_every_key():
    option = OmegaConf.load(YAML)
    assert option.pop("defaults") == ["/schema/data/world@_here_", "_self_"]
    assert OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(World), option)) == World()
    assert sorted(option) == sorted(OmegaConf.structured(World))
    lines = YAML.read_text(encoding="utf-8").splitlines()
    keys = [k for k, line in enumerate(lines) if line and line[0].isalpha()]
    assert [lines[k] for k in keys if not lines[k - 1].startswith("#")] == []
