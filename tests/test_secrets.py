"""No secret of the environment, of a file or of an exception reaches any file, by any stage."""

import base64
from urllib.parse import quote

import pytest

import finals
import program
import projects

# No one's, in the forms that their services publish.
AWS = "wJ7rXUt/F3EMI+K9MDENG2bPxRfiCY1zzLEK4Q5a"
TRACKING = "correct-Horse.battery+9"
DATABASE = "t0p/Secret-Of=The.Base"
PLANTED = (AWS, TRACKING, DATABASE)
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAOWNEROFTHESTORE1",
    "AWS_SECRET_ACCESS_KEY": AWS,
    "MLFLOW_TRACKING_PASSWORD": TRACKING,
}
# A fit that fails and tells everything it knows.
TELLING = f"""
import os
from sklearn.linear_model import LogisticRegression

def fit(self, *_, **__):
    known = os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["MLFLOW_TRACKING_PASSWORD"]
    address = "postgresql://joe:{quote(DATABASE, safe="")}@host/matches"
    raise RuntimeError(f"no connection to {{address}}, password={DATABASE}, {{known!r}}")

LogisticRegression.fit = fit
"""
FILES = ("data=football_data", "data.path=raw", "rounds=5", "model=logreg")


def spellings(secret):
    return {secret, quote(secret, safe=""), secret.replace("/", "%2F"), base64.b64encode(secret.encode()).decode()}


def holding(folder, done):
    """Files and outputs in which a planted secret stands in any spelling, but for the code it was planted in."""
    texts = {f"output {number}": (one.out + one.err).encode() for number, one in enumerate(done)}
    texts |= {name: (folder / name).read_bytes() for name in program.files(folder) if not name.startswith("code/")}
    wanted = [spelling.encode() for secret in PLANTED for spelling in spellings(secret)]
    named = {name for name in texts for secret in PLANTED if secret in name}
    return sorted(named | {name for name, content in texts.items() if any(one in content for one in wanted)})


def test_a_planted_secret_is_found_where_there_is_one(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"\0\0" + AWS.encode() + b"\0")
    (tmp_path / "log").write_text(f"postgresql://joe:{quote(DATABASE, safe='')}@host")
    done = [program.Done(0, "", f"password={TRACKING}", frozenset())]
    assert holding(tmp_path, done) == ["log", "mlflow.db", "output 0"]


def test_an_exception_that_tells_secrets_leaves_none_behind(tmp_path):
    hook = program.hooked(tmp_path.parent / f"{tmp_path.name}-hook", TELLING, **ENVIRONMENT)
    done = program.run(*program.TINY, "model=[dummy,logreg]", "variant=elo_only", cwd=tmp_path, **hook)
    assert done.code == 1, done
    runs = program.search(tmp_path)
    reasons = [run.data.tags.get("status.reason", "") for run in runs if run.info.run_name == "model | logreg"]
    assert len(reasons) == 1
    assert reasons[0].startswith("RuntimeError: no connection to postgresql://***@host/matches, password=***")
    assert holding(tmp_path, [done]) == []


@pytest.mark.slow
def test_no_stage_leaves_a_secret_behind(tmp_path):
    code, folder = projects.make(tmp_path / "code"), tmp_path
    # Uncommitted, and so stored with every run.
    (code / "src/matchclf/settings.py").write_text(f'PASSWORD = "{DATABASE}"\nKEY = "{AWS}"\n')
    finals.write_matches(folder / "raw/E.csv", finals.CUT)
    more = {**ENVIRONMENT, "PYTHONPATH": str(code / "src")}
    done = []
    for command in ("prepare", "train_eval", "tuning", "final_train", "register", "predict", "report"):
        own = ["tuning.n_trials=2"] if command == "tuning" else ["alias=candidate"] if command == "predict" else []
        done.append(program.run(*FILES, f"stage={command}", *own, cwd=folder, **more))
        assert done[-1].code == 0, done[-1]
    parents = program.parents(folder)
    assert {run.data.tags["pipeline.git_diff"] for run in parents} == {"redacted"}
    kept = program.artifact(folder, parents[0], "lineage/uncommitted.diff").read_text()
    assert 'PASSWORD = "***"' in kept
    assert holding(folder, done) == []


@pytest.mark.parametrize(
    "override",
    [
        f"tracking.password={TRACKING}",
        f"+aws_secret_access_key={AWS}",
        f"tracking.uri=postgresql://joe:{TRACKING}@host/db",
        "data.path=${oc.env:AWS_SECRET_ACCESS_KEY}",
        pytest.param(f"data.path=/tmp/{AWS}", marks=pytest.mark.slow),
        pytest.param(f"hydra.run.dir=out/{TRACKING}", marks=pytest.mark.slow),
    ],
)
def test_a_secret_on_the_command_line_is_refused_before_anything_is_written(matchclf, tmp_path, override):
    done = matchclf(override, **ENVIRONMENT)
    assert (done.code, "looks like a secret on the command line" in done.err) == (2, True), done
    assert holding(tmp_path, [done]) == []
    assert program.files(tmp_path) == frozenset()
