import subprocess
import sys

import program

ASK = """
import os, sys
import matchclf.app, matchclf.replay
print([name for name in ("numpy", "pandas", "sklearn", "mlflow", "optuna", "boto3") if name in sys.modules])
print(*(os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")))
"""


def told(**environment):
    clear = {name: value for name, value in program.environment().items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=clear | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_threads_are_bounded_before_any_library_that_reads_it_is_loaded_and_none_of_the_heavy_ones_is():
    assert told() == ["[]", "1 1 1"]


def test_what_the_environment_says_about_threads_stays():
    assert told(OMP_NUM_THREADS="2") == ["[]", "2 1 1"]
