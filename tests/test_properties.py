"""What holds for any matches, settings and seeds, from the split to the scores."""

import json
import math
import os
import pickle
import random
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

import program
from examples import examples
from matchclf import metrics
from matchclf.compose import CONF
from matchclf.config import Model
from matchclf.data.dataset import Dataset
from matchclf.errors import DataError
from matchclf.evaluate import Evaluation, evaluate_model, proba_in_order
from matchclf.folds import walk_forward
from matchclf.identity import canonical_json, short_hash
from matchclf.models import build_model
from matchclf.split import split
from matchclf.usage import options

MODELS = options(CONF / "model")
YEARS = [2020, 2021]
SEEDS = st.integers(0, 10_000)
# Leagues that several properties share.
FEW_SEEDS = st.integers(0, 24)
ROWS = 240


def league(seed: int, rows: int = ROWS) -> Dataset:
    """Matches of three years, several on a day, with features of which one is often unknown."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 3 * 365, rows))
    days[: rows // 4] = np.sort(rng.integers(0, 365, rows // 4))
    days = np.sort(days)
    strength = rng.normal(0.2, 1, rows)
    target = np.digitize(-(strength + rng.normal(0, 1, rows)), [-0.5, 0.4]).astype(np.int8)
    known = np.where(rng.random(rows) < 0.2, np.nan, strength)
    features = pd.DataFrame({"elo_diff": known, "gap_days": rng.integers(-7, 7, rows)}, dtype=np.float32)
    dates = pd.Timestamp("2019-01-01") + pd.to_timedelta(days, unit="D")
    return Dataset(pd.DataFrame({"date": dates.as_unit("s")}), features, target)


FITTED: list[Pipeline] = []


class Watched(Pipeline):
    """A pipeline that shows what was fitted."""

    def fit(self, *arguments, **more):
        FITTED.append(super().fit(*arguments, **more))
        return self


@dataclass(frozen=True)
class Evaluator:
    """The forecasts of a model for the last year, and everything that it learned before."""

    settings: dict[str, Model]
    kept: dict[tuple[str, int, int], tuple[Evaluation, list[bytes]]]

    def __call__(self, name: str, seed: int, model_seed: int = 1) -> tuple[Evaluation, list[bytes]]:
        key = (name, seed, model_seed)
        if key not in self.kept:
            self.kept[key] = self.anew(name, league(seed), model_seed)
        return self.kept[key]

    def anew(self, name: str, data: Dataset, model_seed: int = 1) -> tuple[Evaluation, list[bytes]]:
        FITTED.clear()
        pipeline = Watched(build_model(name, self.settings[name], model_seed).steps)
        found = evaluate_model(name, pipeline, data, walk_forward(data.matches["date"], YEARS[-1:]), 1)
        return found, [pickle.dumps(model.steps) for model in FITTED]


@pytest.fixture(scope="module")
def settings(compose):
    return compose("rounds=2", program.EVERY_MODEL).models


@pytest.fixture(scope="module")
def evaluate(settings):
    return Evaluator(settings, {})


@given(name=st.sampled_from(MODELS), seed=FEW_SEEDS, share=st.floats(0.05, 1))
@examples(200)
def test_validation_rows_change_no_fitted_parameter(evaluate, name, seed, share):
    data = league(seed)
    one, learned = evaluate(name, seed)
    last = (data.matches["date"].dt.year == YEARS[-1]).to_numpy()
    changed = last & (np.random.default_rng(seed).random(ROWS) < share)
    features = data.features.copy()
    features[changed] = 99
    target = np.where(changed, 2 - data.target, data.target).astype(np.int8)
    other, again = evaluate.anew(name, Dataset(data.matches, features, target))
    assert again == learned
    same = ~changed[one.rows]
    np.testing.assert_array_equal(one.proba[same], other.proba[same])


@given(name=st.sampled_from(MODELS), seed=FEW_SEEDS, model_seed=st.integers(0, 1))
@examples(200)
def test_the_same_seed_data_and_settings_give_the_same_numbers(evaluate, name, seed, model_seed):
    one, learned = evaluate(name, seed, model_seed)
    other, again = evaluate.anew(name, league(seed), model_seed)
    assert again == learned
    np.testing.assert_array_equal(one.proba, other.proba)
    pd.testing.assert_frame_equal(one.by_year, other.by_year, check_exact=True)


@given(name=st.sampled_from(MODELS), seed=SEEDS, order=st.permutations([0, 1, 2]))
@examples(200)
def test_every_model_forecasts_in_the_order_home_draw_away_whichever_outcome_comes_first(settings, name, seed, order):
    data = league(seed, 90)
    rows = np.argsort(np.argsort(order)[data.target], kind="stable")
    model = build_model(name, settings[name], 1)
    model.fit(data.features.iloc[rows], data.target[rows])
    assert data.target[rows][0] == order[0]
    proba = proba_in_order(model, data.features, name)
    means = [proba[data.target == label, label].mean() - proba[:, label].mean() for label in (0, 1, 2)]
    assert sum(means) >= -1e-9


@given(seed=SEEDS, rows=st.integers(1, 60), order=st.permutations([0, 1, 2]))
@examples(200)
def test_scores_follow_the_classes_and_not_their_order_of_appearance(seed, rows, order):
    rng = np.random.default_rng(seed)
    target, proba = rng.integers(0, 3, rows).astype(np.int8), rng.dirichlet([1, 1, 1], rows)
    renamed = np.array(order, np.int8)[target]
    moved = np.empty_like(proba)
    moved[:, order] = proba
    for metric in (metrics.log_loss, metrics.brier, metrics.accuracy, metrics.ece):
        assert metric(renamed, moved) == pytest.approx(metric(target, proba), abs=1e-12)
    assert metrics.rps(2 - target, proba[:, ::-1]) == pytest.approx(metrics.rps(target, proba), abs=1e-12)


@given(target=st.lists(st.integers(0, 2), min_size=1, max_size=80))
@examples(200)
def test_a_uniform_forecast_scores_ln_3_whatever_happens(target):
    uniform = np.full((len(target), 3), 1 / 3)
    assert metrics.log_loss(np.array(target, np.int8), uniform) == pytest.approx(np.log(3), abs=1e-14)


@given(seed=SEEDS, begin=st.integers(1, 3 * 365), shuffle=st.booleans())
@examples(200)
def test_split_and_folds_are_disjoint_exhaustive_and_in_order_and_share_no_day(seed, begin, shuffle):
    rng = np.random.default_rng(seed)
    matches = league(seed, 120).matches.assign(row=np.arange(120))
    start = f"{pd.Timestamp('2019-01-01') + pd.Timedelta(days=begin):%Y-%m-%d}"
    given_ = matches.iloc[rng.permutation(120)] if shuffle else matches
    assume(matches["date"].min() < pd.Timestamp(start) <= matches["date"].max())
    train, test = split(given_, start)
    assert sorted([*train["row"], *test["row"]]) == list(range(120))
    assert train["date"].max() < test["date"].min()
    train = train.sort_values("date", ignore_index=True)
    try:
        folds = walk_forward(train["date"], YEARS)
    except DataError:
        assert train["date"].dt.year.nunique() < 3
        return
    for fold, year in zip(folds, YEARS, strict=True):
        parts = train["date"][fold.train], train["date"][fold.valid]
        assert parts[0].max() < parts[1].min()
        assert set(parts[1].dt.year) == {year}
        assert fold.train.start == 0
        assert len(parts[0]) + len(parts[1]) == (train["date"].dt.year <= year).sum()


scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False) | st.text(max_size=5)
settings_trees = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=5,
)


def leaves(tree, path=()):
    """Paths to all values that are no mapping and no list."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if items is None:
        return [path]
    return [found for key, value in items for found in leaves(value, (*path, key))]


def changed(tree, path, value):
    if not path:
        return value
    if isinstance(tree, list):
        return [changed(item, path[1:], value) if at == path[0] else item for at, item in enumerate(tree)]
    return {**tree, path[0]: changed(tree[path[0]], path[1:], value)}


def shuffled(tree, chance: random.Random):
    """The same with the keys of every mapping in another order."""
    if isinstance(tree, list):
        return [shuffled(item, chance) for item in tree]
    if not isinstance(tree, dict):
        return tree
    keys = list(tree)
    chance.shuffle(keys)
    return {key: shuffled(tree[key], chance) for key in keys}


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def same(one, other) -> bool:
    """Numbers are equal by their value, truth values are no numbers."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@given(tree=settings_trees, chance=st.randoms(use_true_random=False), value=scalars)
@examples(200)
def test_a_hash_is_the_same_in_any_order_of_keys_and_another_for_any_changed_value(tree, chance, value):
    assert short_hash(shuffled(tree, chance)) == short_hash(tree)
    for path in leaves(tree):
        other = changed(tree, path, value)
        assert (short_hash(other) == short_hash(tree)) == same(at(tree, path), value)
        assert short_hash(changed(tree, path, {"a": 1})) != short_hash(tree)
        if isinstance(at(tree, path), float) and math.isfinite(at(tree, path)):
            nearby = math.nextafter(at(tree, path), math.inf)
            assert short_hash(changed(tree, path, nearby)) != short_hash(tree)


PRINT_HASHES = """
import json, sys
from matchclf.identity import short_hash
print(*map(short_hash, json.load(sys.stdin)))
"""


@cache
def drawn_trees() -> tuple[str, ...]:
    """As JSON, the trees of the test above and in their order."""
    found: list[str] = []

    @given(tree=settings_trees)
    @examples(200)
    def collect(tree):
        found.append(canonical_json(tree))

    collect()
    return tuple(found)


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_hashes_are_the_same_in_another_process_with_another_hash_seed_in_another_folder(tmp_path, hash_seed):
    trees = [json.loads(tree) for tree in drawn_trees()]
    assert len(trees) >= 150
    done = subprocess.run(
        [sys.executable, "-c", PRINT_HASHES],
        input=json.dumps(trees),
        cwd=tmp_path,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [short_hash(tree) for tree in trees]
