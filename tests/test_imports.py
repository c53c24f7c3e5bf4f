"""What a run does not need it does not import."""

import subprocess
import sys

import program

HEAVY = {"boto3", "botocore", "matplotlib", "mlflow", "numpy", "optuna", "pandas", "sklearn", "xgboost"}


def imported(*arguments, cwd):
    """Those of ``HEAVY`` that a command imports."""
    command = [sys.executable, "-X", "importtime", "-m", "matchclf", *arguments]
    done = subprocess.run(command, cwd=cwd, env=program.environment(), capture_output=True, text=True, check=False)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "matchclf.app" in modules, done
    return HEAVY & modules


def test_help_a_shown_config_and_a_wrong_override_import_no_library_of_the_work(tmp_path):
    assert imported("--help", cwd=tmp_path) == set()
    assert imported("--cfg", "job", cwd=tmp_path) == set()
    assert imported("nope=1", cwd=tmp_path) == set()


def test_a_run_without_xgb_a_search_a_bucket_or_plots_imports_none_of_their_libraries(tmp_path):
    command = [*program.TINY, "experiment=smoke", "stage=train_eval", program.TWO]
    assert imported(*command, cwd=tmp_path) == {"mlflow", "numpy", "pandas", "sklearn"}
