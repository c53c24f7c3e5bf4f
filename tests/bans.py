"""What our own code never calls, found in its syntax tree, and the few files that may."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Ban:
    """Dotted names, and names of methods whatever they are called on, that only files below ``allowed`` may use."""

    why: str
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


FLUENT = ("start_run", "end_run", "active_run", "set_experiment", "set_tracking_uri", "set_registry_uri", "autolog")
FLUENT += ("set_tag", "set_tags", "set_experiment_tag", "set_experiment_tags", "delete_tag", "create_experiment")
FLUENT += ("log_param", "log_params", "log_metric", "log_metrics", "log_artifact", "log_artifacts", "log_dict")
FLUENT += ("log_text", "log_figure", "log_image", "log_table", "log_input", "log_inputs", "log_model", "register_model")
PICKLES = ("pickle", "cPickle", "_pickle", "cloudpickle", "dill", "marshal", "shelve", "torch")
CLIENTS = ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "ftplib", "smtplib")
LOADERS = ("load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all")
RESOLVING = "to_container(resolve=True)"
RUNS = tuple(f"src/matchclf/tracking/{name}.py" for name in ("creation", "runs", "orphans", "spool"))
BANS = (
    Ban(
        "whoever can change the file runs code here; models are skops or XGBoost JSON",
        names=(*PICKLES, "joblib.load", "joblib.dump", "numpy.load", "pandas.read_pickle"),
        methods=("to_pickle", "read_pickle"),
    ),
    Ban("YAML that makes any object it names; yaml.safe_load does not", names=tuple(f"yaml.{one}" for one in LOADERS)),
    Ban("text that runs as code", names=("eval", "exec", "compile", "os.system", "os.popen", "subprocess.getoutput")),
    Ban("the fluent API keeps a hidden current run", names=tuple(f"mlflow.{one}" for one in FLUENT)),
    Ban(
        "runs start and end where their status is kept true",
        methods=("create_run", "set_terminated", "update_run"),
        allowed=RUNS,
    ),
    Ban("what is not written when a process dies is lost", names=("mlflow.config.enable_async_logging",)),
    Ban(
        "an interpolation may hold a secret of the environment; past composition a config is a dataclass",
        names=tuple(f"omegaconf.OmegaConf.{one}" for one in ("resolve", "to_object", RESOLVING)),
        allowed=("src/matchclf/compose.py",),
    ),
    Ban(
        "nothing but the tracking store and S3 is spoken to",
        names=(*CLIENTS, "socket.create_connection", "asyncio.open_connection"),
        allowed=("src/matchclf/data/s3/", "src/matchclf/tracking/"),
    ),
)


def offences(source: str, path: str) -> list[str]:
    """Each use of something banned in a source text that stands at ``path``: its line, name and why not."""
    tree = ast.parse(source)
    known = dict(_imported(tree))
    found = [one for node in ast.walk(tree) for one in _uses(node, known)]
    here = [ban for ban in BANS if not path.startswith(ban.allowed or (" ",))]
    told = {(line, name, ban.why) for line, name in found for ban in here if _hit(name, ban)}
    return [f"{path}:{line}: {name}: {why}." for line, name, why in sorted(told)]


def _hit(name: str, ban: Ban) -> bool:
    called = name.rpartition(".")[2]
    return called in ban.methods or any(name == one or name.startswith(f"{one}.") for one in ban.names)


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name of this module that stands for another module or a part of one, with its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _uses(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        yield from ((node.lineno, one.name) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)
    elif isinstance(node, ast.Name | ast.Attribute):
        yield node.lineno, _dotted(node, known)
    elif isinstance(node, ast.Call):
        given = {one.arg: getattr(one.value, "value", None) for one in node.keywords}
        if given.get("shell", False) is not False:
            yield node.lineno, "os.system"
        if given.get("synchronous", True) is not True:
            yield node.lineno, "mlflow.config.enable_async_logging"
        if given.get("resolve", False) is not False:
            yield node.lineno, f"omegaconf.OmegaConf.{RESOLVING}"


def _dotted(node: ast.expr, known: dict[str, str]) -> str:
    """The full name of what an expression names; the part before the last dot is ``?`` where it is a value."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, known)}.{node.attr}"
    return "?"
