"""``xgboost.train`` for a list of settings, on matrices made before.

``python bare.py TABLE COLUMNS SETTINGS YEARS SHARE`` prints the seconds of fitting,
forecasting and scoring, on one thread.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

TARGET = "outcome_1x2"
table, columns = pd.read_parquet(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
settings, years, share = json.loads(Path(sys.argv[3]).read_text()), json.loads(sys.argv[4]), float(sys.argv[5])
FIXED = {"objective": "multi:softprob", "num_class": 3, "tree_method": "hist", "nthread": 1, "seed": 1}


def matrices(year: int) -> tuple[xgboost.DMatrix, xgboost.DMatrix, np.ndarray]:
    at = table["date"].dt.year.to_numpy()
    train = np.flatnonzero(at < year)
    train, valid = table.iloc[train[-int(np.ceil(share * len(train))) :]], table[at == year]
    fitted = xgboost.QuantileDMatrix(train[columns], train[TARGET], max_bin=256, nthread=1)
    return fitted, xgboost.DMatrix(valid[columns], nthread=1), valid[TARGET].to_numpy()


prepared = [matrices(year) for year in years]
began = time.perf_counter()
for one in settings:
    rounds = one["n_estimators"]
    params = FIXED | {name: value for name, value in one.items() if name != "n_estimators"}
    for train, valid, target in prepared:
        proba = xgboost.train(params, train, rounds).predict(valid)
        -np.log(proba[np.arange(len(target)), target]).mean()
print(time.perf_counter() - began)
