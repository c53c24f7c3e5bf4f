"""Import the usual libraries and fit one logistic regression: ``python first_fit.py TABLE [STORE]``.

With a store the fit is logged there, by fluent calls.
"""

import sys

import hydra  # noqa: F401 imported, as an app on Hydra does
import mlflow
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "outcome_1x2"

table = pd.read_parquet(sys.argv[1])
columns = table.columns[table.columns.get_loc(TARGET) + 1 :]
train, valid = table[table["date"] < "2023"].tail(100), table[table["date"] >= "2023"]
imputer = SimpleImputer(strategy="median", keep_empty_features=True)
model = make_pipeline(imputer, StandardScaler(), LogisticRegression(C=0.01, max_iter=500))


def fit() -> None:
    model.fit(train[columns], train[TARGET])
    print("fitted", flush=True)


if len(sys.argv) == 2:
    fit()
else:
    mlflow.set_tracking_uri(sys.argv[2])
    mlflow.set_experiment("stock")
    with mlflow.start_run():
        fit()
        mlflow.log_params({"C": 0.01, "max_iter": 500})
        mlflow.log_metric("logloss", log_loss(valid[TARGET], model.predict_proba(valid[columns])))
