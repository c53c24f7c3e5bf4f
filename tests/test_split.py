import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from matchclf.errors import DataError
from matchclf.split import split

START = "2024-01-01"
DAYS = st.lists(st.integers(-400, 400), min_size=2, max_size=60).filter(lambda days: min(days) < 0 <= max(days))


def matches_on(days: list[int]) -> pd.DataFrame:
    dates = pd.Timestamp(START) + pd.to_timedelta(days, unit="D")
    return pd.DataFrame({"date": dates, "row": range(len(days))})


unhurried = examples(200)


@given(DAYS)
@unhurried
def test_the_parts_are_disjoint_exhaustive_and_divided_by_the_day(days):
    train, test = split(matches_on(days), START)
    assert train["row"].tolist() == [row for row, day in enumerate(days) if day < 0]
    assert test["row"].tolist() == [row for row, day in enumerate(days) if day >= 0]
    assert train["date"].max() < pd.Timestamp(START) <= test["date"].min()


@given(DAYS)
@unhurried
def test_rows_keep_their_values_and_are_numbered_anew(days):
    matches = matches_on(days)
    train, test = split(matches, START)
    together = pd.concat([train, test])
    pd.testing.assert_frame_equal(together.sort_values("row", ignore_index=True), matches)
    for part in (train, test):
        assert part.index.equals(pd.RangeIndex(len(part)))


def test_the_input_is_untouched():
    matches = matches_on([3, -1, 0])
    before = matches.copy()
    split(matches, START)
    pd.testing.assert_frame_equal(matches, before)


def test_an_evening_match_belongs_to_its_day():
    dates = pd.to_datetime(["2023-12-31 23:59:59", "2024-01-01 00:00:00"]).as_unit("s")
    train, test = split(pd.DataFrame({"date": dates}), START)
    assert (len(train), len(test)) == (1, 1)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (
            [0, 31],
            "No match is before temporal.test_start=2024-01-01; the matches found are from 2024-01-01 to 2024-02-01.",
        ),
        (
            [-366, -1],
            "No match is on or after temporal.test_start=2024-01-01; "
            "the matches found are from 2022-12-31 to 2023-12-31.",
        ),
    ],
)
def test_an_empty_part_is_refused(days, message):
    with pytest.raises(DataError) as caught:
        split(matches_on(days), START)
    assert str(caught.value) == message


def test_the_order_of_rows_changes_only_the_order_of_rows():
    matches = matches_on([-5, 3, -1, 0, 7, -2])
    shuffled = matches.sample(frac=1, random_state=np.random.default_rng(0))
    for part, other in zip(split(matches, START), split(shuffled, START), strict=True):
        pd.testing.assert_frame_equal(other.sort_values("row", ignore_index=True), part)
