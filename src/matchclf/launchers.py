"""HYDRA's launchers: how many jobs share the cores of a machine, and what is said of a worker that was lost."""

from __future__ import annotations

import math
import os
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from matchclf import threads
from matchclf.errors import MatchclfError
from matchclf.stages import Scope, find_stage

TOOLS = ("joblib", "ray", "submitit")
# Below the folder of a sweep.
PLACES = ".places"
# A Ray that is started here is for this machine: it listens on loopback, as Ray does by itself on macOS. Its lines are
# shown as they come, or those of two jobs that say the same would be shown once.
RAY_HERE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


def quiet() -> None:
    """Nothing is reported to the makers of Ray; to be called before Ray is loaded."""
    for name, value in RAY.items():
        os.environ.setdefault(name, value)


def prepare(config: DictConfig) -> int:
    """Keep a Ray that is about to be started on loopback; returns how many jobs the launcher gets at a time."""
    if _kind(config) == "RayLauncher" and not _ray_is_there(config):
        _keep_on_loopback(config)
    if find_stage(config.stage.name).scope is Scope.SEARCH:
        return int(config.tuning.n_jobs)
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    swept = [one for one in parser.parse_overrides(list(config.hydra.overrides.task)) if one.is_sweep_override()]
    return math.prod(sum(1 for _ in one.sweep_string_iterator()) for one in swept)


def take_share(config: DictConfig, jobs: int) -> None:
    """Take this job's share of the cores; where more jobs were started than there are cores, wait for it.

    ``jobs`` is how many the launcher got at a time.
    """
    jobs_here = at_once(config, jobs)
    threads.share(jobs_here)
    if jobs > 1 and _kind(config) in ("JoblibLauncher", "LocalLauncher"):
        threads.take_place(Path(config.hydra.sweep.dir) / PLACES, jobs_here)


def lost_worker(problem: Exception) -> MatchclfError | None:
    """What to say when a launcher, rather than a job, raised; None for anything else."""
    if type(problem).__module__.partition(".")[0] not in TOOLS:
        return None
    return MatchclfError(
        f"A worker process ended before its job did ({type(problem).__name__}): it was killed, perhaps for want of "
        "memory. Its run ends as FAILED; the same command goes on with a search"
    )


def at_once(config: DictConfig, jobs: int) -> int:
    """Of ``jobs`` that are launched together, how many work on one machine at a time, at most one a core."""
    launcher, total = config.hydra.launcher, int(config.workers) or threads.cores()
    match _kind(config):
        case "JoblibLauncher":
            return min(jobs, total, _joblib(launcher.n_jobs, total))
        case "LocalLauncher":
            return min(jobs, total)
        case "RayLauncher":  # which starts no more than its cores allow, also when others use them
            return max(1, total // max(1, int(launcher.ray.remote.get("num_cpus") or 1)))
        case _:  # one after the other, or on Slurm, where each has cores of its own
            return 1


def _joblib(number: int, total: int) -> int:
    """What joblib takes from a negative number: -1 all cores, -2 all but one."""
    return number if number > 0 else max(1, total + 1 + number)


def _keep_on_loopback(config: DictConfig) -> None:
    for name, value in RAY_HERE.items():
        os.environ.setdefault(name, value)
    # Nobody looks at its dashboard.
    with read_write(config), open_dict(config):
        config.hydra.launcher.ray.init.setdefault("include_dashboard", False)


def _ray_is_there(config: DictConfig) -> bool:
    return "RAY_ADDRESS" in os.environ or config.hydra.launcher.ray.init.get("address") is not None


def _kind(config: DictConfig) -> str:
    return str(OmegaConf.select(config, "hydra.launcher._target_")).rpartition(".")[2]
