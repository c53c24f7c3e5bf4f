"""When a trial may stop before its last fold: its first folds leave no hope that it beats the best trial by enough."""

import math
from collections.abc import Sequence

import numpy as np

STANDARD_ERRORS = 2
# When less than this share of the folds remains, their scores are worth more than the time they take.
WORTH_STOPPING = 0.25


def is_hopeless(scores: Sequence[float], best: Sequence[float], gain: float, folds: int) -> bool:
    """Whether a trial with these scores of its first folds may stop.

    Compared fold by fold with the best trial so far, after ``folds`` folds or more: even twice its standard error below
    what it is, the mean difference would be no gain of ``gain``. Lower scores are better. Never true where the best
    trial's fold is unknown, nor shortly before the end.
    """
    known = min(len(scores), len(best))
    if known < max(folds, 2) or known < len(scores) or len(best) - known < WORTH_STOPPING * len(best):
        return False
    difference = np.subtract(scores, best[:known])
    standard_error = difference.std(ddof=1) / math.sqrt(known)
    return bool(difference.mean() - STANDARD_ERRORS * standard_error > -gain)


def estimate(scores: Sequence[float], best: Sequence[float]) -> float:
    """Mean over all folds that a stopped trial would have had: the best trial's, plus the mean paired difference."""
    return float(np.mean(best) + np.mean(np.subtract(scores, best[: len(scores)])))
