"""A search as it is usually written: Optuna, a Pipeline over the folds, fluent logging, two threads a fit.

``python tuning.py TABLE COLUMNS STORE TRIALS YEARS THREADS SHARE POINTS`` prints each trial and the best log-loss.
POINTS is a JSON file with the settings of the first trials; the sampler chooses the others.
"""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import optuna
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

TARGET = "outcome_1x2"
table, columns = pd.read_parquet(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
trials, years, threads = int(sys.argv[4]), json.loads(sys.argv[5]), int(sys.argv[6])
share, given = float(sys.argv[7]), sys.argv[8]


def folds():
    year = table["date"].dt.year.to_numpy()
    for one in years:
        train = np.flatnonzero(year < one)
        yield table.iloc[train[-int(np.ceil(share * len(train))) :]], table[year == one]


def space(trial: optuna.Trial) -> dict:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 600, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 7),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 300, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 100, log=True),
    }


def objective(trial: optuna.Trial) -> float:
    params, scores = space(trial), []
    with mlflow.start_run(run_name=f"trial {trial.number}", nested=True):
        mlflow.log_params(params)
        for step, (train, valid) in enumerate(folds()):
            model = make_pipeline(XGBClassifier(**params, tree_method="hist", n_jobs=threads, random_state=1))
            model.fit(train[columns], train[TARGET])
            scores.append(log_loss(valid[TARGET], model.predict_proba(valid[columns])))
            mlflow.log_metric("logloss", scores[-1], step=step)
        mlflow.log_metric("logloss_mean", np.mean(scores))
    print(f"trial {trial.number} {np.mean(scores):.5f}", flush=True)
    return float(np.mean(scores))


optuna.logging.set_verbosity(optuna.logging.WARNING)
mlflow.set_tracking_uri(sys.argv[3])
mlflow.set_experiment("stock")
with mlflow.start_run(run_name="search"):
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    for point in json.loads(Path(given).read_text()):
        study.enqueue_trial(point)
    study.optimize(objective, n_trials=trials)
    mlflow.log_params({f"best_{name}": value for name, value in study.best_params.items()})
print(f"best {study.best_value}")
