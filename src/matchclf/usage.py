"""Hydra's and OmegaConf's errors about a command line, retold as one sentence with the choices."""

import difflib
from pathlib import Path

import yaml
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

# Launchers that come with an extra.
EXTRAS = {"joblib": "joblib", "ray": "ray", "submitit_local": "submitit", "submitit_slurm": "submitit"}
UNKNOWN_KEY = (ConfigKeyError, AttributeError)


def explain(problem: Exception, arguments: list[str], conf: Path) -> str:
    """One sentence: what was found and what was expected, with the choices where there are some."""
    if isinstance(problem, MissingConfigException) and problem.missing_cfg_file:
        group, _, option = problem.missing_cfg_file.rpartition("/")
        return _explain_option(group, option, options(conf / group) or list(problem.options or []))
    if isinstance(problem, OverrideParseException):
        return f"{problem.override!r} is not an override; expected key=value or group=option."
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, OmegaConfBaseException):
            return _explain_key(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(problem, ValueError):
        return _explain_number(problem, arguments, conf)
    return _explain_composition(problem, arguments)


def flags_first(arguments: list[str]) -> list[str]:
    """Flags before overrides, each in their own order: argparse loses overrides that stand on both sides of a flag.

    >>> flags_first(["stage=ablation", "--multirun", "variant=full,elo_only"])
    ['--multirun', 'stage=ablation', 'variant=full,elo_only']
    """
    return sorted(
        arguments, key=lambda argument: not argument.startswith("-") and ("=" in argument or argument.startswith("~"))
    )


def options(group: Path) -> list[str]:
    """The options of a config group, by their file names."""
    return sorted(path.stem for path in group.glob("*.yaml"))


def _explain_option(group: str, option: str, choices: list[str]) -> str:
    if not group:
        return f"{option!r} is not an override; expected key=value or group=option."
    if group == "hydra/launcher" and option in EXTRAS:
        return f"{group}={option} is not installed; get it with pip install 'matchclf[{EXTRAS[option]}]'."
    return f"{group}={option} is unknown; {_choose(option, choices)}"


def _explain_key(cause: OmegaConfBaseException) -> str:
    key = cause.full_key or str(cause.key)
    if isinstance(cause, MissingMandatoryValue):
        missing = key or str(cause.msg).rpartition(": ")[2]
        return f"{missing} is missing; set it, for instance {missing}=VALUE."
    if isinstance(cause, UNKNOWN_KEY) and isinstance(cause.parent_node, DictConfig):
        return f"{key} is an unknown key; {_choose(str(cause.key), [str(k) for k in cause.parent_node])}"
    return f"{key} has a value of the wrong type: {_first_line(cause)}."


def _explain_number(problem: ValueError, arguments: list[str], conf: Path) -> str:
    # Hydra refuses a number as the name of an option without naming the group.
    for argument in arguments:
        group, _, value = argument.partition("=")
        if value and (conf / group).is_dir() and value not in options(conf / group):
            return f"{argument} is unknown; {_choose(value, options(conf / group))}"
    return f"{_first_line(problem)}."


def _explain_composition(problem: Exception, arguments: list[str]) -> str:
    if isinstance(problem, yaml.YAMLError):
        return f"A file of settings cannot be read as YAML: {' '.join(str(problem).split())}."
    if not isinstance(problem, HydraException):
        return (
            f"{' '.join(arguments)} cannot be composed ({type(problem).__name__}); expected key=value or group=option."
        )
    line = _first_line(problem)
    if isinstance(problem, ConfigCompositionException) and line.startswith("Ambiguous value for argument"):
        argument = line.split("'")[1]
        return f"{argument} names several values; add --multirun to run each, or write key=[a,b] for one list."
    return f"{line.rstrip('.')}."


def _choose(found: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(found, choices, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"choose one of {', '.join(choices)}{hint}."


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
