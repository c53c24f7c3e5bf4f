"""Clubs of the built-in league: names, strengths, effects of pairs, promotion and relegation.

A club is a number; those of a country are neighbours. Its attack and its defence are on the scale of log
scoring rates, relative to the mean of the highest tier.
"""

import numpy as np
from numpy.random import Generator

from matchclf.config import World
from matchclf.data.league.goals import Floats, Ints, points

COUNTRIES = (
    "Alvaria", "Borland", "Cestria", "Dorvania", "Estmark", "Faronia",
    "Galdovia", "Hestria", "Istrova", "Jutmark", "Korvenia", "Lusania",
)  # fmt: skip
_FIRST = "Al Bel Cor Dun El Fen Gar Hol Ist Jar Kel Lor Mar Nor Oster Pel Quin Ros Sel Tor Ul Var Wes Yar"
_LAST = "aby brook combe dale eck feld gate holm ika lund mere nitz port rova stad thorpe vik wold ona ury"
_TOWNS = tuple(first + last for first in _FIRST.split() for last in _LAST.split())
_FORMS = ("", " United", " City", " Athletic", " Rovers", " Town", " Albion", " Rangers", " Wanderers")
# Good attacks tend to go with good defences.
_CORRELATION = 0.5


def clubs_per_country(world: World) -> int:
    """Founders, and the newcomers of every summer."""
    seasons = world.last_season - world.first_season + 1
    return world.tiers * world.teams_per_division + world.promoted * seasons


def club_names(world: World, rng: Generator) -> list[str]:
    """Names by club, unique within a country; clubs of two countries may share one, as real ones do."""
    towns = [rng.permutation(_TOWNS) for _ in range(world.countries)]
    count = clubs_per_country(world)
    return [f"{own[k % len(own)]}{_FORMS[k // len(own)]}" for own in towns for k in range(count)]


def founders(world: World) -> Ints:
    """Clubs of the first season, shape (divisions, teams); the tiers of a country are neighbours."""
    local = np.arange(world.tiers * world.teams_per_division)
    first = clubs_per_country(world) * np.arange(world.countries)[:, None]
    return (first + local).reshape(-1, world.teams_per_division)


def next_divisions(world: World, ranking: Ints, summer: int) -> Ints:
    """Clubs of the season after summer 0, 1, ...: the best go up, the worst down, new ones enter below."""
    ranked = ranking.reshape(world.countries, world.tiers, -1)
    safe, moving = world.teams_per_division - world.promoted, world.promoted
    new = world.tiers * world.teams_per_division + summer * moving + np.arange(moving)
    clubs = ranked.copy()
    clubs[:, :-1, safe:] = ranked[:, 1:, :moving]
    clubs[:, 1:, :moving] = ranked[:, :-1, safe:]
    clubs[:, -1, safe:] = new + clubs_per_country(world) * np.arange(world.countries)[:, None]
    return clubs.reshape(ranking.shape)


def ranking(clubs: Ints, meetings: Ints, goals: Ints, rng: Generator) -> Ints:
    """Clubs of each division from first to last by points, goal difference, goals, then by lot.

    ``meetings`` and ``goals`` have the shape (2 sides, rounds, matches).
    """

    def total(values: Ints) -> Floats:
        by_club: Floats = np.zeros(clubs.max() + 1)
        np.add.at(by_club, meetings, values)
        return by_club[clubs]

    lot = rng.random(clubs.shape)
    order = np.lexsort((lot, -total(goals), -total(goals - goals[::-1]), -total(points(goals))), axis=1)
    return np.take_along_axis(clubs, order, axis=1)


def first_strengths(world: World, clubs: Ints, rng: Generator) -> Floats:
    """Attack and defence of every club before the first season, shape (clubs, 2)."""
    strengths: Floats = _means(world, clubs) + world.strength_spread * _shocks(world, 1, rng)[0]
    return strengths


def drifting(world: World, strengths: Floats, rounds: int, rng: Generator) -> Floats:
    """Strengths in each round of a season, a random walk, shape (rounds, clubs, 2)."""
    return strengths + world.drift * _shocks(world, rounds, rng).cumsum(axis=0)


def after_summer(world: World, path: Floats, clubs: Ints) -> Floats:
    """Strengths at the start of a season: back towards the division's mean, as drift widened the spread."""
    widened = np.hypot(world.strength_spread, world.drift * np.sqrt(len(path)))
    kept = world.strength_spread / widened if widened else 0.0
    means = _means(world, clubs)
    strengths: Floats = means + kept * (path[-1] - means)
    return strengths


def strength_rates(world: World, meetings: Ints, path: Floats) -> Floats:
    """Log scoring rates from strengths alone, shape (2 sides, rounds, matches), without the shared goals.

    The level is set so that each division scores what was asked for in the mean of its season.
    """
    rounds = np.arange(len(path))[:, None]
    at_home = np.array([0.5, -0.5])[:, None, None] * world.home_advantage
    relative = at_home + path[rounds, meetings, 0] - path[rounds, meetings[::-1], 1]
    matches = world.teams_per_division // 2
    total = np.exp(relative).sum(axis=0).reshape(len(path), -1, matches).mean(axis=(0, 2))
    level = np.log((world.goals_per_match - 2 * world.shared_goals) / total)
    rates: Floats = relative + level.repeat(matches)
    return rates


def pair_effects(world: World, rng: Generator) -> Floats:
    """What a club's log rate gains against another, and the other loses, shape (countries, clubs, clubs)."""
    clubs = clubs_per_country(world)
    gain = np.triu(rng.standard_normal((world.countries, clubs, clubs)), k=1)
    return world.h2h_effect * (gain - gain.swapaxes(1, 2))


def _means(world: World, clubs: Ints) -> Floats:
    """Mean strength of every club's division, shape (clubs, 1); outside the league, of the lowest tier."""
    tier = np.full(world.countries * clubs_per_country(world), world.tiers - 1)
    tier[clubs] = np.arange(len(clubs))[:, None] % world.tiers
    return -world.tier_gap * tier[:, None]


def _shocks(world: World, steps: int, rng: Generator) -> Floats:
    """Standard normal changes of attack and defence, shape (steps, clubs, 2).

    Clubs outside the league get theirs too, so that nobody's depend on who was relegated.
    """
    independent = rng.standard_normal((steps, world.countries * clubs_per_country(world), 2))
    attack, other = independent[..., 0], independent[..., 1]
    defence = _CORRELATION * attack + np.sqrt(1 - _CORRELATION**2) * other
    return np.stack([attack, defence], axis=-1)
