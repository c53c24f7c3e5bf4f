"""XGBoost's quantised matrices, made once for the same numbers and shared by the trials of a process.

A trial differs from the next in its settings, not in what it learns from. Trees grown on a shared matrix are the same
bit for bit as those grown on one of its own.
"""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline
from xgboost import DMatrix, XGBClassifier

from matchclf.lineage.digests import array_digest, table_digest

# Folds whose matrices a process holds; of 229,000 matches and 120 features each takes some 80 MB.
KEPT = 16
_made: dict[str, DMatrix] = {}
_lock = threading.Lock()


class SharingClassifier(XGBClassifier):
    """An XGBClassifier that takes the matrix of an earlier fit on the same numbers where there is one."""

    def _create_dmatrix(self, ref: DMatrix | None, **given: Any) -> DMatrix:
        key = self._key(**given)
        with _lock:
            matrix = _made.pop(key, None)
        if matrix is None:
            matrix = super()._create_dmatrix(ref, **given)
        if key:
            with _lock:
                _made[key] = matrix
                for oldest in list(_made)[:-KEPT]:
                    del _made[oldest]
        return matrix

    def _key(self, data: Any, label: Any, **more: Any) -> str:
        """What a matrix is made of; empty where weights or a form of data are given that trials do not have."""
        if not isinstance(data, pd.DataFrame) or not all(isinstance(one, float | bool | None) for one in more.values()):
            return ""
        settings = [self.max_bin, self.tree_method, self.device, self.booster, self.n_jobs, *sorted(more.items())]
        return f"{settings} {table_digest(data)} {array_digest(label)}"


def sharing(pipeline: Pipeline) -> Pipeline:
    """The same pipeline, unfitted, whose last step, an XGBClassifier, shares its matrices."""
    *before, (name, model) = pipeline.steps
    return Pipeline([*before, (name, SharingClassifier(**model.get_params()))])
