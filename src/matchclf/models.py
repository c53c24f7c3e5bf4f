"""Models as sklearn Pipelines, built from their YAML file: preprocessing steps, then the estimator."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from matchclf.config import Model
from matchclf.errors import ConfigError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# A target outside these packages is refused before anything of it is imported.
ALLOWED_PACKAGES = ("sklearn", "xgboost", "lightgbm", "catboost")


def check_models(models: dict[str, Model]) -> None:
    """Raise ConfigError for a target that is not an estimator class of an allowed package; imports nothing."""
    for name, model in models.items():
        for place, step in _steps(name, model):
            _check_step(place, step)


def build_model(name: str, model: Model, seed: int) -> Pipeline:
    """An unfitted Pipeline that gives the same result for the same seed, on one thread."""
    from sklearn.base import is_classifier
    from sklearn.pipeline import make_pipeline

    steps = [_build(place, step, seed) for place, step in _steps(name, model)]
    if not is_classifier(steps[-1]):
        raise ConfigError(f"models.{name}.estimator is a {type(steps[-1]).__name__}; expected a classifier.")
    return make_pipeline(*steps)


def _steps(name: str, model: Model) -> list[tuple[str, dict[str, Any]]]:
    before = [(f"models.{name}.preprocessing.{i}", step) for i, step in enumerate(model.preprocessing)]
    return [*before, (f"models.{name}.estimator", model.estimator)]


def check_target(place: str, target: object) -> None:
    """Raise ConfigError unless the target of a step is the name of an estimator class of an allowed package."""
    parts = target.split(".") if isinstance(target, str) else []
    if len(parts) < 2 or parts[0] not in ALLOWED_PACKAGES or not parts[-1][:1].isupper():
        raise ConfigError(
            f"{place}._target_={target} is refused; expected the full name of an estimator class in "
            f"{', '.join(ALLOWED_PACKAGES)}, for instance sklearn.linear_model.LogisticRegression."
        )


def _check_step(place: str, step: Any) -> None:
    check_target(place, step.get("_target_") if isinstance(step, dict) else step)
    for key, inner in _inner_steps(place, step):
        _check_step(key, inner)


def _inner_steps(place: str, value: Any) -> list[tuple[str, dict[str, Any]]]:
    """Where estimators stand inside another one, such as the members of a blend, and what is said of them."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(f"{place}.{key}", inner) for key, inner in below]
    direct = [(key, inner) for key, inner in found if isinstance(inner, dict) and "_target_" in inner]
    return direct + [one for key, inner in found if (key, inner) not in direct for one in _inner_steps(key, inner)]


def _build(place: str, step: dict[str, Any], seed: int) -> Any:
    check_target(place, step["_target_"])
    params = {key: _built(f"{place}.{key}", value, seed) for key, value in step.items() if key != "_target_"}
    known, made = _unfitted(place, step["_target_"], params)
    for key in params.keys() - known.keys():
        raise ConfigError(f"{place}.{key} is an unknown parameter; choose one of {', '.join(sorted(known))}.")
    return made.set_params(**_repeatable(step["_target_"], known, seed) | params)


def _built(place: str, value: Any, seed: int) -> Any:
    """A setting as it is, or the estimators that stand in it."""
    if isinstance(value, dict) and "_target_" in value:
        return _build(place, value, seed)
    if isinstance(value, dict):
        return {key: _built(f"{place}.{key}", inner, seed) for key, inner in value.items()}
    if isinstance(value, list):
        return [_built(f"{place}.{number}", inner, seed) for number, inner in enumerate(value)]
    return value


def _unfitted(place: str, target: str, params: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The settings that a class knows, with their defaults, and an estimator with those that have none."""
    made_of = _estimator_class(place, target)
    required = [
        key
        for key, one in inspect.signature(made_of).parameters.items()
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty
    ]
    try:
        made: Any = made_of(**{key: params[key] for key in required if key in params})
    except TypeError as problem:
        raise ConfigError(f"{place}._target_={target} cannot be built from a config: {problem}.") from problem
    return made.get_params(deep=False), made


def _repeatable(target: str, known: dict[str, Any], seed: int) -> dict[str, Any]:
    # Estimators outside sklearn take every core unless told otherwise.
    fixed = {"random_state": seed} if target.startswith("sklearn.") else {"random_state": seed, "n_jobs": 1}
    return {key: value for key, value in fixed.items() if key in known}


def _estimator_class(place: str, target: str) -> type:
    from sklearn.base import BaseEstimator

    module, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as problem:
        raise ConfigError(f"{place}._target_={target} cannot be imported: {problem}.") from problem
    if not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise ConfigError(f"{place}._target_={target} is not an sklearn estimator class.")
    return found
