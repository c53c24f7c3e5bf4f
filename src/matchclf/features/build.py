"""All features of all matches, family by family."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any, get_type_hints

import pandas as pd

import matchclf.features
from matchclf.errors import ConfigError
from matchclf.features.facts import sharing
from matchclf.features.parameters import Rule
from matchclf.features.ratings import carry_out, planner_of

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
    planners = {name: planner for name in families if (planner := planner_of(known[name]))}
    with sharing(matches):
        plans = [planner(matches, **families[name]) for name, planner in planners.items()]
        rated = dict(zip(planners, carry_out(matches, plans), strict=True))
        return {name: rated[name] if name in rated else known[name](matches, **families[name]) for name in families}


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
    rules = _rules(family)
    if not isinstance(found, dict):
        raise ConfigError(f"{key}={found} cannot be used; expected its parameters: {', '.join(rules)}.")
    for name in found:
        _check_name(key, name, list(rules))
    for name, rule in rules.items():
        if name not in found:
            raise ConfigError(f"{key}.{name} is missing; expected {rule.expected}.")
        if not rule.holds(found[name]):
            raise ConfigError(f"{key}.{name}={found[name]} cannot be used; expected {rule.expected}.")


def _rules(family: Family) -> dict[str, Rule]:
    """What each parameter may be, from the annotations of the family's function: ``matches`` first, then settings."""
    settings = list(inspect.signature(family).parameters)[1:]
    hints = get_type_hints(family, include_extras=True)
    return {name: hints[name].__metadata__[0] for name in settings}


def _check_name(key: str, name: str, choices: list[str]) -> None:
    if name not in choices:
        raise ConfigError(f"{key}.{name} is unknown; choose one of {', '.join(choices)}.")
