import math

import numpy as np
import pytest

from matchclf.racing import estimate, is_hopeless

BEST = [1.00, 1.02, 0.98, 1.01, 1.03, 0.99, 1.00, 1.02]


def above(*differences):
    return [score + difference for score, difference in zip(BEST, differences, strict=False)]


def test_a_trial_that_is_no_better_by_the_gain_in_any_fold_stops():
    # mean 0.0010, standard error 0.0010 / sqrt(3): 0.0010 - 2 * 0.0006 is above -0.001.
    assert is_hopeless(above(0.000, 0.001, 0.002), BEST, gain=0.001, folds=3)


def test_the_rule_is_the_mean_less_two_standard_errors_against_the_gain():
    differences = [0.002, -0.003, 0.001]
    bound = np.mean(differences) - 2 * np.std(differences, ddof=1) / math.sqrt(3)
    assert is_hopeless(above(*differences), BEST, gain=-bound + 1e-9, folds=3)
    assert not is_hopeless(above(*differences), BEST, gain=-bound - 1e-9, folds=3)


@pytest.mark.parametrize(
    ("differences", "why"),
    [
        ((0.05, 0.05), "fewer folds than must run"),
        ((-0.01, -0.01, -0.01), "better"),
        ((-0.0015, -0.0015, -0.0015), "better by more than the gain"),
        ((0.05, -0.04, 0.03), "worse in the mean, but by chance perhaps"),
    ],
)
def test_other_trials_go_on(differences, why):
    assert not is_hopeless(above(*differences), BEST, gain=0.001, folds=3), why


@pytest.mark.parametrize(("folds", "last"), [(8, 6), (4, 3), (3, 2)])
def test_a_trial_that_is_nearly_done_goes_on_to_its_end(folds, last):
    best = BEST[:folds]
    worse = [score + 0.05 for score in best]
    stopped = [is_hopeless(worse[:known], best, gain=0.001, folds=2) for known in range(2, folds + 1)]
    assert stopped == [known <= last for known in range(2, folds + 1)]


def test_the_first_trial_has_nobody_to_lose_against():
    assert not is_hopeless([9.0, 9.0, 9.0], [], gain=0.001, folds=3)


def test_the_estimate_is_the_best_mean_plus_the_mean_difference():
    assert estimate(above(0.01, 0.02, 0.03), BEST) == pytest.approx(np.mean(BEST) + 0.02, abs=1e-12)
