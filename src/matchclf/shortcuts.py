"""HYDRA: what it does the long way at every start, done the short way; docs/speed.md says what that is worth."""

from typing import Any

import yaml
from hydra._internal.hydra import Hydra
from hydra.core.config_store import ConfigStore
from hydra.types import RunMode


def take() -> None:
    """From now on; what Hydra composes is the same, and so is what it refuses."""
    # Hydra copies the whole store with each list of options, --help alone a hundred times; what it reads from the one
    # store there is it copies again.
    _replace(ConfigStore, "__deepcopy__", lambda store, _: store)
    # OmegaConf reads settings by this name, in Python; libyaml's parser takes a tenth of the time.
    _replace(yaml, "SafeLoader", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    _replace(Hydra, "get_mode", _mode)


def _mode(hydra: Hydra, config_name: str | None, overrides: list[str]) -> RunMode | None:
    # Hydra's own keeps what is wrong to itself, and composes once more to say it.
    composed = hydra.compose_config(
        config_name, overrides, with_log_configuration=False, run_mode=RunMode.MULTIRUN, validate_sweep_overrides=False
    )
    mode: RunMode | None = composed.hydra.mode
    return mode


def _replace(owner: Any, name: str, by: Any) -> None:
    setattr(owner, name, by)
