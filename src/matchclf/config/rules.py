"""Rules that several settings share, and what OmegaConf reads as missing."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from matchclf.errors import ConfigError

MISSING: Any = "???"
# Metadata of a field that is left out of the config's hash.
CANNOT_CHANGE_A_RESULT = {"identity": False}


def only_for(stage: str) -> dict[str, str]:
    """Metadata of a field that takes part in the config's hash for one stage only."""
    return {"stage": stage}


def check_keys(part: Any, place: str = "") -> None:
    """Raise ConfigError for a key that no dataclass declares: a key added with + is read by nobody."""
    if isinstance(part, dict):
        for name, value in part.items():
            check_keys(value, f"{place}{name}.")
    if not is_dataclass(part):
        return
    known = [f.name for f in fields(part)]
    for name, value in vars(part).items():
        if name not in known:
            raise ConfigError(f"{place}{name} is an unknown key; choose one of {', '.join(known)}.")
        check_keys(value, f"{place}{name}.")


def one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless the value of a key is one of the choices."""
    if value not in choices:
        raise ConfigError(f"{key}={value} is unknown; choose one of {', '.join(choices)}.")


def iso_date(key: str, text: str) -> date:
    """The day that YYYY-MM-DD stands for; raises ConfigError."""
    day: date | None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise ConfigError(f"{key}={text} is not a date; expected YYYY-MM-DD, for instance 2024-01-01.")
    return day


def month_day(key: str, text: str) -> None:
    """Raise ConfigError unless the value of a key is a day of the year as MM-DD."""
    try:
        datetime.strptime(f"2001-{text}", "%Y-%m-%d")
    except ValueError:
        raise ConfigError(f"{key}={text} is not a day of the year; expected MM-DD, for instance 07-01.") from None
