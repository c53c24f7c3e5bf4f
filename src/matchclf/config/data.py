"""Settings of the data options: the built-in league, and match files in some format."""

from dataclasses import dataclass, field
from typing import Any

from matchclf.config.rules import CANNOT_CHANGE_A_RESULT, MISSING, month_day, one_of
from matchclf.errors import ConfigError

WORLD_LIMITS: dict[str, tuple[float, float]] = {
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
        for key, (lowest, highest) in WORLD_LIMITS.items():
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

    name: str = field(default=MISSING, metadata=CANNOT_CHANGE_A_RESULT)
    path: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    bucket: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    key: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    endpoint_url: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    region: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
    version_id: str | None = field(default=None, metadata=CANNOT_CHANGE_A_RESULT)
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
        one_of("data.on_bad_rows", self.on_bad_rows, ("error", "drop"))
        self._check_place()
        for triple in self.odds:
            if len(triple) != 3:
                raise ConfigError(f"data.odds has {triple}; expected three columns: home, draw, away.")
        for code, entry in self.divisions.items():
            if len(entry) not in (2, 3) or type(entry[1]) is not int or not 0 < entry[1] < 100:
                raise ConfigError(
                    f"data.divisions.{code} is {entry}; expected [country, tier], tier 1 to 99, and a code if any."
                )
        if self.season_start is not None:
            month_day("data.season_start", self.season_start)
        for year, start in self.season_start_exceptions.items():
            month_day(f"data.season_start_exceptions.{year}", start)

    @property
    def folder(self) -> str:
        """Where the files are: the path, or below it where they are put when they come from a bucket."""
        return str(self.path) if self.bucket is None else f"{self.path}/{self.bucket}/{self.key}".rstrip("/")

    def _check_place(self) -> None:
        if self.bucket == "" or self.key == "":
            raise ConfigError(
                "data.bucket and data.key are missing; set both, for instance data.bucket=B data.key=raw/."
            )
        if (self.bucket is None) != (self.key is None):
            raise ConfigError(f"data.bucket={self.bucket} and data.key={self.key} go together; expected both or none.")
        if self.path is None:
            raise ConfigError("data.path is missing; set it, for instance data.path=matches.parquet.")
        if not self.path.strip():
            raise ConfigError("data.path is empty; expected a CSV file, a Parquet file or a folder of them.")
