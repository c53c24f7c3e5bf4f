"""OPTUNA: the sampler, and Hydra's sweeper set up to go on where an interrupted sweep stopped."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra_plugins.hydra_optuna_sweeper._impl import create_params_from_overrides
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from matchclf import callbacks
from matchclf.errors import ModelError
from matchclf.identity import short_hash
from matchclf.stages.sweep import Sweep, conclude, keep_best
from matchclf.stages.trials import Trial

log = logging.getLogger("matchclf.search")
STUDY = "tuning"


class RepeatableTPE(BaseSampler):
    """Tree-structured Parzen estimator (Bergstra et al. 2011) seeded anew for each trial and parameter.

    A sampler with one stream of random numbers would propose the same points again when a sweep is resumed. This one
    proposes for a trial's number what it would have proposed without the interruption.
    """

    def __init__(self, seed: int, **settings: Any) -> None:
        self._seed = seed
        self._settings = settings

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """No parameters are sampled together."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """No parameters are sampled together."""
        return {}

    def sample_independent(self, study: Study, trial: FrozenTrial, name: str, space: BaseDistribution) -> Any:
        """A value of one parameter for one trial."""
        seed = int(short_hash([self._seed, trial.number, name]), 16) % 2**32
        return TPESampler(seed=seed, **self._settings).sample_independent(study, trial, name, space)


class WatchedLauncher:
    """A launcher that tells of each trial, keeps the best so far, and stops when too many have failed."""

    def __init__(self, launcher: Launcher, sweep: Sweep, trials: int) -> None:
        self._launcher = launcher
        self._sweep = sweep
        self._to_go = trials
        self._failures = 0
        self._seconds: list[float] = []

    def launch(self, overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch a batch of trials."""
        began = time.perf_counter()
        done = self._launcher.launch(overrides, initial_job_idx=initial_job_idx)
        self._seconds.append(time.perf_counter() - began)
        self._to_go -= len(done)
        self._failures += sum(one.status is not JobStatus.COMPLETED for one in done)
        left = self._to_go * sum(self._seconds) / len(self._seconds) / len(done)
        log.info("%s; %d to go, about %.0f s", keep_best(self._sweep), self._to_go, left)
        budget = self._sweep.config.tuning.max_failures
        if self._failures > budget:
            raise ModelError(
                f"{self._failures} trials failed, more than tuning.max_failures={budget}; the sweep stops."
            )
        return done


def sweep(impl: Any, arguments: list[str]) -> None:
    """Search until the budget of trials is used up, counting those that an interrupted sweep has finished.

    ``impl`` is the implementation behind Hydra's OptunaSweeper. It is set up to go on: a study in memory that knows the
    trials that ended, the number of the next one, and how many remain.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    ours = callbacks.open_sweep()
    impl.params = ours.space
    impl.storage, impl.study_name = optuna.storages.InMemoryStorage(), STUDY
    space, _ = create_params_from_overrides([*impl._parse_sweeper_params_config(), *arguments])
    study = optuna.create_study(storage=impl.storage, study_name=STUDY, direction="minimize")
    remember(study, ours.trials, space)
    impl.job_idx = len(study.trials)
    impl.n_trials = max(0, ours.config.tuning.n_trials - len(ours.trials))
    impl.launcher = WatchedLauncher(impl.launcher, ours, impl.n_trials)
    if impl.n_trials:
        impl.sweep(arguments)
    conclude(ours)


def remember(study: Study, trials: list[Trial], space: dict[str, BaseDistribution]) -> None:
    """Add trials that ended to a new study, each under the number it had.

    A number whose trial was interrupted becomes a failed trial, so that what follows is proposed as it would have been.
    """
    by_number = {trial.number: trial for trial in trials}
    with warnings.catch_warnings():
        # Marked experimental in Optuna 2, and unchanged in Optuna 3.
        warnings.simplefilter("ignore", ExperimentalWarning)
        for number in range(max(by_number, default=-1) + 1):
            study.add_trial(_known(by_number.get(number, Trial(number, {}, None)), space))


def _known(trial: Trial, space: dict[str, BaseDistribution]) -> Any:
    if trial.value is None:
        return create_trial(state=TrialState.FAIL)
    params = {name: space[name].to_external_repr(float(trial.params[name])) for name in space}
    return create_trial(params=params, distributions=space, value=trial.value)
