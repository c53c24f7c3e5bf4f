"""Models in MLflow: stored in a format that runs no code when it is loaded, and read back by a list of known types."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from matchclf.errors import ModelError
from matchclf.files import digest
from matchclf.metrics import Proba
from matchclf.tracking import record
from matchclf.tracking.runs import Run
from matchclf.tracking.store import Store

FOLDER = "model"
FILE, DESCRIPTION = "model.skops", "MLmodel"
# Raw feature columns of some matches, and in the columns 0, 1, 2 what the model forecasts for them.
SAMPLE = "checks/model_sample.parquet"
DIGEST_TAG = "model.sha256"
# MLmodel names the module that loads the model, so a changed one can run code.
DIGESTS = {DIGEST_TAG: FILE, "model.mlmodel_sha256": DESCRIPTION}
# What a model may be made of beside the types that skops trusts by itself.
TRUSTED = [
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
]
# What MLmodel must say and what else it may: anything else could name code to run.
SAID = {
    "python_function.loader_module": "mlflow.sklearn",
    "python_function.model_path": FILE,
    "python_function.predict_fn": "predict_proba",
    "sklearn.pickled_model": FILE,
    "sklearn.serialization_format": "skops",
    "sklearn.code": None,
}
TYPES = "sklearn.skops_trusted_types"
MAY_BE_SAID = {"python_function.env", "python_function.python_version", "sklearn.sklearn_version", TYPES}
REQUIRED = ("scikit-learn", "skops", "xgboost", "pandas", "numpy")
EXAMPLE_ROWS = 3
MAX_TOLD = 200


def keep_model(run: Run, model: Any, sample: pd.DataFrame, proba: Proba) -> None:
    """Store a fitted model as the artifact ``model/`` and prove that it loads.

    ``sample`` has raw feature columns and ``proba``, shape (len(sample), 3), what the model forecasts for it: a fresh
    process must find the same through pyfunc and through sklearn. Raises ModelError.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _save(run, model, sample, proba, folder / FOLDER)
        run.store.client.log_artifacts(run.id, str(folder / FOLDER), FOLDER)
        record.record(run, tags={tag: digest(folder / FOLDER / name, "sha256") for tag, name in DIGESTS.items()})
        expected = pd.DataFrame(proba, sample.index, list("012"))
        record.keep_table(run, sample.join(expected), SAMPLE)
        verify(run.store, run.id, Path(run.store.client.download_artifacts(run.id, SAMPLE, name)))


def verify(store: Store, run_id: str, sample: Path) -> None:
    """Load a run's model in a fresh process and compare its forecasts with the sample's.

    The process sees the files that have a digest and no other. Raises ModelError, as ``load_model`` does.
    """
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("MLFLOW_RUN_ID", None)
    with tempfile.TemporaryDirectory() as folder:
        model = _fetch_checked(store, run_id, folder)
        command = [sys.executable, "-m", "matchclf.tracking.verify", str(model), str(sample)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        told = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise ModelError(f"The model of run {run_id} does not load back in a fresh process: {told[0]}.")


def fetch(store: Store, run_id: str, path: str, folder: str) -> Path:
    """Download an artifact of a run into a folder; raises ModelError when it cannot be read."""
    from mlflow.exceptions import MlflowException

    try:
        return Path(store.client.download_artifacts(run_id, path, folder))
    except (MlflowException, OSError) as problem:
        raise ModelError(f"The artifact {path} of run {run_id} cannot be read: {problem}") from problem


def load_model(store: Store, run_id: str) -> Any:
    """The model of a run as an sklearn estimator, its bytes checked against the run's tags before they are parsed.

    Raises ModelError when it is missing, altered, of another format, or made of types that are not on the list.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    with tempfile.TemporaryDirectory() as folder:
        model = _fetch_checked(store, run_id, folder)
        try:
            return skops.io.load(model / FILE, trusted=TRUSTED)
        except UntrustedTypesFoundException as problem:
            raise ModelError(f"The model of run {run_id} holds types that are not trusted: {problem}.") from problem
        except Exception as problem:  # whatever a damaged file leads the parser to
            raise ModelError(
                f"The model of run {run_id} cannot be parsed: {type(problem).__name__}: {problem}."
            ) from problem


def _fetch_checked(store: Store, run_id: str, folder: str) -> Path:
    """Download the files of a model that have a digest; raises ModelError for another digest or another format."""
    tags = store.client.get_run(run_id).data.tags
    paths = {tag: fetch(store, run_id, f"{FOLDER}/{name}", folder) for tag, name in DIGESTS.items()}
    for tag, path in paths.items():
        if (found := digest(path, "sha256")) != tags.get(tag):
            raise ModelError(
                f"The model of run {run_id} was altered: the SHA-256 of {path.name} is {found}, expected "
                f"{tags.get(tag, 'none')}."
            )
    model = paths[DIGEST_TAG].parent
    _check_description(run_id, model / DESCRIPTION)
    return model


def _check_description(run_id: str, path: Path) -> None:
    try:
        flavors = yaml.safe_load(path.read_text(encoding="utf-8"))["flavors"]
        said = {f"{name}.{key}": value for name, values in flavors.items() for key, value in values.items()}
        unknown = sorted(set(said.get(TYPES, ())) - set(TRUSTED))
    except Exception as problem:  # whatever an edited file leads to
        raise ModelError(
            f"The model of run {run_id} cannot be trusted: its {DESCRIPTION} is none ({type(problem).__name__})."
        ) from problem
    other = sorted(
        key for key in (said.keys() | SAID.keys()) - MAY_BE_SAID if key not in SAID or said.get(key, "") != SAID[key]
    )
    if other or unknown:
        raise ModelError(
            f"The model of run {run_id} cannot be trusted: its {DESCRIPTION} differs from ours in "
            f"{', '.join([*other, *unknown])[:MAX_TOLD]}; expected a model in skops that mlflow.sklearn loads."
        )


def _save(run: Run, model: Any, sample: pd.DataFrame, proba: Proba, folder: Path) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, infer_signature
    from mlflow.sklearn import save_model

    raw = sample.astype(np.float64)
    try:
        save_model(
            model,
            folder,
            mlflow_model=Model(artifact_path=FOLDER, run_id=run.id),
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            signature=infer_signature(raw, proba),
            input_example=raw.head(EXAMPLE_ROWS),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIRED],
            pyfunc_predict_fn="predict_proba",
        )
    except MlflowException as problem:
        raise ModelError(f"The model cannot be stored without running code when it is loaded: {problem}.") from problem
