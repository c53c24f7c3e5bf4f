import optuna
import pytest
from optuna.distributions import LogUniformDistribution, UniformDistribution

from matchclf.search import RepeatableTPE, remember
from matchclf.stages.sweep import Trial

SPACE = {"models.xgb.estimator.subsample": UniformDistribution(0.5, 1.0), "c": LogUniformDistribution(1e-4, 10)}


def score(params):
    return (params["models.xgb.estimator.subsample"] - 0.8) ** 2 + params["c"]


def study_of(trials):
    study = optuna.create_study(sampler=RepeatableTPE(seed=1))
    remember(study, trials, SPACE)
    return study


def ask(study, times):
    for _ in range(times):
        trial = study.ask(SPACE)
        study.tell(trial, score(trial.params))
    return [trial.params for trial in study.trials]


def test_a_resumed_search_proposes_what_it_would_have_proposed():
    whole = study_of([])
    points = ask(whole, 25)
    for cut in (1, 7, 18):
        stored = [Trial(n, {k: repr(v) for k, v in points[n].items()}, score(points[n])) for n in range(cut)]
        resumed = study_of(stored)
        assert ask(resumed, 25 - cut) == points


def test_no_point_is_proposed_twice():
    points = ask(study_of([]), 40)
    assert len({tuple(point.values()) for point in points}) == 40


def test_another_seed_proposes_other_points():
    one, other = optuna.create_study(sampler=RepeatableTPE(seed=1)), optuna.create_study(sampler=RepeatableTPE(seed=2))
    assert ask(one, 1) != ask(other, 1)


def point(value):
    return {"models.xgb.estimator.subsample": repr(value), "c": repr(value)}


def test_an_interrupted_trial_leaves_its_number_empty():
    study = study_of([Trial(0, point(0.6), 1.0), Trial(2, point(0.7), 0.5), Trial(3, point(0.8), None)])
    assert [(trial.number, trial.state.name, trial.value) for trial in study.trials] == [
        (0, "COMPLETE", 1.0),
        (1, "FAIL", None),
        (2, "COMPLETE", 0.5),
        (3, "FAIL", None),
    ]


def test_nothing_to_remember_is_a_new_study():
    assert study_of([]).trials == []


@pytest.mark.parametrize("value", [0.6, 2 / 3, 0.7000000000000001])
def test_a_parameter_comes_back_bit_for_bit(value):
    (trial,) = study_of([Trial(0, point(value), 1.0)]).trials
    assert trial.params == {"models.xgb.estimator.subsample": value, "c": value}
