"""The parameters that a search found, put into the config of the final model before anything is hashed or run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.errors import ConfigError
from matchclf.files import read_json


def with_tuned(config: Config, given: Collection[str]) -> Config:
    """The config of a final_train with the tuned parameters of its model, where there are any.

    Keys ``given`` on the command line win over tuned ones. Raises ConfigError when the file belongs to another model
    or to a smoke search, or holds what is no parameter of the model, unless ``final.best_params=force``; and
    DataError when it cannot be read.
    """
    if config.final.tuned:
        raise ConfigError("final.tuned is what was read from the file of best parameters; it is not set by hand.")
    if config.stage.name != "final_train" or config.final.best_params == "ignore" or len(config.models) != 1:
        return config
    ((name, model),) = config.models.items()
    path = paths.best_params(name)
    if not path.is_file():
        return config
    found = read_json(path)
    _check(config, name, found)
    fixed = tuple(f"{key.lstrip('+~')}." for key in given)
    used = {
        key.removeprefix(f"{name}."): value
        for key, value in found["params"].items()
        if key.startswith(f"{name}.") and not f"models.{name}.estimator{key.removeprefix(name)}.".startswith(fixed)
    }
    tuned = replace(model, estimator={**model.estimator, **used})
    return replace(config, models={name: tuned}, final=replace(config.final, tuned={**found, "used": used}))


def check_same_data(config: Config, data_hash: str) -> None:
    """Raise ConfigError when the tuned parameters were found on other data, unless they are forced."""
    found = config.final.tuned
    if found and found["data_hash"] != data_hash and config.final.best_params != "force":
        raise ConfigError(
            f"{paths.best_params(found['model'])} was found on other data: {found['data_hash']}, here it is "
            f"{data_hash}. {_WAYS_OUT}"
        )


def _check(config: Config, name: str, found: dict[str, Any]) -> None:
    path = paths.best_params(name)
    missing = {"model", "params", "data_hash", "run_id", "run_kind"} - found.keys()
    if missing:
        raise ConfigError(f"{path} lacks {', '.join(sorted(missing))}; write it anew with stage=tuning model={name}.")
    if not isinstance(found["params"], dict):
        raise ConfigError(f"{path} has params={found['params']}; expected a mapping, for instance {name}.KEY to VALUE.")
    if config.final.best_params == "force":
        return
    if found["model"] != name:
        raise ConfigError(f"{path} belongs to the model {found['model']}; expected {name}. {_WAYS_OUT}")
    if found["run_kind"] == "smoke" and not config.smoke:
        raise ConfigError(f"{path} was written by a smoke search, which finds nothing of worth. {_WAYS_OUT}")
    other = [key for key in found["params"] if not key.startswith(f"{name}.") or key == f"{name}._target_"]
    if other:
        raise ConfigError(
            f"{path} holds {', '.join(other)}, no parameter of the model {name}; set it on the command line. "
            f"{_WAYS_OUT}"
        )


_WAYS_OUT = (
    "Search again, take it all the same with final.best_params=force, or leave it with final.best_params=ignore."
)
