"""The table of stages: each is one file with a ``run`` function, imported when it is chosen."""

from dataclasses import dataclass
from enum import Enum

from matchclf.errors import ConfigError


class Scope(Enum):
    """What a parent run is opened around."""

    UNTRACKED = "nothing"
    JOB = "each job"
    SEARCH = "a whole search"


@dataclass(frozen=True)
class Stage:
    """Where a stage lives, and what its parent run is opened around."""

    module: str
    scope: Scope


def find_stage(name: str) -> Stage:
    """The stage of this name; raises ConfigError with the choices."""
    if name not in STAGES:
        raise ConfigError(f"stage.name={name} is unknown; choose one of {', '.join(STAGES)} with stage=NAME.")
    return STAGES[name]


STAGES = {
    "prepare": Stage("matchclf.stages.prepare", Scope.UNTRACKED),
    "train_eval": Stage("matchclf.stages.train_eval", Scope.JOB),
    "ablation": Stage("matchclf.stages.ablation", Scope.JOB),
    "tuning": Stage("matchclf.stages.tuning", Scope.SEARCH),
    "final_train": Stage("matchclf.stages.final_train", Scope.JOB),
    "register": Stage("matchclf.stages.register", Scope.UNTRACKED),
    "promote": Stage("matchclf.stages.promote", Scope.UNTRACKED),
    "predict": Stage("matchclf.stages.predict", Scope.UNTRACKED),
    "reproduce": Stage("matchclf.stages.reproduce", Scope.UNTRACKED),
    "report": Stage("matchclf.stages.report", Scope.UNTRACKED),
    "audit": Stage("matchclf.stages.audit", Scope.UNTRACKED),
    "sync": Stage("matchclf.stages.sync", Scope.UNTRACKED),
    "doctor": Stage("matchclf.stages.doctor", Scope.UNTRACKED),
}
