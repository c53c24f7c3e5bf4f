"""Hydra's entry point: compose the config, turn it into plain objects, run the stage it names."""

import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from matchclf import callbacks, garbage, interrupts, launchers, result, shortcuts, targets, usage
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.errors import ConfigError, DuplicateError, MatchclfError, TrackingError
from matchclf.redaction import redact, refuse_secrets
from matchclf.stages import Scope, find_stage
from matchclf.tracking import runs

log = logging.getLogger(__name__)


def main() -> None:
    """Run one command line; the exit code tells what kind of problem stopped it."""
    interrupts.watch()
    launchers.quiet()
    sys.argv[0] = sys.argv[0].replace("__main__.py", "matchclf")
    sys.argv[1:] = usage.flags_first(sys.argv[1:])
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises, and the sentence is ours.
    try:
        refuse_secrets(sys.argv[1:])
        shortcuts.take()
        targets.guard()
        register_schema()
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(run)()
        _check_ended()
        result.tell(0)
    except MatchclfError as problem:
        _stop(problem)
    except MissingConfigException as problem:  # which is an OSError
        _stop(ConfigError(usage.explain(problem, sys.argv[1:], CONF)))
    except OSError as problem:
        _stop(MatchclfError(f"What Hydra keeps of a run cannot be written below {Path.cwd() / 'multirun'}: {problem}"))
    except Exception as problem:  # of Hydra or a launcher: what a stage raises is a MatchclfError by then
        lost = launchers.lost_worker(problem)
        if lost:
            interrupts.end_workers()
        _stop(lost or ConfigError(usage.explain(problem, sys.argv[1:], CONF)))
    finally:
        runs.finish_all(runs.KILLED, "The process ended before the run did.")


def run(config: DictConfig) -> float | None:
    """Run the stage of a composed config; a tracked one returns the log-loss to minimise."""
    garbage.begin()
    try:
        stage = find_stage(config.stage.name)
        work = import_module(stage.module).run
        if stage.scope is Scope.UNTRACKED:
            result.keep(work(to_plain(config)) or {})
            return None
        value: float = work(*callbacks.job_arguments())
    except DuplicateError as known:
        log.info("%s", known)
        return known.value
    except (MatchclfError, OmegaConfBaseException):
        log.debug("The stage stopped.", exc_info=True)
        raise
    except (Exception, SystemExit) as problem:
        log.debug("The stage stopped.", exc_info=True)
        if runs.is_store_problem(problem):
            raise TrackingError(f"The tracking store stopped answering: {problem}") from problem
        raise MatchclfError(f"Unexpected {runs.reason(problem)}. The log file has the traceback.") from problem
    return value


def _check_ended() -> None:
    # Hydra swallows what goes wrong in the callback that ends a run.
    if runs.open_runs():
        raise TrackingError(f"The tracking store did not take the end of the runs {', '.join(runs.open_runs())}.")


def _stop(problem: MatchclfError) -> NoReturn:
    runs.finish_all(runs.FAILED, runs.reason(problem))
    told = f"{redact(str(problem)).rstrip('.')}."
    print(f"Error: {told}", file=sys.stderr)
    result.tell(problem.exit_code, told)
    sys.exit(problem.exit_code)
