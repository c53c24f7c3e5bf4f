"""Where the variants of an ablation differ from all features: by division, season and Elo gap."""

from __future__ import annotations

from matchclf.evaluate import ELO_GAP
from matchclf.reports.ablation_runs import REFERENCE, Ablation, Key, named
from matchclf.reports.page import RUN, Column, Plot, Section, Table
from matchclf.reports.slices import MIN_MATCHES, MIN_WEEKS, Slicing, judge_slices, slicings
from matchclf.verdicts import Verdict

COLUMNS = (
    Column("slice"),
    Column("variant"),
    Column("model"),
    Column("matches", ","),
    Column("difference", "+.4f"),
    Column("from", "+.4f"),
    Column("to", "+.4f"),
    Column("run", RUN),
)
UNIT = "log-loss less that of full, nats"


def slice_section(ablation: Ablation, model: tuple[str, str]) -> Section:
    """A plot of one model and a table of all of them, for each way to divide the matches."""
    matches, differences = ablation.matches, ablation.differences("logloss")
    ways = slicings(matches)
    blocks: list[Table | Plot] = []
    for way in ways:
        if way.slices:
            found = judge_slices(differences, way, matches["date"])
            blocks += [_plot(found, way, model), _table(ablation, found, way)]
    left_out = ", ".join(f"{way.left_out} by {way.name.replace('_', ' ')}" for way in ways if way.left_out)
    text = [
        f"Plots show {model[0]}; the tables, which open on a click, have every model. The intervals of one variant are "
        "right for all slices of a kind together in 95 of 100 cases."
    ]
    if left_out:
        text.append(f"Left out for less than {MIN_MATCHES} matches or {MIN_WEEKS} weeks with matches: {left_out}.")
    if ELO_GAP not in matches:
        text.append("No slices by Elo gap: no run of this sweep stored it with its forecasts, as runs do since then.")
    return Section(f"Where it differs from {REFERENCE}", tuple(text), tuple(blocks))


def _plot(found: dict[Key, dict[str, Verdict]], way: Slicing, model: tuple[str, str]) -> Plot:
    from matchclf.reports.drawings import intervals

    panels = {
        named(key): {name: (one.mean, one.low, one.high) for name, one in slices.items()}
        for key, slices in found.items()
        if key[1:] == model
    }
    shows = f"{way.title}: difference in log-loss from {REFERENCE} with its interval, one panel a variant."
    return Plot(intervals(panels, f"{way.title}: {UNIT}"), shows)


def _table(ablation: Ablation, found: dict[Key, dict[str, Verdict]], way: Slicing) -> Table:
    rows = tuple(
        (name, named(key), key[1], one.matches, one.mean, one.low, one.high, ablation.forecasts[key].run.info.run_id)
        for key, slices in found.items()
        for name, one in slices.items()
    )
    return Table(f"by_{way.name}", f"{way.title}: log-loss less that of {REFERENCE}", COLUMNS, rows, folded=True)
