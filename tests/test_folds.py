from collections.abc import Iterable
from itertools import chain, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from matchclf.errors import DataError
from matchclf.folds import Fold, check_classes, describe, latest, walk_forward

YEARS = [2019, 2020, 2021]
FRACS = st.floats(0.001, 1)


def dates_of(days: Iterable[int]) -> pd.Series:
    return pd.Series(pd.Timestamp("2018-01-01") + pd.to_timedelta(sorted(days), unit="D"))


# Matches on some days of each of the four years, often several on one day.
YEARLY = [st.lists(st.integers(first, first + 364), min_size=1, max_size=150) for first in (0, 365, 730, 1096)]
DATES = st.tuples(*YEARLY).map(chain.from_iterable).map(dates_of)
unhurried = examples(200)


@given(DATES, FRACS)
@unhurried
def test_folds_are_those_of_the_plain_rule(dates, frac):
    for fold, year in zip(walk_forward(dates, YEARS, frac), YEARS, strict=True):
        before = [row for row, date in enumerate(dates) if date.year < year]
        kept = before[-max(int(np.ceil(frac * len(before))), min(100, len(before))) :]
        assert fold.year == year
        assert list(range(len(dates)))[fold.train] == kept
        assert list(range(len(dates)))[fold.valid] == [row for row, date in enumerate(dates) if date.year == year]


@given(DATES, FRACS)
@unhurried
def test_parts_are_disjoint_in_order_and_share_no_day(dates, frac):
    folds = walk_forward(dates, YEARS, frac)
    for fold in folds:
        assert fold.train.stop == fold.valid.start
        assert dates[fold.train].max() < dates[fold.valid].min()
        assert set(dates[fold.train].dt.date).isdisjoint(dates[fold.valid].dt.date)
    for one, following in pairwise(folds):
        assert one.valid.stop == following.valid.start


@given(DATES, FRACS, FRACS)
@unhurried
def test_a_smaller_fraction_is_nested_in_a_larger_one_and_validates_on_the_same_rows(dates, one, other):
    small, large = (walk_forward(dates, YEARS, frac) for frac in sorted((one, other)))
    for fold, wider in zip(small, large, strict=True):
        assert wider.train.start <= fold.train.start < fold.train.stop == wider.train.stop
        assert fold.valid == wider.valid


def test_a_tenth_is_nested_in_the_whole():
    dates = dates_of([day for day in range(4 * 365) for _ in range(4)])
    assert walk_forward(dates, [2019, 2020]) == [
        Fold(2019, slice(0, 1460), slice(1460, 2920)),
        Fold(2020, slice(0, 2920), slice(2920, 4384)),
    ]
    assert walk_forward(dates, [2019, 2020], 0.1) == [
        Fold(2019, slice(1314, 1460), slice(1460, 2920)),
        Fold(2020, slice(2628, 2920), slice(2920, 4384)),
    ]


@pytest.mark.parametrize(
    ("rows", "frac", "expected"),
    [
        (5000, 1.0, slice(0, 5000)),
        (5000, 0.1, slice(4500, 5000)),
        (5001, 0.1, slice(4500, 5001)),
        (5000, 0.001, slice(4900, 5000)),
        (60, 0.001, slice(0, 60)),
        (100, 0.5, slice(0, 100)),
    ],
)
def test_the_latest_rows_are_kept_a_hundred_where_there_are_as_many(rows, frac, expected):
    assert latest(rows, frac) == expected


@pytest.mark.parametrize(
    ("year", "message"),
    [
        (
            2018,
            "Fold 2018 has 0 matches to train on and 365 to validate on; the development matches are from "
            "2018-01-01 to 2019-12-31. Choose other temporal.cv_years.",
        ),
        (
            2020,
            "Fold 2020 has 730 matches to train on and 0 to validate on; the development matches are from "
            "2018-01-01 to 2019-12-31. Choose other temporal.cv_years.",
        ),
        (
            2017,
            "Fold 2017 has 0 matches to train on and 0 to validate on; the development matches are from "
            "2018-01-01 to 2019-12-31. Choose other temporal.cv_years.",
        ),
    ],
)
def test_a_fold_with_an_empty_part_is_refused(year, message):
    with pytest.raises(DataError) as caught:
        walk_forward(dates_of(list(range(730))), [2019, year])
    assert str(caught.value) == message


def test_matches_out_of_order_are_refused():
    with pytest.raises(DataError, match="Folds need matches sorted by date"):
        walk_forward(dates_of([0, 400])[::-1], [2019])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            [0, 1, 1],
            "Fold 2019 has 3 training matches without outcome 2 (0 home win, 1 draw, 2 away win); "
            "expected all three. Use a larger frac or more matches.",
        ),
        (
            [1],
            "Fold 2019 has 1 training matches without outcome 0, 2 (0 home win, 1 draw, 2 away win); "
            "expected all three. Use a larger frac or more matches.",
        ),
    ],
)
def test_training_labels_without_an_outcome_are_refused(target, message):
    with pytest.raises(DataError) as caught:
        check_classes(np.array(target, dtype=np.int8), "Fold 2019")
    assert str(caught.value) == message


def test_training_labels_with_all_outcomes_pass():
    check_classes(np.array([2, 1, 0, 0], dtype=np.int8), "Fold 2019")


def test_the_description_tells_days_and_rows_of_each_part():
    dates = dates_of([0, 100, 300, 400, 700, 800])
    expected = pd.DataFrame(
        {
            "year": [2019, 2020],
            "train_start": pd.to_datetime(["2018-01-01", "2018-01-01"]),
            "train_end": pd.to_datetime(["2018-10-28", "2019-12-02"]),
            "train_rows": [3, 5],
            "valid_start": pd.to_datetime(["2019-02-05", "2020-03-11"]),
            "valid_end": pd.to_datetime(["2019-12-02", "2020-03-11"]),
            "valid_rows": [2, 1],
        }
    )
    found = describe(dates, walk_forward(dates, [2019, 2020]))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
