import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from matchclf.baselines import bookmaker, class_prior, truth, uniform
from matchclf.metrics import log_loss

unhurried = settings(deadline=None, max_examples=100)
COLUMNS = ["odds_home", "odds_draw", "odds_away"]


def prices(*matches: list[float]) -> pd.DataFrame:
    return pd.DataFrame(matches, columns=COLUMNS, dtype=float)


def priced(weights: list[float], margin: float) -> list[float]:
    """Odds with this margin, proportional to the weights: the shorter the price the larger the weight."""
    return [sum(weights) / (weight * (1 + margin)) for weight in weights]


# No bookmaker offers less than the stake.
books = st.builds(priced, st.lists(st.floats(0.05, 1), min_size=3, max_size=3), st.floats(0.005, 0.3)).filter(
    lambda odds: min(odds) > 1.001
)


def shin(odds: list[float]) -> list[float]:
    """One match by the formula of the paper and a root finder: an oracle, sharing nothing with the code."""
    booksum = sum(1 / price for price in odds)

    def given_insiders(share: float) -> list[float]:
        return [
            (math.sqrt(share**2 + 4 * (1 - share) * (1 / price) ** 2 / booksum) - share) / (2 * (1 - share))
            for price in odds
        ]

    return given_insiders(brentq(lambda share: sum(given_insiders(share)) - 1, 0, 0.9, xtol=1e-15))


def test_the_uniform_forecast_gives_one_third_and_scores_ln_3():
    assert uniform(2).tolist() == [[1 / 3, 1 / 3, 1 / 3]] * 2
    assert log_loss(np.array([0, 1, 2, 2], dtype=np.int8), uniform(4)) == pytest.approx(math.log(3), abs=1e-15)


def test_the_class_prior_gives_the_shares_of_home_draw_and_away():
    assert class_prior(np.array([2, 0, 0, 1], dtype=np.int8), 2).tolist() == [[0.5, 0.25, 0.25]] * 2


def test_the_class_prior_gives_nothing_to_an_outcome_that_never_happened():
    assert class_prior(np.array([0, 0], dtype=np.int8), 1).tolist() == [[1.0, 0.0, 0.0]]


@given(books)
@unhurried
def test_the_margin_is_removed_as_by_shins_formula_and_a_root_finder(odds):
    np.testing.assert_allclose(bookmaker(prices(odds))[0], shin(odds), rtol=0, atol=1e-9)


@given(books)
@unhurried
def test_probabilities_sum_to_one_and_the_favourite_gets_more_than_its_proportional_share(odds):
    proba = bookmaker(prices(odds))[0]
    assert proba.sum() == pytest.approx(1, abs=1e-12)
    inverse = 1 / np.array(odds)
    proportional = inverse / inverse.sum()
    favourite, outsider = proportional.argmax(), proportional.argmin()
    if proportional[favourite] - proportional[outsider] > 1e-6:
        assert proba[favourite] > proportional[favourite]
        assert proba[outsider] < proportional[outsider]


def test_a_set_of_prices_gives_these_probabilities():
    # Worked out apart, by a root finder: a share of insiders of 0.01694.
    np.testing.assert_allclose(bookmaker(prices([2.6, 2.4, 4.3]))[0], [0.37299, 0.40478, 0.22223], rtol=0, atol=1e-5)


def test_prices_without_a_margin_are_probabilities_already():
    np.testing.assert_allclose(bookmaker(prices([2.0, 4.0, 4.0]))[0], [0.5, 0.25, 0.25], rtol=0, atol=1e-12)


def test_prices_below_fair_are_scaled_up_in_proportion():
    np.testing.assert_allclose(bookmaker(prices([2.2, 4.4, 4.4]))[0], [0.5, 0.25, 0.25], rtol=0, atol=1e-12)


def test_equal_prices_are_one_third_each_whatever_the_margin():
    np.testing.assert_allclose(bookmaker(prices([2.5, 2.5, 2.5]))[0], [1 / 3] * 3, rtol=0, atol=1e-12)


def test_a_match_without_all_three_prices_has_no_forecast_and_disturbs_no_other():
    full, half, none = [2.0, 3.5, 3.8], [2.0, math.nan, 3.8], [math.nan] * 3
    found = bookmaker(prices(none, full, half))
    assert np.isnan(found[[0, 2]]).all()
    np.testing.assert_array_equal(found[1], bookmaker(prices(full))[0])


def test_single_precision_prices_are_reckoned_with_in_double_precision_and_left_alone():
    odds = prices([2.0, 3.5, 4.0], [1.5, 4.5, 6.5]).astype(np.float32)
    before = odds.copy()
    found = bookmaker(odds)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, bookmaker(odds.astype(np.float64)))
    pd.testing.assert_frame_equal(odds, before)


MATCHES = pd.DataFrame(
    {
        "date": pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-02"]).as_unit("s"),
        "country": ["X", "Y", "X"],
        "home_team": ["a", "a", "b"],
        "away_team": ["b", "b", "a"],
    }
)
KNOWN = MATCHES.assign(prob_home=[0.5, 0.6, 0.2], prob_draw=[0.3, 0.2, 0.2], prob_away=[0.2, 0.2, 0.6])


def test_the_truth_is_found_by_day_country_and_teams_in_the_order_of_the_matches():
    asked = MATCHES.iloc[[2, 0]].set_index(pd.Index([7, 5]))
    assert truth(asked, KNOWN.iloc[::-1]).tolist() == [[0.2, 0.2, 0.6], [0.5, 0.3, 0.2]]


def test_a_match_whose_truth_is_unknown_is_refused():
    with pytest.raises(ValueError, match=r"^2 matches have no true probability\.$"):
        truth(MATCHES, KNOWN.iloc[:1])


def test_a_match_told_twice_is_refused():
    with pytest.raises(pd.errors.MergeError):
        truth(MATCHES, pd.concat([KNOWN, KNOWN]))
