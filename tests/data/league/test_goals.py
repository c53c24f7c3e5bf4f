import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from matchclf.data.league.goals import goals_at, match_statistics, outcome_proba, points

RATES = st.floats(1e-6, 30)


def proba_by_counting(home_rate: float, away_rate: float, shared_rate: float) -> list[float]:
    """Add up the probability of every score of the bivariate Poisson distribution, shared goals and all."""
    home, away, shared = (stats.poisson.pmf(np.arange(60), rate) for rate in (home_rate, away_rate, shared_rate))
    total = [0.0, 0.0, 0.0]
    for common in range(60):
        scores = np.outer(home, away) * shared[common]
        total[0] += np.tril(scores, -1).sum()
        total[1] += np.trace(scores)
        total[2] += np.triu(scores, 1).sum()
    return total


@pytest.mark.parametrize(
    "rates", [(1.4, 1.1, 0.0), (1.4, 1.1, 0.15), (0.2, 3.5, 0.3), (6.0, 0.01, 1.0), (1.0, 1.0, 2.0)]
)
def test_outcome_probabilities_are_sums_over_all_scores_whatever_is_shared(rates: tuple[float, ...]):
    found = outcome_proba(np.array(rates[0]), np.array(rates[1]))
    np.testing.assert_allclose(found, proba_by_counting(*rates), atol=1e-12)


@given(home=RATES, away=RATES)
def test_outcome_probabilities_sum_to_one_and_swap_with_the_sides(home: float, away: float):
    proba = outcome_proba(np.array([home]), np.array([away]))
    assert proba.shape == (1, 3)
    assert abs(proba.sum() - 1) < 1e-12
    np.testing.assert_array_equal(proba[:, ::-1], outcome_proba(np.array([away]), np.array([home])))


def test_goals_are_quantiles_of_the_poisson_distribution():
    rng = np.random.default_rng(0)
    quantile, rate = rng.random(20_000), rng.uniform(0.05, 12, 20_000)
    np.testing.assert_array_equal(goals_at(quantile, rate), stats.poisson.ppf(quantile, rate).astype(int))
    assert goals_at(np.array([0.0, 1 - 1e-12]), np.array([1.0, 1.0])).tolist() == [0, 14]


def test_points_are_three_one_and_none():
    assert points(np.array([[2, 1, 0], [0, 1, 3]])).tolist() == [[3, 1, 0], [0, 1, 3]]


def test_statistics_are_consistent_and_have_the_means_of_real_football():
    rng = np.random.default_rng(1)
    relative_rate = np.ones(40_000)
    goals = rng.poisson(1.35 * relative_rate)
    found = match_statistics(rng, goals, relative_rate)
    assert (goals <= found["shots_on_target"]).all()
    assert (found["shots_on_target"] <= found["shots"]).all()
    assert (found["half_time_goals"] <= goals).all()
    expected = {
        "shots": 11.55,
        "shots_on_target": 4.70,
        "corners": 5.15,
        "fouls": 12.80,
        "yellow_cards": 1.82,
        "red_cards": 0.10,
        "half_time_goals": 0.594,
    }
    assert {name: values.mean() for name, values in found.items()} == pytest.approx(expected, rel=0.02)


def test_a_higher_scoring_rate_shows_in_shots_and_corners_and_in_fewer_cards():
    rng = np.random.default_rng(2)
    goals = np.ones(20_000, dtype=int)
    weak, strong = (match_statistics(rng, goals, np.full(20_000, rate)) for rate in (0.7, 1.4))
    more = {name: bool(strong[name].mean() > 1.05 * weak[name].mean()) for name in weak}
    fewer = {name: bool(strong[name].mean() < 0.95 * weak[name].mean()) for name in weak}
    assert [name for name in more if more[name]] == ["shots", "shots_on_target", "corners"]
    assert [name for name in fewer if fewer[name]] == ["fouls", "yellow_cards", "red_cards"]
