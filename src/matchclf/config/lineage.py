"""Settings of what must be certain about code and data before an experiment runs, and of reproduction."""

from dataclasses import dataclass

from matchclf.config.rules import one_of
from matchclf.errors import ConfigError


@dataclass
class Lineage:
    """How strict to be; see conf/config.yaml for meanings."""

    allow_dirty: bool = False
    require_clean: bool = False
    on_duplicate: str = "run"

    def __post_init__(self) -> None:
        one_of("lineage.on_duplicate", self.on_duplicate, ("run", "link", "refuse"))


@dataclass
class Reproduce:
    """How a run is made again; see conf/config.yaml for meanings."""

    dry_run: bool = False
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            raise ConfigError(f"reproduce.tolerance must not be negative; found {self.tolerance}.")
