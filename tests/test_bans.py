"""What our own code never calls."""

import pytest

import program
from bans import offences

PLACE = "src/matchclf/stages/new.py"
RESOLVING = "omegaconf.OmegaConf.to_container(resolve=True)"
PLANTED = {
    "import pickle": "pickle",
    "from pickle import loads": "pickle.loads",
    "import cloudpickle as cp": "cloudpickle",
    "import dill": "dill",
    "import joblib\njoblib.load('x')": "joblib.load",
    "from joblib import load": "joblib.load",
    "import pandas as pd\npd.read_pickle('x')": "pandas.read_pickle",
    "table.to_pickle('x')": "table.to_pickle",
    "import yaml\nyaml.load(text, yaml.Loader)": "yaml.load",
    "from yaml import unsafe_load as safe": "yaml.unsafe_load",
    "eval('1')": "eval",
    "run = exec": "exec",
    "import os\nos.system('ls')": "os.system",
    "import subprocess\nsubprocess.run('ls', shell=True)": "os.system",
    "import subprocess\nsubprocess.run('ls', shell=wanted)": "os.system",
    "import mlflow\nmlflow.start_run()": "mlflow.start_run",
    "from mlflow import set_tag": "mlflow.set_tag",
    "import mlflow.sklearn\nmlflow.log_metric('a', 1)": "mlflow.log_metric",
    "store.client.create_run('7')": "store.client.create_run",
    "end = client.set_terminated": "client.set_terminated",
    "client().update_run('7', status='RUNNING')": "?.update_run",
    "client.log_batch('7', synchronous=False)": "mlflow.config.enable_async_logging",
    "from omegaconf import OmegaConf\nOmegaConf.to_container(config, resolve=True)": RESOLVING,
    "import omegaconf\nomegaconf.OmegaConf.to_yaml(config, resolve=True)": RESOLVING,
    "from omegaconf import OmegaConf as O\nO.resolve(config)": "omegaconf.OmegaConf.resolve",
    "import omegaconf\nomegaconf.OmegaConf.to_object(config)": "omegaconf.OmegaConf.to_object",
    "import urllib.request": "urllib.request",
    "from urllib import request": "urllib.request",
    "import requests": "requests",
    "import socket\nsocket.create_connection(('h', 1))": "socket.create_connection",
}
FINE = """
import os, socket, subprocess, yaml
from urllib.parse import urlsplit
import mlflow
from mlflow import MlflowClient
yaml.safe_load(text)
evaluate(exec_time, compiled)
socket.gethostname()
subprocess.run(["ls"], shell=False)
MlflowClient().log_batch("7")
client.set_tag("7", "a", "b")
OmegaConf.to_container(config)
"""


def test_our_code_has_none_of_it():
    paths = sorted((program.ROOT / "src").rglob("*.py"))
    assert len(paths) > 80
    assert [one for path in paths for one in offences(path.read_text(), str(path.relative_to(program.ROOT)))] == []


@pytest.mark.parametrize(("planted", "name"), PLANTED.items())
def test_each_is_found_wherever_it_stands(planted, name):
    inside = "\n".join(["def use():", *(f"    {line}" for line in planted.splitlines())])
    for text in (planted, inside):
        assert [one.split(": ")[1] for one in offences(text, PLACE)][-1:] == [name]


def test_what_only_looks_like_it_is_not():
    assert offences(FINE, PLACE) == []


@pytest.mark.parametrize(
    ("planted", "path"),
    [
        ("client.create_run('7')", "src/matchclf/tracking/runs.py"),
        ("from omegaconf import OmegaConf\nOmegaConf.to_object(config)", "src/matchclf/compose.py"),
        ("import socket\nsocket.create_connection(('h', 1))", "src/matchclf/data/s3/connect.py"),
    ],
)
def test_the_one_place_of_each_may(planted, path):
    assert offences(planted, path) == []
    assert len(offences(planted, path.replace("src/matchclf/", "src/matchclf/stages/"))) == 1


def test_the_sentence_has_place_name_and_reason():
    (told,) = offences("\nclient.set_terminated('7')", PLACE)
    assert told == f"{PLACE}:2: client.set_terminated: runs start and end where their status is kept true."
