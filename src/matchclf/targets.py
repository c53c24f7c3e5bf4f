"""HYDRA: which classes a config may name. Hydra and logging import and call whatever they are told to.

Hydra's own list of what is forbidden lets most of the world through, so this is a list of what is allowed. It is held
against each config that Hydra composes, before anything is built from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import wraps
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from matchclf.errors import ConfigError
from matchclf.models import check_target

ALLOWED = re.compile(
    r"""hydra\._internal\.core_plugins\.basic_(launcher\.BasicLauncher|sweeper\.BasicSweeper)
      | hydra\.experimental\.callbacks\.\w+
      | hydra_plugins\.hydra_joblib_launcher\.joblib_launcher\.JoblibLauncher
      | hydra_plugins\.hydra_submitit_launcher\.submitit_launcher\.(Local|Slurm)Launcher
      | hydra_plugins\.hydra_ray_launcher\.ray_launcher\.RayLauncher
      | hydra_plugins\.hydra_optuna_sweeper\.optuna_sweeper\.OptunaSweeper
      | hydra_plugins\.matchclf_sweeper\.sweeper\.ResumableSweeper
      | optuna\.samplers\.[A-Z]\w*Sampler
      | matchclf\.(callbacks\.ParentRun|search\.RepeatableTPE)""",
    re.VERBOSE,
)
ALLOWED_IN_LOGGING = re.compile(
    r"logging\.(Stream|File|Null)Handler|logging\.handlers\.(Timed)?RotatingFileHandler|logging\.Formatter"
    r"|rich\.logging\.RichHandler|colorlog\.(ColoredFormatter|StreamHandler)"
)
LOGGING = ("hydra.job_logging.", "hydra.hydra_logging.")
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
# These can make a node, and so a target, out of a text that cannot be looked at here.
MAKES_NODES = re.compile(r"\$\{\s*oc\.(create|decode|deprecated)\b")


def guard() -> None:
    """Check each config that Hydra composes from now on; ConfigError names the key of what is refused."""
    compose: Any = ConfigLoaderImpl.load_configuration
    if hasattr(compose, "__wrapped__"):
        return

    @wraps(compose)
    def checked(self: ConfigLoaderImpl, config_name: str, overrides: list[str], *more: Any, **named: Any) -> DictConfig:
        _check_swept(overrides)
        config: DictConfig = compose(self, config_name, overrides, *more, **named)
        check_targets(config)
        return config

    setattr(ConfigLoaderImpl, "load_configuration", checked)  # noqa: B010 mypy takes an assignment for a mistake


def check_targets(config: DictConfig) -> None:
    """Raise ConfigError for a class that is not on the list, wherever the config names one; imports nothing."""
    for place, value in _leaves(OmegaConf.to_container(config, resolve=False)):
        _check(place, value)


def _check(place: str, value: object) -> None:
    key, in_logging = place.rpartition(".")[2], place.startswith(LOGGING)
    if isinstance(value, str) and MAKES_NODES.search(value):
        raise ConfigError(f"{place}={value} is refused: a config may not make parts of itself from texts.")
    if in_logging and isinstance(value, str) and "://" in value and value not in STREAMS:
        raise ConfigError(f"{place}={value} is refused; expected one of {', '.join(STREAMS)}.")
    if in_logging and key in ("class", "()", "factory") and not ALLOWED_IN_LOGGING.fullmatch(str(value)):
        raise ConfigError(f"{place}={value} is refused; expected a handler or formatter of the standard library.")
    if key != "_target_" or ALLOWED.fullmatch(str(value)):
        return
    if not place.startswith(("models.", "reference.")):
        raise ConfigError(f"{place}={value} is refused: matchclf builds no such class.")
    check_target(place.removesuffix("._target_"), value)


def _check_swept(overrides: list[str]) -> None:
    # Hydra would set up logging in a worker before anybody can look at the job's own config.
    for one in OverridesParser.create().parse_overrides(overrides):
        if one.is_sweep_override() and str(one.get_key_element()).startswith("hydra"):
            raise ConfigError(f"{one.input_line} is refused: Hydra's own settings cannot be swept over.")


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}.{number}")
    else:
        yield place, value
