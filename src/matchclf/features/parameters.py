"""What a parameter of a feature family may be: written once, in the annotations of the family's function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

_LARGEST = 1_000_000


@dataclass(frozen=True)
class Rule:
    """A test of a value and the words that say what passes."""

    holds: Callable[[Any], bool]
    expected: str


def is_number(value: Any) -> bool:
    """Whether the value is an int or float, not a bool, no larger than a million: beyond, ratings overflow."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def is_count(value: Any) -> bool:
    """Whether the value is a whole number from 1 to a million."""
    return isinstance(value, int) and is_number(value) and value >= 1


def some_of(*choices: str) -> Rule:
    """A list of different choices, at least one."""
    return Rule(
        lambda value: _are_different(value) and all(item in choices for item in value),
        f"a list of different names out of {', '.join(choices)}",
    )


def one_of(*choices: str) -> Rule:
    """One of the choices."""
    return Rule(lambda value: value in choices, f"one of {', '.join(choices)}")


def _are_different(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) == len({str(item) for item in value})


Number = Annotated[float, Rule(is_number, f"a number from -{_LARGEST} to {_LARGEST}")]
Positive = Annotated[float, Rule(lambda value: is_number(value) and value > 0, f"a number above 0, at most {_LARGEST}")]
NotNegative = Annotated[float, Rule(lambda value: is_number(value) and value >= 0, f"a number from 0 to {_LARGEST}")]
Share = Annotated[float, Rule(lambda value: is_number(value) and 0 <= value <= 1, "a number from 0 to 1")]
Count = Annotated[int, Rule(is_count, f"a whole number from 1 to {_LARGEST}")]
Counts = Annotated[
    list[int],
    Rule(
        lambda value: _are_different(value) and all(map(is_count, value)),
        f"a list of different whole numbers from 1 to {_LARGEST}",
    ),
]
