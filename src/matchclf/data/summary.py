"""The readable summary of prepared data, as Markdown."""

import pandas as pd

from matchclf.data.schema import ODDS, OUTCOMES, TARGET


def summarise(
    train: pd.DataFrame,
    test: pd.DataFrame,
    folds: pd.DataFrame,
    findings: pd.DataFrame,
    columns: dict[str, int],
) -> str:
    """Development and holdout part, walk-forward folds, features and findings, each as a small table."""
    parts = pd.DataFrame([_part("development", train), _part("holdout", test)])
    features = pd.DataFrame({"family": list(columns), "columns": list(columns.values())})
    sections = {"Parts": parts, "Folds": folds, "Features": features, "Findings": _counted(findings)}
    return "# Prepared data\n" + "".join(f"\n## {name}\n\n{_markdown(table)}" for name, table in sections.items())


def _part(name: str, matches: pd.DataFrame) -> dict[str, object]:
    shares = matches[TARGET].value_counts(normalize=True)
    return {
        "part": name,
        "matches": len(matches),
        "from": matches["date"].min(),
        "to": matches["date"].max(),
        "countries": matches["country"].nunique(),
        "divisions": len(matches[["country", "division"]].drop_duplicates()),
        "teams": _teams(matches),
        **{outcome: f"{shares.get(label, 0):.1%}" for label, outcome in enumerate(OUTCOMES)},
        "goals": f"{(matches['home_goals'] + matches['away_goals']).mean():.2f}",
        "with odds": f"{matches[list(ODDS)].notna().all(axis=1).mean():.1%}",
    }


def _teams(matches: pd.DataFrame) -> int:
    sides = (zip(matches["country"], matches[side], strict=True) for side in ("home_team", "away_team"))
    return len({team for side in sides for team in side})


def _counted(findings: pd.DataFrame) -> pd.DataFrame:
    if findings.empty:
        return pd.DataFrame({"findings": ["none"]})
    return findings.groupby(["severity", "rule"]).size().rename("rows").reset_index()


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * table.shape[1], *table.itertuples(index=False)]
    return "".join(f"| {' | '.join(_cell(value) for value in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
