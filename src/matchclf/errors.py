"""Errors that a user can act on; each is a sentence and has its own exit code."""


class MatchclfError(Exception):
    """Something the user can mend: what is wrong, what was found and what was expected.

    ``exit_code`` is what the process returns: 2 configuration, 3 data, 4 tracking store, 5 source.
    """

    exit_code = 1


class ConfigError(MatchclfError):
    """A setting is unknown, missing, of the wrong type, or contradicts another one."""

    exit_code = 2


class DataError(MatchclfError):
    """The matches, the prepared dataset or a split cannot be used."""

    exit_code = 3


class TrackingError(MatchclfError):
    """The tracking store cannot be reached, or a run would go untracked."""

    exit_code = 4


class SourceError(MatchclfError):
    """The place where the data comes from cannot be read."""

    exit_code = 5


class DuplicateError(MatchclfError):
    """The same experiment was run before, and this run only points to it; ``value`` is the score it had."""

    def __init__(self, told: str, value: float) -> None:
        super().__init__(told)
        self.value = value


class ModelError(MatchclfError):
    """A model cannot be built, fitted or trusted."""
