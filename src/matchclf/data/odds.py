"""Bookmakers' prices: for each match the first whole and plausible set in the order of the format."""

from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd

from matchclf.config import Table
from matchclf.data.cells import Array
from matchclf.data.findings import Origin
from matchclf.data.schema import ODDS
from matchclf.data.values import ODDS_RULE

# Bookmakers pay out less than they take; sets of several bookmakers' best prices may pay out a little more.
LOWEST_MARGIN, HIGHEST_MARGIN = -0.03, 0.35
HIGHEST_PRICE = 10_000.0


def choose_odds(
    prices: pd.DataFrame, table: Table, origin: Origin, usable: Any
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Columns odds_home, odds_draw, odds_away and odds_source of each match, and findings for sets left out.

    ``usable`` tells which matches' prices can be trusted at all. The margin of a set is the sum of 1/price, less 1.
    """
    chosen = np.full((len(prices), 3), np.nan)
    source = np.full(len(prices), "", dtype=object)
    findings = []
    for triple in table.odds:
        if not set(triple) <= set(prices.columns):
            continue
        values = prices[triple].to_numpy("float64")
        whole = ~np.isnan(values).any(axis=1) & usable
        good = whole & _plausible(values)
        take = good & (source == "")
        chosen[take], source[take] = values[take], _name(triple)
        findings.append(_left_out(origin, whole & ~good, triple, values))
    return pd.DataFrame(chosen, columns=list(ODDS), index=prices.index).assign(odds_source=source), findings


def _plausible(values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = (1 / values).sum(axis=1) - 1
    priced = ((values > 1) & (values <= HIGHEST_PRICE)).all(axis=1)
    good: Array = priced & (margin >= LOWEST_MARGIN) & (margin <= HIGHEST_MARGIN)
    return good


def _left_out(origin: Origin, mask: Array, triple: list[str], values: Array) -> pd.DataFrame:
    shown = [", ".join(f"{price:g}" for price in row) for row in values[mask]]
    return origin.found(ODDS_RULE, mask, ", ".join(triple), shown)


def _name(triple: list[str]) -> str:
    """What the three names begin with, for instance PSC of PSCH, PSCD, PSCA."""
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*triple, strict=False))
    return "".join(letters[0] for letters in shared).rstrip("_") or triple[0]
