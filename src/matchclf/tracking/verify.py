"""Run as a fresh process: check that a stored model loads through pyfunc and sklearn and forecasts what it should."""

import sys
from pathlib import Path

import numpy as np

from matchclf.files import read_parquet

TOLERANCE = 1e-5


def main(model: str, sample: str) -> None:
    """Compare the forecasts of the model in a folder with those in the columns 0, 1, 2 of a Parquet file."""
    import mlflow.pyfunc
    import mlflow.sklearn

    rows = read_parquet(Path(sample))
    features, expected = rows.drop(columns=list("012")), rows[list("012")].to_numpy()
    found = {
        "pyfunc": mlflow.pyfunc.load_model(model).predict(features),
        "sklearn": mlflow.sklearn.load_model(model).predict_proba(features),
    }
    for how, proba in found.items():
        gap = float(np.abs(np.asarray(proba) - expected).max())
        if not gap < TOLERANCE:
            sys.exit(f"through {how} it forecasts up to {gap:.2g} away from what it should")


if __name__ == "__main__":
    main(*sys.argv[1:])
