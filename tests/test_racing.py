import math

import numpy as np
import pytest

from matchclf.racing import estimate, is_clearly_worse

BEST = [1.00, 1.02, 0.98, 1.01, 1.03, 0.99, 1.00, 1.02]


def above(*differences):
    return [score + difference for score, difference in zip(BEST, differences, strict=False)]


def test_a_trial_that_is_worse_in_every_fold_by_much_the_same_stops():
    # mean 0.0110, standard error 0.0010 / sqrt(3): 0.0110 - 2 * 0.0006 is above 0.001.
    assert is_clearly_worse(above(0.010, 0.011, 0.012), BEST, margin=0.001, folds=3)


def test_the_rule_is_the_mean_less_two_standard_errors_against_the_margin():
    differences = [0.002, 0.004, 0.009]
    bound = np.mean(differences) - 2 * np.std(differences, ddof=1) / math.sqrt(3)
    assert is_clearly_worse(above(*differences), BEST, margin=bound - 1e-9, folds=3)
    assert not is_clearly_worse(above(*differences), BEST, margin=bound + 1e-9, folds=3)


@pytest.mark.parametrize(
    ("differences", "why"),
    [
        ((0.05, 0.05), "fewer folds than must run"),
        ((-0.01, -0.01, -0.01), "better"),
        ((0.0005, 0.0005, 0.0005), "worse by less than the margin"),
        ((0.05, -0.04, 0.03), "worse in the mean, but not clearly"),
    ],
)
def test_other_trials_go_on(differences, why):
    assert not is_clearly_worse(above(*differences), BEST, margin=0.001, folds=3), why


def test_the_first_trial_has_nobody_to_lose_against():
    assert not is_clearly_worse([9.0, 9.0, 9.0], [], margin=0.001, folds=3)


def test_the_estimate_is_the_best_mean_plus_the_mean_difference():
    assert estimate(above(0.01, 0.02, 0.03), BEST) == pytest.approx(np.mean(BEST) + 0.02, abs=1e-12)
