import json

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from conftest import take_shortcuts
from matchclf.compose import CONF, params_file, register_schema

SETTINGS = [params_file(), *sorted(CONF.rglob("*.yaml"))]
COMMANDS = (
    [],
    ["stage=tuning", "model=[logreg]", "hydra.sweeper.n_jobs=2"],
    ["stage=ablation", "variant=elo_only", "features.families.poisson.drift=1e-5"],
    ["experiment=smoke", "model=blend", "data=football_data"],
)


@pytest.fixture
def take(monkeypatch):
    """Take the shortcuts, until the test ends."""
    return lambda: take_shortcuts(monkeypatch)


def composed():
    register_schema()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        found = [compose("config", command, return_hydra_config=True) for command in COMMANDS]
    return [json.dumps(OmegaConf.to_container(one, resolve=False), default=str) for one in found]


@pytest.mark.parametrize("path", SETTINGS, ids=[str(path.relative_to(CONF.parent)) for path in SETTINGS])
def test_libyaml_reads_what_python_reads(path):
    text = path.read_text()
    assert yaml.load(text, yaml.CSafeLoader) == yaml.load(text, yaml.SafeLoader)


def test_what_is_composed_is_the_same_in_the_same_order(take):
    before = composed()
    take()
    assert issubclass(yaml.SafeLoader, yaml.CSafeLoader)
    assert composed() == before


def test_what_is_wrong_is_told_by_the_first_composition(take, monkeypatch):
    times = []
    monkeypatch.setattr(Hydra, "compose_config", lambda *_, **named: times.append(named) or fail())
    hydra = object.__new__(Hydra)
    assert hydra.get_mode("config", ["nope=1"]) is None
    take()
    with pytest.raises(HydraException, match="nope"):
        hydra.get_mode("config", ["nope=1"])
    kinds = [(one["run_mode"], one["with_log_configuration"], one["validate_sweep_overrides"]) for one in times]
    assert kinds == [(RunMode.MULTIRUN, False, False)] * 2


def fail():
    raise HydraException("nope is unknown")
