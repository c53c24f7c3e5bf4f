"""The slow, obvious way to look back: one match after the other."""

import math
from collections.abc import Iterator

NAN = float("nan")
OTHER = {"home": "away", "away": "home"}


def past_of(row, team: str, matches: list, opponent: str | None = None) -> Iterator[tuple[object, str]]:
    """Played matches of a team of the row's country before the row's day, with the side the team was on."""
    for other in matches:
        sides = {"home": other.home_team, "away": other.away_team}
        if other.country != row.country or other.date >= row.date or math.isnan(other.home_goals):
            continue
        yield from ((other, side) for side in sides if sides[side] == team and opponent in (None, sides[OTHER[side]]))


def last(past: Iterator[tuple[object, str]], size: int) -> list[tuple[object, str]]:
    """The last matches, and those of the same day as the first of them."""
    found = sorted(past, key=lambda entry: entry[0].date, reverse=True)
    return [entry for entry in found if entry[0].date >= found[:size][-1][0].date]


def mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else NAN


def of(match: object, side: str, name: str) -> float:
    return getattr(match, f"{side}_{name}")


def points(match: object, side: str) -> int:
    scored, conceded = of(match, side, "goals"), of(match, OTHER[side], "goals")
    return 3 if scored > conceded else 1 if scored == conceded else 0


def sided(name: str, home: float, away: float) -> dict[str, float]:
    return {f"{name}_home": home, f"{name}_away": away, f"{name}_diff": home - away}
