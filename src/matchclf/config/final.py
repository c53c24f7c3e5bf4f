"""Settings of the final model and of its way through the registry."""

import re
from dataclasses import dataclass, field
from typing import Any

from matchclf.config.rules import CANNOT_CHANGE_A_RESULT, MISSING, one_of
from matchclf.errors import ConfigError


@dataclass
class Final:
    """How the final model is made; see conf/config.yaml for meanings.

    ``tuned`` is not set by hand: it is what was read from the file of best parameters, applied to the model already.
    """

    best_params: str = field(default="auto", metadata=CANNOT_CHANGE_A_RESULT)
    calibration: str = "temperature"
    calibration_share: float = 0.1
    tuned: dict[str, Any] = field(default_factory=dict, metadata=CANNOT_CHANGE_A_RESULT)

    def __post_init__(self) -> None:
        one_of("final.best_params", self.best_params, ("auto", "force", "ignore"))
        one_of("final.calibration", self.calibration, ("isotonic", "sigmoid", "temperature", "none"))
        if not 0 < self.calibration_share <= 0.5:
            raise ConfigError(
                f"final.calibration_share must be above 0 and at most 0.5; found {self.calibration_share}."
            )


@dataclass
class Registry:
    """Name of the registered model and the tolerances of its gates, from params.yaml."""

    model_name: str = MISSING
    candidate_tolerance: float = MISSING
    champion_brier_gain: float = MISSING
    champion_max_ece: float = MISSING

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w. -]+", self.model_name):
            raise ConfigError(
                f"registry.model_name={self.model_name} cannot be a name; expected letters, digits, '.', '_' and '-'."
            )
        for key in ("candidate_tolerance", "champion_brier_gain", "champion_max_ece"):
            if getattr(self, key) < 0:
                raise ConfigError(f"registry.{key} must not be negative; found {getattr(self, key)}.")
