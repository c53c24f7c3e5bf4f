from typing import get_args

import pytest

from matchclf.features import parameters
from matchclf.features.parameters import Rule, one_of, some_of

NAN, INF = float("nan"), float("inf")
NEVER_A_NUMBER = [True, None, "1", [1], {}, NAN, INF, 10**400, 1_000_001]


def rule(kind: object) -> Rule:
    return get_args(kind)[1]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("Number", [0, -3, 2.5, 10**6], NEVER_A_NUMBER),
        ("Positive", [1, 0.1], [0, -1, *NEVER_A_NUMBER]),
        ("NotNegative", [0, 0.1], [-0.1, *NEVER_A_NUMBER]),
        ("Share", [0, 0.5, 1], [-0.1, 1.1, *NEVER_A_NUMBER]),
        ("Count", [1, 40], [0, -1, 1.0, *NEVER_A_NUMBER]),
        ("Counts", [[1], [5, 20]], [[], [5, 5], [0], [1.5], 5, "5", (5,), None, [[5]], [None]]),
    ],
)
def test_a_parameter_takes_what_its_kind_says(kind, good, bad):
    holds = rule(getattr(parameters, kind)).holds
    assert [value for value in good if not holds(value)] == []
    assert [value for value in bad if holds(value)] == []


def test_one_of_takes_a_choice_alone():
    holds = one_of("none", "log").holds
    assert [holds(value) for value in ("none", "log", "", None, ["log"], {})] == [True, True, *[False] * 4]


def test_some_of_takes_different_choices():
    holds = some_of("all", "venue").holds
    assert all(map(holds, (["all"], ["venue", "all"])))
    assert not any(map(holds, ([], ["all", "all"], ["home"], "all", None, [["all"]])))
