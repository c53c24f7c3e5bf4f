"""The built-in league: matches of a simulated world whose true outcome probabilities are known.

Each part of the world draws from a random stream of its own, so that switching one effect off leaves the
random numbers of the others as they were.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from matchclf.config import World
from matchclf.data.league import clubs as league
from matchclf.data.league.goals import Floats, Ints, goals_at, match_statistics, outcome_proba, points
from matchclf.data.league.schedule import Days, double_round_robin, match_days
from matchclf.data.schema import ORDER, OUTCOMES, conform

TRUTH = ("date", "country", "home_team", "away_team", *(f"prob_{name}" for name in OUTCOMES))
_SIDES = ("home", "away")
_FORM_MATCHES = 5


@dataclass(frozen=True)
class _Streams:
    strengths: Generator
    schedule: Generator
    goals: Generator
    statistics: Generator
    pairs: Generator
    names: Generator


@dataclass(frozen=True)
class _Season:
    """Who meets whom and what to expect, form aside; all arrays have the shape (2 sides, rounds, matches)."""

    clubs: Ints
    log_rates: Floats
    expected_points: Floats


def make_world(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate the league: its matches, and the true probability of every outcome at kick-off.

    The same settings give the same tables, bit for bit.

    Returns
    -------
    matches, truth
        ``matches`` as ``schema.conform`` gives it, without odds. ``truth`` has the same rows in the same
        order: date, country, home_team, away_team, and prob_home, prob_draw, prob_away, which sum to 1.
    """
    streams = _Streams(*np.random.default_rng(world.seed).spawn(6))
    played = pd.concat(_seasons(world, streams), ignore_index=True)
    labels, statistics = _labels(world, played, streams.names), _statistics(world, played, streams.statistics)
    table = pd.concat([labels, statistics, _probabilities(played)], axis=1)
    ordered = table.sort_values(ORDER, ignore_index=True)
    return conform(ordered), ordered[list(TRUTH)]


def _seasons(world: World, streams: _Streams) -> Iterator[pd.DataFrame]:
    clubs = league.founders(world)
    strengths = league.first_strengths(world, clubs, streams.strengths)
    pair_effects = league.pair_effects(world, streams.pairs)
    form = np.zeros((_FORM_MATCHES, len(strengths)))
    for number, year in enumerate(range(world.first_season, world.last_season + 1)):
        meetings = _meetings(clubs, streams.schedule)
        days = match_days(streams.schedule, year, *meetings.shape[1:])
        path = league.drifting(world, strengths, len(days), streams.strengths)
        season = _season(world, meetings, path, pair_effects)
        log_rates, goals, form = _play(world, season, form, streams.goals)
        yield _table(year, days, meetings, np.exp(log_rates), goals)
        clubs = league.next_divisions(world, league.ranking(clubs, meetings, goals, streams.schedule), number)
        strengths = league.after_summer(world, path, clubs)


def _meetings(clubs: Ints, rng: Generator) -> Ints:
    """Clubs that meet, shape (2 sides, rounds, matches); the matches of a division are neighbours."""
    positions = double_round_robin(clubs.shape[1])
    drawn = rng.permuted(clubs, axis=1)[:, positions]
    return np.moveaxis(drawn, 0, 2).reshape(*positions.shape[:2], -1)


def _season(world: World, meetings: Ints, path: Floats, pair_effects: Floats) -> _Season:
    strength_rates = league.strength_rates(world, meetings, path)
    proba = np.moveaxis(outcome_proba(*np.exp(strength_rates)), -1, 0)
    country, local = np.divmod(meetings, pair_effects.shape[1])
    log_rates = strength_rates + pair_effects[country, local, local[::-1]]
    return _Season(meetings, log_rates, 3 * proba[[0, 2]] + proba[1])


def _play(world: World, season: _Season, form: Floats, rng: Generator) -> tuple[Floats, Ints, Floats]:
    """Play round after round, since form depends on results.

    ``form`` has the points above what the strengths promised in the last matches, shape (matches, clubs),
    newest last; matches before a club's first count 0. Returns log rates, goals and the new form.
    """
    log_rates, goals = season.log_rates.copy(), np.empty_like(season.clubs)
    quantiles = rng.random(log_rates.shape)
    shared = rng.poisson(world.shared_goals, log_rates.shape[1:])
    for number in range(len(shared)):
        clubs = season.clubs[:, number]
        log_rates[:, number] += world.form_effect * form.mean(axis=0)[clubs]
        goals[:, number] = goals_at(quantiles[:, number], np.exp(log_rates[:, number])) + shared[number]
        surplus = np.zeros((1, form.shape[1]))
        surplus[0, clubs] = points(goals[:, number]) - season.expected_points[:, number]
        form = np.concatenate([form[1:], surplus])
    return log_rates, goals, form


def _table(year: int, days: Days, meetings: Ints, rates: Floats, goals: Ints) -> pd.DataFrame:
    """Matches of a season as numbers; rates are expected goals without the shared ones."""
    columns = {"year": np.full(days.size, year), "date": days.ravel()}
    columns["match"] = np.broadcast_to(np.arange(days.shape[1]), days.shape).ravel()
    for k, side in enumerate(_SIDES):
        columns[f"{side}_club"] = meetings[k].ravel()
        columns[f"{side}_rate"] = rates[k].ravel()
        columns[f"{side}_goals"] = goals[k].ravel()
    return pd.DataFrame(columns)


def _labels(world: World, played: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Columns that say which match it was, in words."""
    division = played["match"] // (world.teams_per_division // 2)
    country, tier = division // world.tiers, division % world.tiers
    codes = [f"{name[:3].upper()}{k + 1}" for name in league.COUNTRIES for k in range(world.tiers)]
    seasons = [f"{year}/{(year + 1) % 100:02d}" for year in range(world.first_season, world.last_season + 1)]
    clubs = league.club_names(world, rng)
    return pd.DataFrame(
        {
            "date": played["date"],
            "country": _named(league.COUNTRIES, country),
            "division": _named(codes, division),
            "tier": tier + 1,
            "season": _named(seasons, played["year"] - world.first_season),
            "home_team": _named(clubs, played["home_club"]),
            "away_team": _named(clubs, played["away_club"]),
            "neutral": False,
            "home_goals": played["home_goals"],
            "away_goals": played["away_goals"],
        }
    )


def _named(names: Sequence[str], numbers: pd.Series) -> pd.Series:
    return pd.Series(list(names), dtype="str").take(numbers.to_numpy()).reset_index(drop=True)


def _probabilities(played: pd.DataFrame) -> pd.DataFrame:
    proba = outcome_proba(played["home_rate"].to_numpy(), played["away_rate"].to_numpy())
    return pd.DataFrame(proba, columns=[f"prob_{name}" for name in OUTCOMES])


def _statistics(world: World, played: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Match statistics of both sides, named as in the schema."""
    columns: dict[str, Ints] = {}
    for side in _SIDES:
        relative_rate = (played[f"{side}_rate"] + world.shared_goals) / (world.goals_per_match / 2)
        of_side = match_statistics(rng, played[f"{side}_goals"].to_numpy(), relative_rate.to_numpy())
        columns |= {f"{side}_{name}": values for name, values in of_side.items()}
    return pd.DataFrame(columns)
