"""The holdout: every match on or after one day, and no other."""

import pandas as pd

from matchclf.errors import DataError


def split(matches: pd.DataFrame, test_start: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Development matches before ``test_start`` and holdout matches from that day on.

    Disjoint, exhaustive, and no day is in both parts. Raises DataError when a part is empty.
    """
    if matches.empty:
        raise DataError("There is no played match to learn from; all matches found are still without a score.")
    in_holdout = matches["date"] >= pd.Timestamp(test_start)
    for part, rows in (("before", ~in_holdout), ("on or after", in_holdout)):
        if not rows.any():
            raise DataError(
                f"No match is {part} temporal.test_start={test_start}; the matches found are from "
                f"{matches['date'].min():%Y-%m-%d} to {matches['date'].max():%Y-%m-%d}."
            )
    return matches[~in_holdout].reset_index(drop=True), matches[in_holdout].reset_index(drop=True)
