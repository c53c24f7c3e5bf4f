"""dvc.yaml: what it says, and what the real `dvc` does with it in a repository of its own."""

import ast
import json
import os
import re
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir

import program
from conftest import write_football_data
from dvc_repo import commit, dvc, git, initialise
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.data.schema import OUTCOMES
from matchclf.files import digest, read_parquet
from matchclf.lineage.dvc import Recorded, recorded_md5
from matchclf.metrics import METRICS
from matchclf.stages.prepare import CODE_PARTS, PACKAGE
from matchclf.stages.promote import UNCONFIRMED
from matchclf.tracking.decisions import FAILED

VARIANTS = ["elo_only", "stats_only", "full_no_h2h", "full"]
SCORING = ["classification_models", *(f"ablation_study@{name}" for name in VARIANTS)]
STAGES = ["prepare", *SCORING, "tune_xgb", "final_train", "register_model", "promote_model"]
# What each stage runs, besides what prepare does.
MODULES = {
    "prepare": ["stages.prepare"],
    "classification_models": ["stages.train_eval"],
    "ablation_study": ["stages.ablation"],
    "tune_xgb": ["search", "stages.sweep", "stages.tuning"],
    "final_train": ["stages.final_train"],
    "register_model": ["stages.register"],
    "promote_model": ["stages.promote"],
}
COMPUTING = [name for name in MODULES if name not in ("register_model", "promote_model")]
# These make no number; what config says comes from conf.
NO_NUMBERS = ["callbacks", "config", "console", "errors", "identity", "lineage", "paths", "plots", "redaction"]
NO_NUMBERS += ["reports", "stages.ablation_report", "stages.duplicates", "stages.readings", "stages.report"]
NO_NUMBERS += ["stages.results", "threads", "tracking"]
# Groups of the config that a stage sees through what prepare made, or that change no result.
SEEN_THROUGH_PREPARE = {"data", "tracking", "experiment", "output"}

SMALL = {
    "options: data=synthetic,": f"options: {' '.join(['data=synthetic', *program.TINY])},",
    '"dummy,logreg,hgb,xgb", drawn: [dummy, logreg, hgb, xgb]': '"dummy,logreg", drawn: [dummy, logreg]',
    "n_trials=30": "n_trials=2",
}
IGNORED = """
__pycache__/
/data/*
!/data/metrics/
!/data/raw/
/data/raw/*
!/data/raw/*.dvc
/multirun/
/mlartifacts/
/mlflow.db*
/.mlflow.*.lock
"""


def pipeline():
    return yaml.safe_load((program.ROOT / "dvc.yaml").read_text())


def bodies():
    """The body of each stage of dvc.yaml, that of a foreach once."""
    return {name: stage.get("do", stage) for name, stage in pipeline()["stages"].items()}


def variables():
    return {key: value for one in pipeline()["vars"] for key, value in one.items()}


def filled(text, item="full"):
    """A text of dvc.yaml with its variables put in."""
    known = variables() | {"item": item}

    def value(match):
        found = known
        for key in match[1].split("."):
            found = found[key]
        return found

    return re.sub(r"\$\{([\w.]+)\}", value, text)


def paths(entries):
    return [filled(next(iter(one)) if isinstance(one, dict) else one) for one in entries]


def covers(deps, file):
    return any(Path(file).is_relative_to(dep) for dep in deps)


def source(module):
    path = PACKAGE / module.replace(".", "/")
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def imported(module):
    """Modules of matchclf that a module imports, anywhere in it."""
    nodes = [node for node in ast.walk(ast.parse(source(module).read_text())) if isinstance(node, ast.ImportFrom)]
    ours = [(node.module, one.name) for node in nodes for one in node.names if node.module.startswith("matchclf")]
    names = {name.removeprefix("matchclf.") for one in ours for name in (one[0], ".".join(one))}
    return {name for name in names if name != "matchclf" and source(name)}


def reached(modules):
    """These modules and all that they import, without those that make no number."""
    found, left = {"stages"}, list(modules)
    while left:
        module = left.pop()
        if module not in found and not any(module == name or module.startswith(f"{name}.") for name in NO_NUMBERS):
            found.add(module)
            left += imported(module)
    return found - {"stages"}


@pytest.mark.parametrize("name", MODULES)
def test_a_changed_source_file_that_may_change_a_number_reruns_the_stage(name):
    deps, prepared = paths(bodies()[name]["deps"]), paths(bodies()["prepare"]["deps"])
    files = [str(source(module).relative_to(program.ROOT)) for module in reached(MODULES[name])]
    assert len(files) > 3
    assert [file for file in files if not covers(deps, file) and not covers(prepared, file)] == []


def test_prepare_runs_again_for_all_that_makes_a_later_stage_prepare_again():
    deps = paths(bodies()["prepare"]["deps"])
    files = [path.relative_to(program.ROOT) for pattern in CODE_PARTS for path in PACKAGE.glob(pattern)]
    assert len(files) > 20
    assert [str(file) for file in files if not covers(deps, file)] == []


def composed(name):
    """The config of the command of a stage, with Hydra's part."""
    overrides = [word.strip("'") for word in filled(bodies()[name]["cmd"]).split()[3:]]
    register_schema()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides, return_hydra_config=True)


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_a_config_of_its_stage(name):
    config = to_plain(composed(name))
    assert bodies()[name]["cmd"].split()[3] == f"stage={config.stage.name}"


def test_the_pipeline_asks_for_a_champion_and_leaves_the_confirmation_to_a_person():
    config = to_plain(composed("promote_model"))
    assert (config.alias, config.confirm) == ("champion", False)


@pytest.mark.parametrize("name", COMPUTING)
def test_a_changed_config_file_reruns_the_stages_that_compose_it(name):
    choices = composed(name).hydra.runtime.choices
    groups = [group for group in choices if re.fullmatch(r"\w+", group) and group not in SEEN_THROUGH_PREPARE]
    options = {group: choices[group] for group in (["data", "features"] if name == "prepare" else groups)}
    lists = {group: [found] if isinstance(found, str) else found for group, found in options.items()}
    files = [f"conf/{group}/{option}.yaml" for group, found in lists.items() for option in found]
    deps = paths(bodies()[name]["deps"])
    assert len(files) > 1
    assert [file for file in files if not covers(deps, file)] == []
    assert name == "prepare" or covers(deps, "conf/config.yaml")


@pytest.mark.parametrize("name", MODULES)
def test_what_a_stage_depends_on_exists_or_is_the_output_of_another(name):
    made = [path for stage in bodies().values() for path in paths(stage["outs"])]
    missing = [dep for dep in paths(bodies()[name]["deps"]) if not (program.ROOT / dep).exists()]
    assert [dep for dep in missing if dep not in made] == []


def test_each_key_of_params_is_named_by_the_stages_that_read_it():
    params = yaml.safe_load((program.ROOT / "params.yaml").read_text())
    named = {name: set(stage["params"]) for name, stage in bodies().items()}
    everything = set().union(*named.values())
    keys = [(part, f"{part}.{key}") for part, found in params.items() for key in found]
    assert [pair[1] for pair in keys if not everything & set(pair)] == ["classification.smoke_experiment_name"]
    assert everything <= {name for pair in keys for name in pair}
    assert [name for name in named if "temporal" not in named[name]] == ["register_model", "promote_model"]


def test_each_file_of_the_contract_is_the_output_of_one_stage():
    outs = {name: paths(stage["outs"]) for name, stage in bodies().items()}
    models = {name: Path(path).name for name, found in outs.items() for path in found if "data/models" in path}
    assert models == {
        "classification_models": "run_id.json",
        "tune_xgb": "xgb_best_params.json",
        "final_train": "final_run_id.json",
        "register_model": "registered_model.json",
        "promote_model": "promoted_model.json",
    }
    assert {"data/processed/dataset.parquet", "data/processed/manifest.json", "data/splits"} < set(outs["prepare"])


def call(folder, *arguments, **more):
    """`dvc` with the code of this folder."""
    return dvc(folder, *arguments, PYTHONPATH=str(folder / "src"), **more)


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def project(folder):
    """A repository with our code, config and pipeline, on a small league and with few models."""
    for name in ("src", "conf"):
        shutil.copytree(program.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copy(program.ROOT / name, folder / name)
    for old, new in SMALL.items():
        change(folder / "dvc.yaml", old, new)
    (folder / ".gitignore").write_text(IGNORED)
    initialise(folder)
    commit(folder, "one")
    return folder


def changed(folder):
    """The stages that `dvc repro` would run."""
    return sorted(json.loads(call(folder, "status", "--json")))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A repository in which the whole pipeline ran once, and what it said."""
    folder = project(tmp_path_factory.mktemp("made") / "project")
    said = call(folder, "repro")
    commit(folder, "two")
    return folder, said


@pytest.fixture
def restored(made):
    """The folder of it; its files are put back afterwards as they were committed."""
    folder, _ = made
    yield folder
    git(folder, "checkout", "--quiet", ".")


@pytest.fixture(scope="module")
def experiment(made):
    """The name of an experiment with other dates, as `dvc exp show` tells it, run in the folder and put away again."""
    folder, _ = made
    dates = ["params.yaml:temporal.test_start=2023-01-01", "params.yaml:temporal.cv_years=[2021,2022]"]
    call(folder, "exp", "run", "--name", "earlier", "-S", dates[0], "-S", dates[1], "classification_models")
    git(folder, "checkout", "--quiet", ".")
    call(folder, "checkout", "--quiet", "--force")
    return "earlier"


def read(folder, name):
    return json.loads((folder / "data/metrics" / f"{name}.json").read_text())


@pytest.mark.slow
def test_one_command_runs_every_stage_once(made):
    folder, said = made
    assert re.findall(r"Running stage '(.+)':", said) == STAGES
    assert {run.info.status for run in program.search(folder)} == {"FINISHED"}
    ablations = [(f"ablation | variant={name} | frac=1.0", 2) for name in VARIANTS]
    tree = {(name, len(children)) for name, _, children in program.tree(folder)}
    assert tree == {
        ("train_eval | frac=1.0 | feat=full", 2),
        *ablations,
        ("tuning | frac=0.1", 2),
        ("final_train | model=xgb", 0),
    }


@pytest.mark.slow
def test_its_runs_are_of_the_committed_code_and_of_no_experiment(made):
    folder, _ = made
    sha = git(folder, "rev-parse", "--short", "HEAD~1").strip()
    found = {
        (run.data.tags["pipeline.git_sha"], run.data.tags["pipeline.dvc_exp_name"]) for run in program.search(folder)
    }
    assert found == {(sha, "none")}
    assert {run.data.tags["pipeline.git_dirty"] for run in program.search(folder)} == {"false"}


@pytest.mark.slow
def test_the_version_of_the_data_is_the_md5_that_dvc_locked(made):
    folder, _ = made
    locked = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]["prepare"]["outs"]
    (md5,) = [out["md5"] for out in locked if out["path"] == "data/processed/dataset.parquet"]
    assert {run.data.tags["data.version"] for run in program.search(folder)} == {md5}
    assert digest(folder / "data/processed/dataset.parquet") == md5
    assert recorded_md5(Path("data/processed/dataset.parquet"), folder) == Recorded(md5, Path("dvc.lock"))
    train = digest(folder / "data/splits/train.parquet")
    assert recorded_md5(Path("data/splits/train.parquet"), folder) == Recorded(train, Path("dvc.lock"))


@pytest.mark.slow
def test_later_stages_find_the_prepared_data_kept(made):
    _, said = made
    assert said.count("prepare    kept") >= len(SCORING) + 2
    assert len(re.findall(r"^matches ", said, re.MULTILINE)) == 1


@pytest.mark.slow
def test_the_verdict_on_a_champion_is_written_and_the_alias_is_not_given(made):
    folder, _ = made
    decision = json.loads((folder / "data/models/promoted_model.json").read_text())
    assert (decision["alias"], decision["version"]) == ("champion", 1)
    assert decision["verdict"] in (FAILED, UNCONFIRMED)
    (model,) = program.client(folder).search_registered_models()
    assert "champion" not in model.aliases


@pytest.mark.slow
def test_a_second_repro_runs_nothing_even_when_files_were_touched(made):
    folder, _ = made
    before = len(program.search(folder))
    for name in ("params.yaml", "src/matchclf/evaluate.py", "conf/model/xgb.yaml", "data/processed/dataset.parquet"):
        os.utime(folder / name)
    said = call(folder, "repro")
    assert re.findall(r"Stage '(.+)' didn't change, skipping", said) == STAGES
    assert "Running stage" not in said
    assert len(program.search(folder)) == before
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("src/matchclf/features/elo.py", ["prepare"]),
        ("src/matchclf/metrics.py", [*SCORING, "tune_xgb", "final_train", "register_model", "promote_model"]),
        ("src/matchclf/stages/ablation.py", SCORING[1:]),
        ("src/matchclf/gates.py", ["register_model", "promote_model"]),
        ("src/matchclf/console.py", []),
        ("conf/search/xgb.yaml", ["tune_xgb"]),
        (".gitignore", []),
        ("src/matchclf/data/__pycache__/another.pyc", []),
    ],
)
def test_a_changed_file_reruns_the_stages_that_it_changes(restored, file, stages):
    (restored / file).parent.mkdir(exist_ok=True)
    with (restored / file).open("a") as out:
        out.write("# Changed.\n")
    assert changed(restored) == sorted(stages)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ('test_start: "2024-01-01"', 'test_start: "2024-02-01"', STAGES[:-2]),
        ("champion_max_ece: 0.05", "champion_max_ece: 0.06", ["promote_model"]),
        ("candidate_tolerance: 0.0", "candidate_tolerance: 0.1", ["register_model"]),
        ("model_name: soccer-match-outcome", "model_name: other", STAGES[-2:]),
        ("smoke_experiment_name: matches_clf_smoke", "smoke_experiment_name: x", []),
    ],
)
def test_a_changed_parameter_reruns_the_stages_that_read_it(restored, old, new, stages):
    change(restored / "params.yaml", old, new)
    assert changed(restored) == sorted(stages)


@pytest.mark.slow
def test_data_that_dvc_brings_back_is_found_whole(made):
    folder, _ = made
    for name in ("processed", "splits", "models"):
        shutil.rmtree(folder / "data" / name)
    call(folder, "checkout", "--quiet")
    done = program.run(*program.TINY, "stage=prepare", cwd=folder, PYTHONPATH=str(folder / "src"))
    assert (done.code, "prepare    kept" in done.out) == (0, True), done
    assert changed(folder) == []


@pytest.mark.slow
def test_metrics_are_those_of_the_runs(made):
    folder, _ = made
    runs = {run.info.run_name: run for run in program.parents(folder)}
    compared = {"train_eval": "train_eval | frac=1.0 | feat=full"}
    compared |= {f"ablation_{name}": f"ablation | variant={name} | frac=1.0" for name in VARIANTS}
    for name, parent in compared.items():
        children = program.children(folder, runs[parent])
        means = {model: run.data.metrics["cv.logloss_mean"] for model, run in children.items()}
        assert read(folder, name) == {name: {"logloss": means}}
        table = pd.read_csv(folder / f"data/metrics/folds_{name}.csv", index_col="year")
        best = min(means, key=means.get)
        for column, model in {**{model: model for model in means}, "best": best}.items():
            points = program.client(folder).get_metric_history(children[model].info.run_id, "cv.logloss")
            assert table[column].to_dict() == {point.step: point.value for point in points}
    tuned = runs["tuning | frac=0.1"].data.metrics["best.cv.logloss_mean"]
    assert read(folder, "tuning") == {"tuning": {"logloss": tuned, "trials": 2}}
    final = runs["final_train | model=xgb"].data.metrics
    expected = {name: final[f"final.{name}"] for name in METRICS}
    assert read(folder, "final") == {"final": expected, "difference": {"reference": final["difference.reference.mean"]}}


@pytest.mark.slow
def test_calibration_has_ten_groups_an_outcome_of_the_forecasts_that_the_final_run_kept(made):
    folder, _ = made
    (run,) = program.parents(folder, "final_train%")
    kept = read_parquet(program.artifact(folder, run, "predictions/holdout.parquet"))
    table = pd.read_csv(folder / "data/metrics/calibration.csv")
    assert list(table.outcome) == [name for name in OUTCOMES for _ in range(10)]
    for label, name in enumerate(OUTCOMES):
        ordered = kept.sort_values(f"final_{name}", kind="stable")
        sizes = [len(kept) // 10 + (number < len(kept) % 10) for number in range(10)]
        ends = np.cumsum(sizes)
        groups = [ordered.iloc[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        ours = table[table.outcome == name]
        np.testing.assert_allclose(ours.forecast, [group[f"final_{name}"].mean() for group in groups])
        np.testing.assert_allclose(ours.happened, [(group["outcome_1x2"] == label).mean() for group in groups])


@pytest.mark.slow
def test_an_experiment_has_the_holdout_it_was_given_and_its_name_on_its_runs(made, experiment):
    folder, _ = made
    found = [run for run in program.search(folder) if run.data.tags["pipeline.dvc_exp_name"] == experiment]
    assert sorted(run.info.run_name for run in found) == [
        "model | dummy",
        "model | logreg",
        "train_eval | frac=1.0 | feat=full",
    ]
    for run in found:
        dates = [run.data.tags[f"data.{name}"] for name in ("train_end", "test_start")]
        assert dates[0] < "2023-01-01" <= dates[1]
    (row,) = (
        pd.read_csv(StringIO(call(folder, "exp", "show", "--csv")))
        .query("Experiment == @experiment")
        .to_dict("records")
    )
    assert row["temporal.test_start"] == "2023-01-01"
    logloss = {run.info.run_name: run.data.metrics.get("cv.logloss_mean") for run in found}
    assert row["train_eval.logloss.logreg"] == pytest.approx(logloss["model | logreg"])


@pytest.mark.slow
def test_metrics_diff_shows_what_an_experiment_changed(made, experiment):
    folder, _ = made
    found = json.loads(call(folder, "metrics", "diff", "--json", "main", experiment))
    assert list(found) == ["data/metrics/train_eval.json"]
    (changes,) = found.values()
    here = read(folder, "train_eval")["train_eval"]["logloss"]
    assert {key: one["old"] for key, one in changes.items()} == {
        f"train_eval.logloss.{model}": value for model, value in here.items()
    }
    assert all(one["diff"] == pytest.approx(one["new"] - one["old"]) != 0 for one in changes.values())


@pytest.mark.slow
def test_plots_show_folds_by_model_and_by_variant_and_the_calibration(made):
    folder, _ = made
    found = json.loads(call(folder, "plots", "show", "--json"))
    assert "errors" not in found
    values = {name: plot["content"]["data"]["values"] for name, (plot,) in found["data"].items()}
    by_model, by_variant, calibration = values.values()
    assert list(values) == [next(iter(plot)) for plot in pipeline()["plots"]]
    assert {row["field"] for row in by_model} == {"dummy", "logreg"}
    assert {row["filename"] for row in by_variant} == {f"folds_ablation_{name}.csv" for name in VARIANTS}
    table = pd.read_csv(folder / "data/metrics/folds_ablation_elo_only.csv", dtype=str)
    ours = [row["best"] for row in by_variant if row["filename"] == "folds_ablation_elo_only.csv"]
    assert ours == list(table.best)
    assert len(calibration) == 30


@pytest.mark.slow
def test_plots_diff_lays_an_experiment_beside_the_commit(made, experiment):
    folder, _ = made
    found = json.loads(call(folder, "plots", "diff", "--json", "main", experiment))
    rows = found["data"]["Walk-forward log-loss by model"][0]["content"]["data"]["values"]
    assert {(row["rev"], row["year"]) for row in rows} == {
        *(("main", str(year)) for year in range(2016, 2024)),
        *((experiment, str(year)) for year in (2021, 2022)),
    }


@pytest.mark.slow
def test_an_experiment_in_a_copy_of_the_folder_records_where_the_environment_says(made):
    folder, _ = made
    place = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    years = "params.yaml:temporal.cv_years=[2022]"
    call(folder, "exp", "run", "--temp", "--name", "aside", "-S", years, "classification_models", **place)
    found = [run for run in program.search(folder) if run.data.tags["pipeline.dvc_exp_name"] == "aside"]
    assert len(found) == 3
    assert git(folder, "status", "--porcelain") == ""
    (child,) = [run for run in found if run.info.run_name == "model | dummy"]
    assert program.artifact(folder, child, "predictions/out_of_fold.parquet").is_file()


@pytest.mark.slow
def test_data_of_ones_own_takes_one_changed_line(tmp_path):
    folder = project(tmp_path / "project")
    (folder / "data/raw").mkdir(parents=True)
    write_football_data(folder / "data/raw/E0.csv")
    dvc(folder, "add", "--quiet", "data/raw/E0.csv")
    lines = (folder / "dvc.yaml").read_text().splitlines(keepends=True)
    (number,) = [number for number, line in enumerate(lines) if line.startswith("  - data: ")]
    lines[number] = "  - data: {options: data=football_data data.path=data/raw/E0.csv, source: data/raw/E0.csv}\n"
    (folder / "dvc.yaml").write_text("".join(lines))
    commit(folder, "two")
    call(folder, "repro", "prepare")
    commit(folder, "three")
    assert git(folder, "status", "--porcelain") == ""
    assert "prepare" not in changed(folder)
    with (folder / "data/raw/E0.csv").open("a") as out:
        out.write("\n")
    assert "prepare" in changed(folder)
