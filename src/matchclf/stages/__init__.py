"""The table of stages: each is one file with a ``run`` function, imported when it is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """Where a stage lives, and whether it is an MLflow run."""

    module: str
    tracked: bool


STAGES = {
    "prepare": Stage("matchclf.stages.prepare", tracked=False),
    "train_eval": Stage("matchclf.stages.train_eval", tracked=True),
    "ablation": Stage("matchclf.stages.ablation", tracked=True),
}
