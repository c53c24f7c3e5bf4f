"""Calibrate a model on a temporal slice: the latest training matches, forecast by a model that has not seen them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.folds import check_classes
from matchclf.metrics import Labels

if TYPE_CHECKING:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.pipeline import Pipeline

log = logging.getLogger(__name__)
# With fewer matches in the slice a method would learn noise, so the next one in the list is taken instead.
MINIMUM = {"isotonic": 1000, "sigmoid": 100, "temperature": 100, "none": 0}
INSTEAD = {"isotonic": "sigmoid", "sigmoid": "none", "temperature": "none"}


@dataclass(frozen=True)
class Calibrated:
    """A pipeline fitted on all training matches, the same with calibrated probabilities, and how that was done."""

    raw: Pipeline
    model: Any
    method: str
    rows: int


def choose_method(method: str, rows: int) -> str:
    """The method asked for, or a simpler one where the slice has too few matches for it.

    >>> choose_method("isotonic", 1000), choose_method("isotonic", 999), choose_method("isotonic", 20)
    ('isotonic', 'sigmoid', 'none')
    """
    while rows < MINIMUM[method]:
        log.warning(
            "calibrate  %s needs %d matches, the slice has %d: %s instead",
            method,
            MINIMUM[method],
            rows,
            INSTEAD[method],
        )
        method = INSTEAD[method]
    return method


def fit_calibrated(
    pipeline: Pipeline, features: pd.DataFrame, target: Labels, dates: pd.Series, method: str, share: float
) -> Calibrated:
    """Fit on all matches, and calibrate on the latest ``share`` of them.

    A clone fitted on the matches before the slice forecasts the slice; the calibrator learns from those forecasts
    and is put behind the pipeline fitted on all matches. ``dates`` must be sorted; no day is on both sides. Raises
    DataError when an outcome is missing before the slice.
    """
    from sklearn.base import clone
    from sklearn.calibration import CalibratedClassifierCV

    raw = clone(pipeline).fit(features, target)
    begin = _first_row(dates, share)
    rows = len(target) - begin
    method = choose_method(method, rows)
    if method == "none":
        return Calibrated(raw, raw, method, 0)
    check_classes(target[:begin], "The part before the calibration slice")
    parts = [(np.arange(begin), np.arange(begin, len(target)))]
    calibrated = CalibratedClassifierCV(clone(pipeline), method=method, cv=parts).fit(features, target)
    fitted = calibrated.calibrated_classifiers_[0]
    if method == "isotonic":
        forecast = fitted.estimator.predict_proba(features.iloc[begin:])
        fitted.calibrators = [_within(*one) for one in zip(fitted.calibrators, forecast.T, strict=True)]
    fitted.estimator = raw
    return Calibrated(raw, calibrated.set_params(cv=None), method, rows)  # row numbers are not stored with the model


def _within(steps: IsotonicRegression, forecast: NDArray[np.float64]) -> IsotonicRegression:
    """The same steps, but never beyond the forecasts they were learned from.

    The lowest step is often 0, since a few matches had no such outcome; one that has it later costs a log-loss of 36.
    """
    from sklearn.isotonic import IsotonicRegression

    limits = {"y_min": float(forecast.min()), "y_max": float(forecast.max())}
    return IsotonicRegression(out_of_bounds="clip", **limits).fit(steps.X_thresholds_, steps.y_thresholds_)


def _first_row(dates: pd.Series, share: float) -> int:
    """First row of the day in which the latest ``share`` of the rows begins."""
    row = min(len(dates) - 1, round(len(dates) * (1 - share)))
    return int(dates.searchsorted(dates.iloc[row]))
