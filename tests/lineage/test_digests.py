"""Digests: equal just when names, types and values are."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from matchclf.lineage.digests import array_digest, table_digest


def matches(**changed):
    columns = {
        "date": pd.to_datetime(["2023-08-12", "2023-08-19", "2023-08-19"]),
        "home_team": pd.Series(["Köln", None, "Ajax"], dtype="str"),
        "home_goals": pd.Series([1, 0, pd.NA], dtype="Int64"),
        "odds": [2.5, float("nan"), 0.0],
        "neutral": [True, False, False],
    }
    return pd.DataFrame(columns | changed)


def test_the_digest_is_that_of_names_types_and_bytes():
    expected = hashlib.sha256(b"goals:int64\n" + np.array([1, 2], dtype="<i8").tobytes()).hexdigest()[:16]
    assert table_digest(pd.DataFrame({"goals": [1, 2]})) == expected
    expected = hashlib.sha256(b"(2, 1)float64" + np.array([0.5, 0.25]).tobytes()).hexdigest()[:16]
    assert array_digest(np.array([[0.5], [0.25]])) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"date": pd.to_datetime(["2023-08-12", "2023-08-19", "2023-08-20"])},
        {"date": matches()["date"].astype("datetime64[s]")},
        {"home_team": pd.Series(["Koln", None, "Ajax"], dtype="str")},
        {"home_team": pd.Series(["Köln", "", "Ajax"], dtype="str")},
        {"home_team": pd.Series([None, "Köln", "Ajax"], dtype="str")},
        {"home_team": pd.Series(["Ajax", None, "Köln"], dtype="str")},
        {"home_goals": pd.Series([1, 0, 0], dtype="Int64")},
        {"home_goals": pd.Series([1, 0, pd.NA], dtype="Int8")},
        {"odds": [2.5, float("nan"), np.nextafter(0.0, 1.0)]},
        {"odds": [2.5, 0.0, 0.0]},
        {"neutral": [1, 0, 0]},
    ],
)
def test_a_changed_value_or_type_changes_the_digest(changed):
    assert table_digest(matches(**changed)) != table_digest(matches())


def test_names_and_orders_of_columns_and_of_rows_count():
    table = matches()
    others = [
        table.rename(columns={"odds": "prices"}),
        table[table.columns[::-1]],
        table.iloc[::-1],
        table.iloc[:-1],
        table.drop(columns="odds"),
    ]
    assert len({table_digest(one) for one in (table, *others)}) == 6


def test_copies_and_views_of_a_table_have_its_digest_and_it_stays_as_it_was():
    table, before = matches(), matches()
    wide = pd.concat([table, table.add_prefix("other_")], axis=1)
    assert table_digest(table) == table_digest(table.copy()) == table_digest(wide[list(table.columns)])
    assert table_digest(table.set_axis([7, 8, 9])) == table_digest(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    "other",
    [
        np.array([[0.5, 0.25, 0.25, 0.1, 0.2, 0.7]]),
        np.array([[0.5, 0.25], [0.25, 0.1], [0.2, 0.7]]),
        np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], dtype=np.float32),
        np.array([[0.5, 0.25, 0.25], [0.1, 0.2, np.nextafter(0.7, 1.0)]]),
    ],
)
def test_shape_type_and_last_bit_of_an_array_count(other):
    assert array_digest(other) != array_digest([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])


def test_how_an_array_lies_in_memory_does_not_count():
    proba = np.arange(12.0).reshape(4, 3)
    assert array_digest(np.asfortranarray(proba)) == array_digest(proba)
    assert array_digest(np.repeat(proba, 2, axis=0)[::2]) == array_digest(proba)


PRINT = """
import pandas as pd
from matchclf.lineage.digests import table_digest
print(table_digest(pd.DataFrame({"team": ["b", "a", "b"], "goals": [1, 2, 3]})))
"""


def test_another_process_with_another_hash_seed_gives_the_same_digest():
    expected = table_digest(pd.DataFrame({"team": ["b", "a", "b"], "goals": [1, 2, 3]}))
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
