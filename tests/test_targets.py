"""Hydra's list of what is forbidden lets most of these through; ours is a list of what is allowed."""

import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import program
from matchclf import targets
from matchclf.compose import CONF, register_schema
from matchclf.errors import ConfigError

FORBIDDEN = [
    "os.system",
    "os.popen",
    "os.remove",
    "os.execv",
    "os.spawnl",
    "posix.system",
    "subprocess.run",
    "subprocess.Popen",
    "subprocess.check_output",
    "builtins.eval",
    "builtins.exec",
    "builtins.compile",
    "builtins.open",
    "builtins.__import__",
    "builtins.getattr",
    "pickle.loads",
    "pickle.load",
    "_pickle.loads",
    "dill.loads",
    "cloudpickle.loads",
    "joblib.load",
    "marshal.loads",
    "shelve.open",
    "pandas.read_pickle",
    "pandas.eval",
    "pandas.read_csv",
    "numpy.load",
    "numpy.memmap",
    "torch.load",
    "mlflow.pyfunc.load_model",
    "mlflow.sklearn.load_model",
    "mlflow.xgboost.load_model",
    "mlflow.start_run",
    "mlflow.run",
    "importlib.import_module",
    "runpy.run_path",
    "runpy.run_module",
    "code.interact",
    "pdb.run",
    "timeit.timeit",
    "ctypes.CDLL",
    "shutil.rmtree",
    "shutil.move",
    "pathlib.Path",
    "tempfile.mkdtemp",
    "webbrowser.open",
    "antigravity.geohash",
    "socket.socket",
    "urllib.request.urlopen",
    "http.client.HTTPConnection",
    "smtplib.SMTP",
    "requests.get",
    "ftplib.FTP",
    "logging.config.dictConfig",
    "logging.config.fileConfig",
    "logging.handlers.HTTPHandler",
    "logging.handlers.SocketHandler",
    "functools.partial",
    "operator.methodcaller",
    "types.FunctionType",
    "hydra.utils.instantiate",
    "hydra.utils.get_method",
    "hydra_plugins.evil.Launcher",
    "matchclf.files.write_json",
    "matchclf.callbacks",
    "matchclf.search.RepeatableTPE.x",
    "optuna.samplers",
    "optuna.samplers.os.system",
    "sklearn.base.clone",
    "sklearn.utils._joblib.joblib.load",
    "xgboost.os.system",
]
PLACES = [
    "+hydra.callbacks.x={{_target_: {}}}",
    "+anything._target_={}",
    "models.logreg.estimator._target_={}",
    "hydra.launcher._target_={}",
    "hydra.sweeper._target_={}",
]


@pytest.fixture(scope="module")
def composed():
    """Compose the config of a command line as the program does."""
    targets.guard()
    register_schema()

    def of(*overrides):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", [*overrides], return_hydra_config=True)

    of("model=logreg")  # whatever this imports is not imported by what follows
    return of


def test_there_are_sixty_of_them():
    assert len(set(FORBIDDEN)) >= 60


@pytest.mark.parametrize(("number", "target"), list(enumerate(FORBIDDEN)))
def test_a_target_that_is_not_on_the_list_is_refused_unimported(composed, number, target):
    before = set(sys.modules)
    with pytest.raises(ConfigError, match="is refused") as problem:
        composed("model=logreg", PLACES[number % len(PLACES)].format(target))
    assert f"_target_={target}" in str(problem.value)
    assert set(sys.modules) == before


@pytest.mark.parametrize("target", FORBIDDEN)
def test_the_same_from_a_file(target):
    config = OmegaConf.create({"hydra": {"launcher": {"x": [{"_target_": target}]}}})
    with pytest.raises(ConfigError, match=r"^hydra\.launcher\.x\.0\._target_="):
        targets.check_targets(config)


@pytest.mark.parametrize(
    "override",
    [
        "hydra.job_logging.handlers.console.class=os.system",
        "hydra.job_logging.handlers.console.stream=ext://os.environ",
        "hydra.hydra_logging.handlers.console.stream=cfg://root",
        "hydra.launcher=${oc.create:x}",
        "+hydra.callbacks.x=${oc.decode:x}",
    ],
)
def test_logging_and_texts_that_become_nodes_are_no_way_around(composed, override):
    with pytest.raises(ConfigError, match="is refused"):
        composed(override)


@pytest.mark.parametrize("key", ["()", "class", "factory"])
def test_a_logging_config_builds_nothing_but_handlers_and_formatters(key):
    config = OmegaConf.create({"hydra": {"job_logging": {"formatters": {"x": {key: "os.system"}}}}})
    with pytest.raises(ConfigError, match=r"^hydra\.job_logging\.formatters\.x\..*=os\.system is refused"):
        targets.check_targets(config)


def test_what_hydra_and_the_project_need_is_allowed(composed):
    for override in ("stage=tuning", "hydra/launcher=joblib", "hydra/job_logging=disabled", "hydra/sweeper=optuna"):
        composed(override)
    composed("stage=tuning", "hydra/sweeper/sampler=random")


def test_settings_of_hydra_cannot_be_swept_over(composed):
    with pytest.raises(ConfigError, match=r"^hydra\.verbose=true,false is refused"):
        composed("hydra.verbose=true,false")


WATCH = """
import os, sys

def watch(event, arguments):
    if event == "import" and arguments[0] == "evil":
        with open(os.environ["EVIL"], "a") as out:
            out.write("imported")

sys.addaudithook(watch)
"""


def test_the_program_refuses_with_a_sentence_before_anything_is_imported_or_written(tmp_path):
    conf = tmp_path / "conf" / "hydra" / "launcher"
    conf.mkdir(parents=True)
    (conf / "evil.yaml").write_text("_target_: evil.Launcher\n")
    hook = program.hooked(tmp_path / "hook", WATCH, EVIL=str(tmp_path / "evil"))
    work = tmp_path / "work"
    work.mkdir()
    command = ["--multirun", f"--config-dir={tmp_path / 'conf'}", "hydra/launcher=evil", "stage=ablation", "seed=1,2"]
    done = program.run(*command, cwd=work, **hook)
    assert done.code == 2, done
    assert done.err.splitlines() == [
        "Error: hydra.launcher._target_=evil.Launcher is refused: matchclf builds no such class."
    ]
    assert list(work.iterdir()) == []
    assert not (tmp_path / "evil").exists()
