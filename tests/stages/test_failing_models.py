"""A model that fails in any way leaves a child that says so, and the others alone."""

import pytest

import program

FAILURES = {
    "raises": ("raise ValueError('no such solver')", "ValueError: no such solver"),
    "exits": ("import sys; sys.exit(7)", "SystemExit: 7"),
    "NaN": ("import numpy; return numpy.full((len(x), 3), numpy.nan)", "ModelError: "),
    "infinite": ("import numpy; return numpy.full((len(x), 3), numpy.inf)", "ModelError: "),
    "None": ("return None", "ModelError: "),
}
HOOK = """
from sklearn.linear_model import LogisticRegression

def predict_proba(self, x):
    {}

LogisticRegression.predict_proba = predict_proba
"""
PARENT = "ablation | variant=elo_only | frac=1.0"


@pytest.mark.parametrize(
    "how", ["NaN", *(pytest.param(one, marks=pytest.mark.slow) for one in FAILURES if one != "NaN")]
)
def test_the_child_is_failed_with_the_reason_and_the_parent_tells_the_truth(tmp_path, how):
    code, reason = FAILURES[how]
    hook = program.hooked(tmp_path / "hook", HOOK.format(code))
    models = "model=[logreg,dummy]"
    done = program.run(*program.TINY, models, "stage=ablation", "variant=elo_only", cwd=tmp_path, **hook)
    assert done.code == 1, done
    goes_on = how != "exits"  # who asks for the end of the process gets it
    children = [("model | logreg", "FAILED"), *([("model | dummy", "FINISHED")] if goes_on else [])]
    assert program.tree(tmp_path) == [(PARENT, "FAILED", children)]
    (parent,) = program.parents(tmp_path)
    failed = program.children(tmp_path, parent)["logreg"]
    assert failed.data.tags["status.reason"].startswith(reason)
    assert "logreg" in parent.data.tags["status.reason"] or how == "exits"
    assert parent.data.tags["children.failed"] == "1"
    assert parent.data.tags.get("children.finished") == ("1" if goes_on else None)
    assert done.err.splitlines()[-1].startswith("Error: ")


@pytest.mark.slow
def test_failed_trials_within_the_budget_are_counted_on_a_parent_that_is_finished(tmp_path):
    fails = "import os; number = os.environ.setdefault('CALLS', '0'); os.environ['CALLS'] = str(int(number) + 1)\n"
    fails += "    if int(number) == 3: raise ValueError('the fourth')\n    return real(self, x)"
    hook = program.hooked(
        tmp_path / "hook",
        "real = __import__('sklearn.linear_model', fromlist=['x']).LogisticRegression.predict_proba\n"
        + HOOK.format(fails),
    )
    command = [*program.TINY, "stage=tuning", "model=logreg", "tuning.n_trials=3", "tuning.racing=false"]
    done = program.run(*command, cwd=tmp_path, **hook)
    assert done.code == 0, done
    (parent,) = program.parents(tmp_path)
    tags = parent.data.tags
    assert (parent.info.status, tags["children.failed"], tags["children.finished"]) == ("FINISHED", "1", "2")
