"""All features of all matches, family by family."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any, get_type_hints

import pandas as pd

import matchclf.features
from matchclf.errors import ConfigError
from matchclf.features.parameters import Rule

Family = Callable[..., pd.DataFrame]


def build_features(matches: pd.DataFrame, families: dict[str, dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Features of each family, known before the day of the match.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows and index in any order; not changed. Matches without goals are still to come:
        they get features and change none.
    families : dict
        Parameters of each family, by the family's name.

    Returns
    -------
    dict of pd.DataFrame
        For each family its float32 columns, with the index of ``matches``.

    Raises
    ------
    ConfigError
        As ``check_families``.
    """
    check_families(families)
    known = find_families()
    return {name: known[name](matches, **parameters) for name, parameters in families.items()}


def check_families(families: dict[str, dict[str, Any]]) -> None:
    """Raise a ConfigError that names the family or parameter that is unknown, missing or unusable."""
    known = find_families()
    for name, parameters in families.items():
        _check_name("features.families", name, list(known))
        _check_parameters(f"features.families.{name}", parameters, known[name])


def find_families() -> dict[str, Family]:
    """Every family: the function that a module of this package has under the module's own name."""
    package = matchclf.features
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = {name: import_module(f"{package.__name__}.{name}") for name in names}
    return {name: getattr(module, name) for name, module in modules.items() if hasattr(module, name)}


def _check_parameters(key: str, found: dict[str, Any], family: Family) -> None:
    expected = list(inspect.signature(family).parameters.values())[1:]
    for name in found:
        _check_name(key, name, [parameter.name for parameter in expected])
    hints = get_type_hints(family, include_extras=True)
    for parameter in expected:
        rules = [rule for rule in getattr(hints[parameter.name], "__metadata__", ()) if isinstance(rule, Rule)]
        words = " and ".join(rule.expected for rule in rules) or "a value"
        if parameter.name not in found:
            raise ConfigError(f"{key}.{parameter.name} is missing; expected {words}.")
        value = found[parameter.name]
        if not all(rule.holds(value) for rule in rules):
            raise ConfigError(f"{key}.{parameter.name}={value} cannot be used; expected {words}.")


def _check_name(key: str, name: str, choices: list[str]) -> None:
    if name not in choices:
        raise ConfigError(f"{key}.{name} is unknown; choose one of {', '.join(choices)}.")
