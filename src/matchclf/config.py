"""Dataclasses that mirror conf/: the schema Hydra checks against, and the plain objects the stages receive.

A field whose metadata says ``identity=False`` cannot change a result and is left out of the config's hash.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from matchclf.errors import ConfigError

MISSING: Any = "???"
_CANNOT_CHANGE_A_RESULT = {"identity": False}


@dataclass
class Stage:
    """What to do with the experiment."""

    name: str = MISSING
    select_by: str = "cv"

    def __post_init__(self) -> None:
        _one_of("stage.select_by", self.select_by, ("cv", "holdout"))


_WORLD_LIMITS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "countries": (1, 12),
    "tiers": (1, 8),
    "teams_per_division": (4, 40),
    "promoted": (0, 19),
    "first_season": (1900, 2100),
    "last_season": (1900, 2100),
    "goals_per_match": (0.5, 6),
    "home_advantage": (-1, 1),
    "shared_goals": (0, 3),
    "strength_spread": (0, 0.6),
    "tier_gap": (0, 1.5),
    "drift": (0, 0.1),
    "form_effect": (0, 0.5),
    "h2h_effect": (0, 0.6),
}


@dataclass
class Variant:
    """The name of a choice of features, and the profile that the name promises."""

    name: str = MISSING
    profile: str = MISSING


@dataclass
class World:
    """Settings of the built-in league; see conf/data/synthetic.yaml for meanings and units."""

    name: str = "synthetic"
    seed: int = 1
    countries: int = 4
    tiers: int = 2
    teams_per_division: int = 18
    promoted: int = 3
    first_season: int = 2000
    last_season: int = 2025
    goals_per_match: float = 2.7
    home_advantage: float = 0.29
    shared_goals: float = 0.15
    strength_spread: float = 0.30
    tier_gap: float = 0.4
    drift: float = 0.025
    form_effect: float = 0.12
    h2h_effect: float = 0.10

    def __post_init__(self) -> None:
        for key, (lowest, highest) in _WORLD_LIMITS.items():
            value = getattr(self, key)
            if not lowest <= value <= highest:
                raise ConfigError(f"data.{key} must be from {lowest} to {highest}; found {value}.")
        if self.teams_per_division % 2:
            raise ConfigError(
                "data.teams_per_division must be even, so that every team plays in every round; found "
                f"{self.teams_per_division}."
            )
        if self.promoted * 2 >= self.teams_per_division:
            raise ConfigError(
                "data.promoted must be less than half of data.teams_per_division="
                f"{self.teams_per_division}; found {self.promoted}."
            )
        if self.last_season < self.first_season:
            raise ConfigError(
                f"data.last_season must not be before data.first_season={self.first_season}; found {self.last_season}."
            )
        if self.shared_goals * 2 >= self.goals_per_match:
            raise ConfigError(
                "data.shared_goals count for both teams and must be less than half of data.goals_per_match="
                f"{self.goals_per_match}; found {self.shared_goals}."
            )


@dataclass
class Table:
    """How to read one format of match files; see conf/data/football_data.yaml for meanings."""

    name: str = MISSING
    path: str = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    columns: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    date_formats: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    odds: list[list[str]] = field(default_factory=list)
    divisions: dict[str, list[Any]] = field(default_factory=dict)
    season_start: str | None = None
    season_start_exceptions: dict[int, str] = field(default_factory=dict)
    match_key: list[str] = field(default_factory=list)
    on_bad_rows: str = "error"

    def __post_init__(self) -> None:
        _one_of("data.on_bad_rows", self.on_bad_rows, ("error", "drop"))
        for triple in self.odds:
            if len(triple) != 3:
                raise ConfigError(f"data.odds has {triple}; expected three columns: home, draw, away.")
        for code, entry in self.divisions.items():
            if len(entry) not in (2, 3) or type(entry[1]) is not int or not 0 < entry[1] < 100:
                raise ConfigError(
                    f"data.divisions.{code} is {entry}; expected [country, tier] or [country, tier, code], tier 1 to 99."
                )
        if self.season_start is not None:
            _month_day("data.season_start", self.season_start)
        for year, start in self.season_start_exceptions.items():
            _month_day(f"data.season_start_exceptions.{year}", start)


@dataclass
class Features:
    """A profile: the families of features a model sees, and the parameters of every family."""

    profile: str = MISSING
    use: list[str] = field(default_factory=list)
    families: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.use:
            _one_of("features.use", name, tuple(self.families))


@dataclass
class Model:
    """An sklearn Pipeline: preprocessing steps, then the estimator."""

    family: str = MISSING
    preprocessing: list[dict[str, Any]] = field(default_factory=list)
    estimator: dict[str, Any] = field(default_factory=dict)


@dataclass
class Frac:
    """The share of the latest rows of each training part that is used."""

    name: str = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    value: float = MISSING

    def __post_init__(self) -> None:
        if not 0 < self.value <= 1:
            raise ConfigError(f"frac.value must be above 0 and at most 1; found {self.value}.")


@dataclass
class Experiments:
    """Names of the MLflow experiments, from params.yaml."""

    experiment_name: str = MISSING
    smoke_experiment_name: str = MISSING

    def __post_init__(self) -> None:
        if self.experiment_name == self.smoke_experiment_name:
            raise ConfigError(
                "classification.smoke_experiment_name must differ from classification.experiment_name, so that "
                f"a smoke run never writes among production runs; both are {self.experiment_name!r}."
            )


@dataclass
class Ablation:
    """Where ablations are stored, from params.yaml: the same experiment as everything else."""

    experiment_name: str = MISSING


@dataclass
class Temporal:
    """Dates of the holdout and of the walk-forward folds, from params.yaml."""

    test_start: str = MISSING
    cv_years: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = _iso_date("temporal.test_start", self.test_start)
        if not self.cv_years:
            raise ConfigError("temporal.cv_years is empty; expected at least one validation year.")
        if sorted(set(self.cv_years)) != self.cv_years:
            raise ConfigError(f"temporal.cv_years must rise without repeats; found {self.cv_years}.")
        if date(self.cv_years[-1], 12, 31) >= start:
            raise ConfigError(
                f"temporal.cv_years reaches into the holdout: year {self.cv_years[-1]} is not over before "
                f"temporal.test_start={self.test_start}."
            )


@dataclass
class Tracking:
    """Which MLflow store; without a URI, MLFLOW_TRACKING_URI, then a SQLite file in the working folder."""

    name: str = MISSING
    uri: str | None = None


@dataclass
class Config:
    """One experiment, composed."""

    stage: Stage = MISSING
    variant: Variant = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    data: Any = MISSING
    features: Features = MISSING
    models: dict[str, Model] = field(default_factory=dict)
    frac: Frac = MISSING
    classification: Experiments = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    ablation: Ablation = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    temporal: Temporal = MISSING
    tracking: Tracking = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    smoke: bool = field(default=False, metadata=_CANNOT_CHANGE_A_RESULT)
    seed: int = 1
    rounds: int = field(default=MISSING, metadata=_CANNOT_CHANGE_A_RESULT)
    workers: int = field(default=0, metadata=_CANNOT_CHANGE_A_RESULT)

    def __post_init__(self) -> None:
        if self.ablation.experiment_name != self.classification.experiment_name:
            raise ConfigError(
                "ablation.experiment_name must be the same as classification.experiment_name; found "
                f"{self.ablation.experiment_name!r} and {self.classification.experiment_name!r}."
            )
        if self.features.profile != self.variant.profile:
            raise ConfigError(
                f"variant={self.variant.name} means features={self.variant.profile}, but features="
                f"{self.features.profile} was chosen; leave one of the two out, so that the tags tell the truth."
            )
        if not self.models:
            raise ConfigError("model is empty; expected at least one model, for instance model=[logreg,xgb].")
        if self.workers < 0:
            raise ConfigError(f"workers must be 0 (one a core) or more; found {self.workers}.")

    @property
    def run_kind(self) -> str:
        """``smoke`` for smoke runs, the stage's name otherwise."""
        return "smoke" if self.smoke else self.stage.name

    @property
    def experiment_name(self) -> str:
        """The MLflow experiment this run belongs to."""
        names = self.classification
        return names.smoke_experiment_name if self.smoke else names.experiment_name


def check_keys(part: Any, place: str = "") -> None:
    """Raise ConfigError for a key that no dataclass declares: a key added with + is read by nobody."""
    if not is_dataclass(part):
        return
    known = [f.name for f in fields(part)]
    for name, value in vars(part).items():
        if name not in known:
            raise ConfigError(f"{place}{name} is an unknown key; choose one of {', '.join(known)}.")
        check_keys(value, f"{place}{name}.")


def _one_of(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{key}={value} is unknown; choose one of {', '.join(choices)}.")


def _iso_date(key: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{key}={text} is not a date; expected YYYY-MM-DD, for instance 2024-01-01.") from None


def _month_day(key: str, text: str) -> None:
    try:
        datetime.strptime(f"2001-{text}", "%Y-%m-%d")
    except ValueError:
        raise ConfigError(f"{key}={text} is not a day of the year; expected MM-DD, for instance 07-01.") from None
