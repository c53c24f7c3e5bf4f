"""Every file a stage reads or writes, relative to the working folder."""

from pathlib import Path

RAW = Path("data/raw")
PROCESSED = Path("data/processed")
DATASET = PROCESSED / "dataset.parquet"
UPCOMING = PROCESSED / "upcoming.parquet"
FINDINGS = PROCESSED / "findings.csv"
SUMMARY = PROCESSED / "summary.md"
# Written last: what is described here is whole.
MANIFEST = PROCESSED / "manifest.json"

SPLITS = Path("data/splits")
TRAIN = SPLITS / "train.parquet"
TEST = SPLITS / "test.parquet"
FOLDS = SPLITS / "folds.parquet"
# Of the built-in league only.
TRUTH = SPLITS / "truth.parquet"

MODELS = Path("data/models")
RUN_ID = MODELS / "run_id.json"
FINAL_RUN_ID = MODELS / "final_run_id.json"
REGISTERED = MODELS / "registered_model.json"
PROMOTED = MODELS / "promoted_model.json"

AUDIT = Path("data/audit/report.txt")
REPRODUCTIONS = Path("data/reproductions")
REPORTS = Path("data/reports")

# What DVC shows and compares.
METRICS = Path("data/metrics")

STORE = Path("mlflow.db")
ARTIFACTS = Path("mlartifacts")
# Runs that wait for their server.
SPOOL = Path("data/spool")


def best_params(model: str) -> Path:
    """Where a search keeps the best parameters of a model."""
    return MODELS / f"{model}_best_params.json"
