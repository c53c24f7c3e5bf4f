import itertools
import re
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import program
from matchclf.stages import STAGES

TABLE = ["dummy", "logreg", "uniform", "prior", "truth"]
HYDRAS_OWN = "Error executing job with overrides: "
VARIANTS = (
    "baseline, chances_only, elo_only, full, full_no_h2h, market, market_only, no_chances, no_form, poisson_only, "
    "stats_only"
)
# What a command line gets wrong -> the one sentence that is said.
REFUSALS = {
    "variant=elo": f"variant=elo is unknown; choose one of {VARIANTS}.",
    # Found once the config is whole.
    "variant=elo_only features=full": "variant=elo_only means features=elo_only, but features=full was chosen; leave "
    "one of the two out, so that the tags tell the truth.",
    "experiment=smoke classification.smoke_experiment_name=matches_clf": "classification.smoke_experiment_name must "
    "differ from classification.experiment_name, so that a smoke run never writes among production runs; both are "
    "'matches_clf'.",
}


@pytest.mark.parametrize("command", REFUSALS)
def test_a_wrong_override_stops_before_any_run_opens_with_one_sentence(matchclf, tmp_path, command):
    done = matchclf(*command.split())
    assert done.code == 2
    said = [line for line in done.err.splitlines() if not line.startswith(HYDRAS_OWN)]
    assert said == [f"Error: {REFUSALS[command]}"]
    assert {path.name for path in tmp_path.iterdir()} <= {"multirun"}


def test_cfg_job_shows_every_key_and_starts_nothing(matchclf, tmp_path):
    done = matchclf("--cfg", "job", "variant=stats_only", "data.seed=5")
    assert (done.code, done.err) == (0, "")
    for line in ("  profile: stats_only", "  seed: 5", "  experiment_name: matches_clf", "workers: 0"):
        assert line in done.out.splitlines()
    assert list(tmp_path.iterdir()) == []


def test_params_yaml_of_the_working_folder_counts(matchclf, tmp_path):
    text = (program.ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace('"2024-01-01"', '"2024-07-01"'))
    done = matchclf("--cfg", "job", "--package", "temporal")
    assert "test_start: '2024-07-01'" in done.out


def test_help_names_every_stage_with_a_sentence_and_starts_nothing(matchclf, tmp_path):
    done = matchclf("--help")
    assert (done.code, done.err) == (0, "")
    for stage in STAGES:
        assert re.search(rf"^  {stage} +\w+ \w+", done.out, re.MULTILINE), stage
    assert f"variant: {VARIANTS}" in done.out.splitlines()
    assert list(tmp_path.iterdir()) == []


def command_lines(text):
    """The arguments of each ``python -m matchclf`` in a text, placeholders left out."""
    found = re.findall(r"python -m matchclf ([^\n`|&;]*)", text.replace("\\\n", " "))
    lines = [shlex.split(line, comments=True) for line in found]
    return [line for line in lines if not {"stage=STAGE", "--help"} & set(line)]


def jobs(arguments):
    """The command lines without a sweep that a command line with one stands for, their flags left out."""
    flags = itertools.dropwhile(lambda word: word.startswith("-") or word == "job", arguments)
    overrides = OverridesParser.create().parse_overrides([word for word in flags if "=" in word])
    choices = [
        [f"{one.get_key_element()}={value}" for value in one.sweep_string_iterator()]
        if one.is_sweep_override()
        else [one.input_line]
        for one in overrides
    ]
    return itertools.product(*choices)


def examples():
    texts = [program.ROOT / "README.md", program.ROOT / "conf/hydra/help/stages.yaml"]
    # The other pages are run whole, see test_docs.py; Ray is an extra that is not here.
    texts += [program.ROOT / "docs" / name for name in ("scaling.md", "speed.md", "team-server.md")]
    lines = [tuple(line) for text in texts for line in command_lines(text.read_text())]
    return dict.fromkeys(line for line in lines if "hydra/launcher=ray" not in line)


@pytest.mark.parametrize("example", examples(), ids=" ".join)
def test_every_example_of_the_readme_and_of_the_help_composes(example, compose):
    for job in jobs(example):
        compose(*job)


def test_the_examples_cover_what_the_program_is_for():
    assert {
        ("stage=ablation", "variant=elo_only"),
        ("stage=ablation", "--multirun", "variant=elo_only,stats_only,full_no_h2h,full"),
        ("experiment=smoke", "stage=train_eval"),
        ("--cfg", "job", "variant=elo_only"),
    } <= set(examples())
    sweep = ("stage=ablation", "--multirun", "variant=elo_only,full", "model=[dummy,xgb]")
    assert list(jobs(sweep)) == [
        ("stage=ablation", "variant=elo_only", "model=[dummy,xgb]"),
        ("stage=ablation", "variant=full", "model=[dummy,xgb]"),
    ]


def test_examples_that_only_show_something_run(matchclf, tmp_path):
    shown = [example for example in examples() if example[0] == "--cfg"]
    assert len(shown) >= 2
    for example in shown:
        done = matchclf(*example)
        assert (done.code, done.err) == (0, ""), example


def test_the_shell_is_told_how_to_complete_and_what(matchclf):
    script = matchclf("-sc", "install=bash")
    assert script.code == 0
    assert "complete -o nospace -o default -F hydra_bash_completion" in script.out
    query = matchclf("-sc", "query=bash", COMP_LINE="matchclf stage=", COMP_POINT="15")
    assert (query.code, query.out.split()) == (0, [f"stage={name}" for name in sorted(STAGES)])


def test_the_console_has_one_line_a_step_and_nothing_else(league):
    _, done = league
    first_words = [line.split(" ")[0] for line in done["train_eval"].out.splitlines() if line[:1].isalpha()]
    assert first_words == ["run", "prepare", "dummy", "logreg", "train_eval", *TABLE, "best", "See"]
    assert {name: one.err for name, one in done.items()} == dict.fromkeys(done, "")


def test_the_log_file_of_a_failed_run_has_the_traceback_that_the_console_has_not(matchclf, tmp_path):
    done = matchclf("stage=prepare", "data=football_data", "data.path=nowhere.csv")
    assert done.code == 5
    assert "Traceback" not in done.out + done.err
    (log,) = tmp_path.glob("multirun/*/*/matchclf.log")
    assert "Traceback (most recent call last)" in log.read_text()


def test_an_unknown_flag_is_answered_by_the_programs_own_name(matchclf):
    done = matchclf("--flag")
    assert done.code == 2
    assert done.err.startswith("usage: matchclf ")
