"""Where a final model is good, and where not: by division, season and Elo gap, against the bookmaker."""

from __future__ import annotations

from collections.abc import Mapping

from matchclf.holdout import BOOKMAKER, OURS
from matchclf.reports.final_runs import TOLD, Final
from matchclf.reports.page import RUN, Column, Plot, Section, Table
from matchclf.reports.slices import MIN_MATCHES, MIN_WEEKS, judge_slices, slicings
from matchclf.verdicts import Verdict


def slice_section(final: Final) -> Section:
    """A plot and a table for each way to divide the matches; the prior takes the bookmaker's place without prices."""
    from matchclf.reports.drawings import intervals

    other = BOOKMAKER if final.priced.any() else "prior"
    rows = final.rows(other)
    matches = final.table[rows].reset_index(drop=True)
    difference = final.losses(OURS, rows)["logloss"] - final.losses(other, rows)["logloss"]
    blocks: list[Plot | Table] = []
    for way in slicings(matches):
        if not way.slices:
            continue
        found = judge_slices({"": difference}, way, matches["date"])[""]
        panel = {name: (one.mean, one.low, one.high) for name, one in found.items()}
        unit = f"{way.title}: log-loss less that of the {TOLD[other]}, nats"
        blocks += [Plot(intervals({"": panel}, unit), unit), _slice_table(final, way.name, unit, found)]
    text = (
        f"Log-loss less that of the {TOLD[other]} on the same matches. Intervals are right for all slices of a kind "
        f"together in 95 of 100 cases; slices of less than {MIN_MATCHES} matches or {MIN_WEEKS} weeks are left out."
    )
    return Section("Where it is good, and where not", (text,), tuple(blocks))


def _slice_table(final: Final, name: str, title: str, found: Mapping[str, Verdict]) -> Table:
    columns = (Column("slice"), Column("matches", ","), *(Column(c, "+.4f") for c in ("difference", "from", "to")))
    rows = tuple((key, v.matches, v.mean, v.low, v.high, final.run.info.run_id) for key, v in found.items())
    return Table(f"by_{name}", title, (*columns, Column("run", RUN)), rows, folded=True)
