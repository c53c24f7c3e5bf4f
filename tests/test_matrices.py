"""Matrices that trials share: what is grown on them, when they are taken, how many are held."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from matchclf import matrices

ROWS = 1500
random = np.random.default_rng(5)
KNOWN = pd.DataFrame(random.normal(size=(ROWS, 6)).astype("float32"), columns=list("abcdef"))
KNOWN.loc[::7, "c"] = np.nan
TARGET = random.integers(0, 3, ROWS).astype("int8")
SETTINGS = [
    {"max_depth": 2, "learning_rate": 0.3},
    {"max_depth": 6, "subsample": 0.6, "colsample_bytree": 0.5},
    {"max_depth": 4, "min_child_weight": 40, "reg_lambda": 10.0},
]


@pytest.fixture(autouse=True)
def none_made(monkeypatch):
    monkeypatch.setattr(matrices, "_made", {})


def model(before=(), **settings):
    return make_pipeline(*before, XGBClassifier(n_estimators=8, n_jobs=1, random_state=3, **settings))


def forecast(pipeline, known=KNOWN, target=TARGET):
    return clone(pipeline).fit(known, target).predict_proba(known)


def made():
    return list(matrices._made.values())


def test_trees_are_the_same_bit_for_bit():
    for settings in SETTINGS:
        alone, shared = model(**settings), matrices.sharing(model(**settings))
        assert (forecast(alone) == forecast(shared)).all()
    assert len(made()) == 1


def test_the_matrix_of_the_first_trial_is_taken_by_the_next():
    forecast(matrices.sharing(model(max_depth=2)))
    (first,) = made()
    forecast(matrices.sharing(model(max_depth=5)))
    assert made() == [first]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((KNOWN.assign(a=KNOWN["a"].where(KNOWN.index != 11, 9)), TARGET), id="one number"),
        pytest.param((KNOWN.rename(columns={"a": "z"}), TARGET), id="a name"),
        pytest.param((KNOWN[list("bacdef")], TARGET), id="order of columns"),
        pytest.param((KNOWN.iloc[:-1], TARGET[:-1]), id="a row less"),
        pytest.param((KNOWN, np.where(np.arange(ROWS) == 11, (TARGET + 1) % 3, TARGET)), id="one outcome"),
    ],
)
def test_other_numbers_get_a_matrix_of_their_own(other):
    forecast(matrices.sharing(model()))
    assert (forecast(matrices.sharing(model()), *other) == forecast(model(), *other)).all()
    assert len(made()) == 2


def test_another_number_of_bins_gets_a_matrix_of_its_own():
    few = model(max_bin=8)
    forecast(matrices.sharing(model()))
    assert (forecast(matrices.sharing(few)) == forecast(few)).all()
    assert len(made()) == 2


def test_what_a_trial_does_not_have_is_not_shared():
    weights, shared = random.uniform(size=ROWS), matrices.sharing(model())
    weighed = clone(shared)[-1].fit(KNOWN, TARGET, sample_weight=weights)
    assert (weighed.predict_proba(KNOWN) != forecast(model())).any()
    forecast(matrices.sharing(model([StandardScaler()])))
    assert made() == []


def test_no_more_than_so_many_are_held(monkeypatch):
    monkeypatch.setattr(matrices, "KEPT", 2)
    for rows in (500, 700, 900, 700):
        forecast(matrices.sharing(model()), KNOWN[:rows], TARGET[:rows])
    assert [matrix.num_row() for matrix in made()] == [900, 700]
