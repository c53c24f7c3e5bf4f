"""Settings of an experiment: one dataclass a config group, and the whole of them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from matchclf.config.final import Final, Registry
from matchclf.config.lineage import Lineage, Reproduce
from matchclf.config.rules import CANNOT_CHANGE_A_RESULT, MISSING, iso_date, one_of, only_for
from matchclf.errors import ConfigError

FIRST_YEAR, LAST_YEAR = 1850, 2200


@dataclass
class Stage:
    """What to do with the experiment."""

    name: str = MISSING
    select_by: str = "cv"

    def __post_init__(self) -> None:
        one_of("stage.select_by", self.select_by, ("cv", "holdout"))


@dataclass
class Variant:
    """The name of a choice of features, and the profile that the name promises."""

    name: str = MISSING
    profile: str = MISSING


@dataclass
class Features:
    """A profile: the families of features a model sees, those of ``full``, and the parameters of every family."""

    profile: str = MISSING
    use: list[str] = field(default_factory=list)
    families: dict[str, dict[str, Any]] = field(default_factory=dict)
    full: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for key in ("use", "full"):
            for name in getattr(self, key):
                one_of(f"features.{key}", name, tuple(self.families))
        if not self.use or len(set(self.use)) < len(self.use):
            raise ConfigError(f"features.use must name families, each once; found {self.use}.")


@dataclass
class Model:
    """An sklearn Pipeline: preprocessing steps, then the estimator."""

    family: str = MISSING
    preprocessing: list[dict[str, Any]] = field(default_factory=list)
    estimator: dict[str, Any] = field(default_factory=dict)


@dataclass
class Frac:
    """The share of the latest rows of each training part that is used."""

    name: str = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
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
        start = iso_date("temporal.test_start", self.test_start)
        if not self.cv_years:
            raise ConfigError("temporal.cv_years is empty; expected at least one validation year.")
        if sorted(set(self.cv_years)) != self.cv_years:
            raise ConfigError(f"temporal.cv_years must rise without repeats; found {self.cv_years}.")
        if not FIRST_YEAR <= self.cv_years[0] <= self.cv_years[-1] <= LAST_YEAR:
            raise ConfigError(f"temporal.cv_years must be from {FIRST_YEAR} to {LAST_YEAR}; found {self.cv_years}.")
        if date(self.cv_years[-1], 12, 31) >= start:
            raise ConfigError(
                f"temporal.cv_years reaches into the holdout: year {self.cv_years[-1]} is not over before "
                f"temporal.test_start={self.test_start}."
            )


@dataclass
class Tracking:
    """Which MLflow store; without a URI, MLFLOW_TRACKING_URI, then a SQLite file in the working folder.

    ``on_outage``: fail, or spool: runs are kept here first and sent to the server when they have ended.
    """

    name: str = MISSING
    uri: str | None = None
    on_outage: str = "fail"

    def __post_init__(self) -> None:
        one_of("tracking.on_outage", self.on_outage, ("fail", "spool"))


@dataclass
class Tuning:
    """How a search for hyperparameters goes; see conf/config.yaml for meanings."""

    n_trials: int = field(default=30, metadata=CANNOT_CHANGE_A_RESULT)
    n_jobs: int = field(default=1, metadata=CANNOT_CHANGE_A_RESULT)
    max_failures: int = field(default=5, metadata=CANNOT_CHANGE_A_RESULT)
    resume: str = field(default="auto", metadata=CANNOT_CHANGE_A_RESULT)
    racing: bool = True
    racing_gain: float = 0.0002
    racing_folds: int = 2

    def __post_init__(self) -> None:
        one_of("tuning.resume", self.resume, ("auto", "force", "fresh"))
        for key, lowest in (("n_trials", 1), ("n_jobs", 1), ("max_failures", 0), ("racing_folds", 2)):
            if getattr(self, key) < lowest:
                raise ConfigError(f"tuning.{key} must be at least {lowest}; found {getattr(self, key)}.")


@dataclass
class Config:
    """One experiment, composed."""

    stage: Stage = MISSING
    variant: Variant = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    data: Any = MISSING
    features: Features = MISSING
    models: dict[str, Model] = field(default_factory=dict)
    frac: Frac = MISSING
    classification: Experiments = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    ablation: Ablation = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    temporal: Temporal = MISSING
    registry: Registry = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    tuning: Tuning = field(default_factory=Tuning, metadata=only_for("tuning"))
    final: Final = field(default_factory=Final, metadata=only_for("final_train"))
    reference: Model | None = field(default=None, metadata=only_for("final_train"))
    tracking: Tracking = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    lineage: Lineage = field(default_factory=Lineage, metadata=CANNOT_CHANGE_A_RESULT)
    reproduce: Reproduce = field(default_factory=Reproduce, metadata=CANNOT_CHANGE_A_RESULT)
    smoke: bool = field(default=False, metadata=CANNOT_CHANGE_A_RESULT)
    seed: int = 1
    rounds: int = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    workers: int = field(default=0, metadata=CANNOT_CHANGE_A_RESULT)
    run_id: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    version: int | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    alias: str = field(default="champion", metadata=CANNOT_CHANGE_A_RESULT)
    confirm: bool = field(default=False, metadata=CANNOT_CHANGE_A_RESULT)
    rollback: bool = field(default=False, metadata=CANNOT_CHANGE_A_RESULT)
    what: str = field(default="registry", metadata=CANNOT_CHANGE_A_RESULT)
    run_a: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    run_b: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    sweep: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    fixtures: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    forecasts: str = field(default="data/predictions/upcoming.csv", metadata=CANNOT_CHANGE_A_RESULT)
    output: str = field(default="text", metadata=CANNOT_CHANGE_A_RESULT)

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
        if self.rounds < 1:
            raise ConfigError(f"rounds must be at least 1; found {self.rounds}.")
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
