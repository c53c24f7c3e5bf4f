import numpy as np
import pytest

from matchclf.config import World
from matchclf.data.league import clubs as league
from matchclf.data.league.schedule import double_round_robin

SMALL = World(countries=2, tiers=3, teams_per_division=4, promoted=1, first_season=2000, last_season=2001)


def test_clubs_of_a_country_and_the_tiers_within_it_are_neighbours():
    founders = league.founders(SMALL)
    assert league.clubs_per_country(SMALL) == 14
    assert founders.tolist() == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
        [14, 15, 16, 17],
        [18, 19, 20, 21],
        [22, 23, 24, 25],
    ]


def test_the_best_go_up_the_worst_go_down_and_new_clubs_enter_at_the_bottom():
    ranking = league.founders(SMALL)
    after = league.next_divisions(SMALL, ranking, summer=1)
    assert np.sort(after, axis=1).tolist() == [
        [0, 1, 2, 4],
        [3, 5, 6, 8],
        [7, 9, 10, 13],
        [14, 15, 16, 18],
        [17, 19, 20, 22],
        [21, 23, 24, 27],
    ]
    np.testing.assert_array_equal(ranking, league.founders(SMALL))


def test_a_single_tier_only_swaps_its_last_and_no_promotion_swaps_nobody():
    alone = World(countries=1, tiers=1, teams_per_division=4, promoted=1, last_season=2000)
    closed = World(countries=1, tiers=2, teams_per_division=4, promoted=0, last_season=2000)
    assert league.next_divisions(alone, np.array([[3, 1, 0, 2]]), 0).tolist() == [[3, 1, 0, 4]]
    ranking = np.array([[3, 1, 0, 2], [4, 5, 6, 7]])
    assert league.next_divisions(closed, ranking, 0).tolist() == ranking.tolist()


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # 2 has six points, 0 three and by far the best difference.
        ([(2, 0, 1, 0), (1, 3, 0, 0), (2, 1, 1, 0), (0, 3, 9, 0)], [2, 0, 1, 3]),
        # 0 and 1 have four points each, 1 more goals, 0 the better difference.
        ([(0, 2, 3, 0), (1, 3, 5, 4), (3, 0, 2, 2), (2, 1, 2, 2)], [0, 1, 3, 2]),
        # 0 and 1 have four points and three goals more than conceded each; 1 has more goals.
        ([(0, 2, 3, 0), (1, 3, 4, 1), (3, 0, 2, 2), (2, 1, 2, 2)], [1, 0, 3, 2]),
    ],
)
def test_tables_are_ranked_by_points_then_difference_then_goals(scores, expected):
    """A score is (home club, away club, home goals, away goals)."""
    table = np.array(scores).reshape(2, 2, 4)
    meetings, goals = np.moveaxis(table[..., :2], -1, 0), np.moveaxis(table[..., 2:], -1, 0)
    for seed in range(5):
        ranking = league.ranking(np.array([[0, 1, 2, 3]]), meetings, goals, np.random.default_rng(seed))
        assert ranking.tolist() == [expected]


def test_equal_clubs_are_ranked_by_lot():
    meetings, goals = np.array([[[0, 1]], [[2, 3]]]), np.ones((2, 1, 2), dtype=int)
    lots = {
        tuple(league.ranking(np.array([[0, 1, 2, 3]]), meetings, goals, np.random.default_rng(seed))[0])
        for seed in range(300)
    }
    assert len(lots) == 24


def test_effects_of_pairs_are_antisymmetric_within_a_country_and_as_wide_as_asked():
    effects = league.pair_effects(World(h2h_effect=0.2), np.random.default_rng(0))
    np.testing.assert_array_equal(effects, -effects.swapaxes(1, 2))
    assert effects.shape == (4, 114, 114)
    assert round(float(effects[:, *np.triu_indices(114, k=1)].std()), 3) == pytest.approx(0.2, abs=0.002)


def test_attack_and_defence_spread_as_asked_around_their_tier_and_go_together():
    world = World(countries=12, tiers=2, teams_per_division=40, strength_spread=0.25, tier_gap=0.5)
    founders = league.founders(world)
    first = league.first_strengths(world, founders, np.random.default_rng(0))[founders].reshape(12, 2, 40, 2)
    assert first.mean(axis=(0, 2, 3)).tolist() == pytest.approx([0.0, -0.5], abs=0.03)
    apart = first - np.array([0.0, -0.5])[:, None, None]
    assert apart.std(axis=(0, 1, 2)).tolist() == pytest.approx([0.25, 0.25], abs=0.01)
    assert np.corrcoef(apart.reshape(-1, 2).T)[0, 1] == pytest.approx(0.5, abs=0.05)


def test_drift_is_a_random_walk_and_the_summer_takes_back_what_it_widened():
    world = World(countries=12, tiers=1, teams_per_division=40, promoted=0, strength_spread=0.2, drift=0.05)
    clubs, rng = league.founders(world), np.random.default_rng(1)
    start = league.first_strengths(world, clubs, rng)
    path = league.drifting(world, start, 78, rng)
    steps = np.diff(np.concatenate([start[None], path]), axis=0)
    assert steps.std() == pytest.approx(0.05, abs=0.001)
    assert path[-1].std() == pytest.approx(np.hypot(0.2, 0.05 * np.sqrt(78)), abs=0.03)
    assert league.after_summer(world, path, clubs).std() == pytest.approx(0.2, abs=0.015)


def test_a_relegated_club_falls_back_towards_its_new_tier():
    world = World(countries=1, tiers=2, teams_per_division=4, promoted=1, tier_gap=1.0, strength_spread=0.3, drift=0.05)
    still = np.zeros((36, league.clubs_per_country(world), 2))
    after = league.after_summer(world, still, np.array([[0, 1, 2, 4], [3, 5, 6, 7]]))
    assert after[[0, 3, 4], 0].round(6).tolist() == [0.0, -0.292893, 0.0]


def test_a_world_without_strengths_or_drift_stays_flat():
    world = World(countries=1, strength_spread=0, drift=0, tier_gap=0)
    path = np.zeros((34, league.clubs_per_country(world), 2))
    assert not league.after_summer(world, path, league.founders(world)).any()


def test_names_suffice_for_the_largest_world_and_are_unique_within_a_country():
    largest = World(countries=12, tiers=8, teams_per_division=40, promoted=19, first_season=1900, last_season=2100)
    names = np.array(league.club_names(largest, np.random.default_rng(0))).reshape(12, -1)
    assert names.shape == (12, 8 * 40 + 19 * 201)
    assert all(len(set(own)) == names.shape[1] for own in names)
    assert len({name[:3].upper() for name in league.COUNTRIES}) == 12


def test_rates_follow_the_strengths_of_their_own_round():
    world = World(
        countries=1,
        tiers=1,
        teams_per_division=4,
        promoted=0,
        home_advantage=0.4,
        goals_per_match=2.3,
        shared_goals=0.15,
    )
    meetings = np.array([[[0, 1], [2, 0]], [[2, 3], [1, 3]]])
    path = np.zeros((2, 4, 2))
    path[1, 2, 0], path[1, 1, 1] = 0.5, 0.2  # In the second round 2 attacks better and 1 defends better.
    rates = np.exp(league.strength_rates(world, meetings, path))
    level = 2.0 / ((3 * np.exp(0.2) + np.exp(0.2 + 0.5 - 0.2) + 4 * np.exp(-0.2)) / 4)
    expected = np.exp([[[0.2, 0.2], [0.5, 0.2]], [[-0.2, -0.2], [-0.2, -0.2]]]) * level
    np.testing.assert_allclose(rates, expected)


def test_every_division_scores_what_was_asked_for_in_the_mean_of_its_season():
    world = World(countries=3, teams_per_division=6, promoted=1, last_season=2000, strength_spread=0.6)
    clubs, rng = league.founders(world), np.random.default_rng(3)
    strengths = league.first_strengths(world, clubs, rng)
    meetings = np.moveaxis(clubs[:, double_round_robin(6)], 0, 2).reshape(2, 10, -1)
    rates = np.exp(league.strength_rates(world, meetings, league.drifting(world, strengths, 10, rng)))
    by_division = rates.sum(axis=0).reshape(10, 6, 3).mean(axis=(0, 2)) + 2 * world.shared_goals
    np.testing.assert_allclose(by_division, np.full(6, world.goals_per_match))
