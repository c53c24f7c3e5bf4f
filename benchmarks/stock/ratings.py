"""Ratings as they are usually kept: dictionaries, and one loop over the matches."""

import math
from collections import defaultdict

import numpy as np
import pandas as pd
from scipy.special import i0e

EDGE, LONGEST_BREAK = 0.3, 60
DIVISION_VARIANCE, EDGE_VARIANCE = 0.05, 0.02
DIVISION_DRIFT, EDGE_DRIFT = 1e-5, 1e-6


def elo_columns(matches: pd.DataFrame, rules: dict) -> pd.DataFrame:
    rating, seen, members = {}, {}, defaultdict(set)
    first_season: dict = {}
    rows = []
    for match in matches.itertuples():
        division = (match.country, match.division)
        first_season.setdefault(division, match.season)
        pair = [(match.country, match.home_team), (match.country, match.away_team)]
        for team in pair:
            if team in seen and seen[team] == (match.season, division):
                continue
            if team not in seen:
                rating[team] = newcomer(rating, members, match, division, first_season, rules)
            elif seen[team][0] != match.season:
                last = members[seen[team][1]]
                mean = sum(rating[one] for one in last) / len(last)
                rating[team] += rules["season_regression"] * (mean - rating[team])
            if team in seen:
                members[seen[team][1]].discard(team)
            members[division].add(team)
            seen[team] = (match.season, division)
        home, away = (rating[team] for team in pair)
        lead = home - away + (0 if match.neutral else rules["home_advantage"])
        expected = 1 / (1 + 10 ** (-lead / rules["scale"]))
        rows.append((home, away, lead, expected))
        if not math.isnan(match.home_goals):
            goals = match.home_goals - match.away_goals
            score = 1.0 if goals > 0 else 0.5 if goals == 0 else 0.0
            gained = rules["k"] * (1 + math.log(max(abs(goals), 1))) * (score - expected)
            rating[pair[0]] += gained
            rating[pair[1]] -= gained
    names = ["elo_home", "elo_away", "elo_diff", "elo_expected_home"]
    return pd.DataFrame(rows, columns=names, index=matches.index)


def newcomer(rating, members, match, division, first_season, rules) -> float:
    if not members[division]:
        return rules["start"] - rules["tier_gap"] * (match.tier - 1)
    mean = sum(rating[one] for one in members[division]) / len(members[division])
    return mean - (0 if first_season[division] == match.season else rules["newcomer_gap"])


def count_columns(matches: pd.DataFrame, families: dict) -> pd.DataFrame:
    """Ratings of attack and defence by goals, shots, corners and prices."""
    made = [ratings(matches, "goals", "home_goals", "away_goals", families["poisson"], 1.3)]
    made[0]["goals_draw"] = draw(made[0]["goals_expected_home"], made[0]["goals_expected_away"])
    for name, typical in (("shots", 12.0), ("corners", 5.0)):
        if matches[f"home_{name}"].notna().any():
            made.append(ratings(matches, name, f"home_{name}", f"away_{name}", families["chances"], typical))
    if matches["odds_home"].notna().any():
        odds = matches.assign(
            over_home=matches["odds_draw"] / matches["odds_home"], over_away=matches["odds_draw"] / matches["odds_away"]
        )
        made.append(ratings(odds, "market", "over_home", "over_away", families["market"], 1.5))
    return pd.concat(made, axis=1)


def draw(log_home: pd.Series, log_away: pd.Series) -> np.ndarray:
    home, away = np.exp(log_home), np.exp(log_away)
    return np.exp(-((np.sqrt(home) - np.sqrt(away)) ** 2)) * i0e(2 * np.sqrt(home * away))


def ratings(matches: pd.DataFrame, name: str, home: str, away: str, rules: dict, typical: float) -> pd.DataFrame:
    """A Kalman filter of four terms a side: attack, the other's defence, mean of the division, home edge."""
    terms: dict = {}  # key -> [mean, variance, day, season]
    members: dict = defaultdict(set)
    kept = (terms, members)
    rows = []
    columns = ["country", "division", "season", "tier", "date", "neutral", "home_team", "away_team", home, away]
    for country, division, season, tier, date, neutral, home_team, away_team, *counts in matches[columns].itertuples(
        index=False
    ):
        place = (country, division)
        now = (place, date.toordinal(), season)
        start = -rules["tier_gap"] * (tier - 1)
        teams = [(country, home_team), (country, away_team)]
        row, todo = [], []
        for side in (0, 1):
            keys = [("attack", teams[side]), ("defence", teams[1 - side]), ("mean", place), ("edge", place)]
            drifts = (rules["drift"], rules["drift"], DIVISION_DRIFT, EDGE_DRIFT)
            firsts = (start, start, math.log(typical), EDGE)
            variances = (rules["start_variance"], rules["start_variance"], DIVISION_VARIANCE, EDGE_VARIANCE)
            signs = (1, -1, 1, 0 if side or neutral else 1)
            states = [
                state(kept, key, now, start_of, rules)
                for key, *start_of in zip(keys, drifts, firsts, variances, strict=True)
            ]
            log_count = sum(sign * one[0] for sign, one in zip(signs, states, strict=True))
            spread = [sign * sign * one[1] for sign, one in zip(signs, states, strict=True)]
            row.append((log_count, sum(spread), states[0][0], states[1][0]))
            todo.append((keys, signs, states, spread, log_count))
        rows.append((*row[0], *row[1]))
        for side, count in zip(todo, counts, strict=True):
            if not math.isnan(count):
                learn(kept, side, now, count, rules["noise"])
    return as_columns(np.array(rows), name, matches.index)


def state(kept, key, now, start_of, rules) -> tuple[float, float]:
    """Mean and variance of a term on a day."""
    (terms, members), (place, day, season), (drift, first, variance) = kept, now, start_of
    known = terms.get(key)
    if known is None:
        others = members[key[0], place]
        if others and key[0] in ("attack", "defence"):
            first = sum(terms[one][0] for one in others) / len(others) - rules["newcomer_gap"]
        return first, variance
    mean, spread, last_day, last_season = known
    spread += drift * min(day - last_day, LONGEST_BREAK)
    if last_season != season and key[0] in ("attack", "defence"):
        others = members[key[0], place] or {key}
        average = sum(terms[one][0] for one in others) / len(others)
        mean += rules["season_regression"] * (average - mean)
        spread += rules["season_drift"]
    return mean, spread


def learn(kept, side, now, count, noise) -> None:
    (terms, members), (place, day, season) = kept, now
    keys, signs, states, spread, log_count = side
    surprise = count * math.exp(-log_count) - 1
    total = noise * math.exp(-log_count) + sum(spread)
    for key, sign, (mean, variance), own in zip(keys, signs, states, spread, strict=True):
        weight = sign / (total - own)
        posterior = 1 / (1 / variance + sign * weight)
        terms[key] = [mean + posterior * weight * surprise, posterior, day, season]
        members[key[0], place].add(key)


def as_columns(found: np.ndarray, name: str, index: pd.Index) -> pd.DataFrame:
    home, away = found[:, :4], found[:, 4:]
    defence = (away[:, 3], home[:, 3])  # of the home team it is what the away side plays against
    terms = {"expected": (home[:, 0], away[:, 0]), "attack": (home[:, 2], away[:, 2]), "defence": defence}
    columns = {}
    for term, (of_home, of_away) in terms.items():
        columns |= {f"{name}_{term}_home": of_home, f"{name}_{term}_away": of_away}
        columns[f"{name}_{term}_diff"] = of_home - of_away
    columns |= {f"{name}_variance_home": home[:, 1], f"{name}_variance_away": away[:, 1]}
    return pd.DataFrame(columns, index=index)
