from collections import Counter

import pytest

import program
from matchclf.tracking import runs, search
from matchclf.tracking.children import child_run
from matchclf.tracking.search import find_runs, sweep_scores

CHILDREN = ("model | dummy", "model | logreg")
ABLATIONS = {
    "ablation | variant=elo_only | frac=1.0": 1,
    "ablation | variant=stats_only | frac=1.0": 1,
    "ablation | variant=full_no_h2h | frac=1.0": 1,
    "ablation | variant=full | frac=1.0": 1,
}
SMOKE_ABLATION = {"smoke | ablation | variant=elo_only | frac=0.001": 1}
SMOKE_TRAIN_EVAL = {"smoke | train_eval | frac=0.001 | feat=full": 1}
TRAIN_EVAL = {"train_eval | frac=1.0 | feat=full": 1}
SEARCHES = {
    "tags.`pipeline.stage` = 'ablation'": ABLATIONS | SMOKE_ABLATION,
    "tags.`pipeline.stage` = 'train_eval'": SMOKE_TRAIN_EVAL | TRAIN_EVAL,
    "tags.`pipeline.stage` = 'final_train'": {},
    "tags.`pipeline.variant` = 'elo_only'": {"ablation | variant=elo_only | frac=1.0": 1} | SMOKE_ABLATION,
    "tags.`pipeline.variant` = 'baseline'": SMOKE_TRAIN_EVAL | TRAIN_EVAL,
    "tags.`pipeline.run_kind` = 'smoke'": SMOKE_ABLATION | SMOKE_TRAIN_EVAL,
    "tags.`features.profile` = 'no_h2h'": {"ablation | variant=full_no_h2h | frac=1.0": 1},
    "tags.`features.profile` = 'full'": {"ablation | variant=full | frac=1.0": 1} | SMOKE_TRAIN_EVAL | TRAIN_EVAL,
}


@pytest.mark.parametrize("query", SEARCHES)
def test_a_search_of_the_contract_finds_exactly_what_it_says(league, query):
    folder, _ = league
    found = Counter(run.info.run_name for run in program.search(folder, query))
    parents = SEARCHES[query]
    assert found == Counter(parents) + Counter(dict.fromkeys(CHILDREN, len(parents)))


def test_searches_within_one_scope_or_family_find_those_alone(league):
    folder, _ = league
    count = Counter(run.info.run_name for run in program.search(folder, "tags.`model.family` = 'linear'"))
    assert count == {"model | logreg": 7}
    assert len(program.search(folder, "tags.`pipeline.scope` = 'parent'")) == 7
    assert len(program.search(folder, "tags.`pipeline.scope` = 'child'")) == 14


def test_all_runs_are_found_over_several_pages_oldest_first(store, monkeypatch):
    monkeypatch.setattr(search, "PAGE", 2)
    started = [runs.start(store, str(n), {"pipeline.stage": "ablation" if n % 2 else "train_eval"}) for n in range(9)]
    for run in started:
        runs.finish(run)
    assert [run.info.run_name for run in find_runs(store, pipeline__stage="ablation")] == ["1", "3", "5", "7"]
    assert [run.info.run_name for run in find_runs(store)] == [str(n) for n in range(9)]
    assert find_runs(store, pipeline__stage="tuning") == []


def test_the_scores_of_a_sweep_are_those_of_its_own_runs(store):
    for sweep, scores in (("one", {"logreg": 1.0, "xgb": 0.9}), ("two", {"logreg": 0.8})):
        parent = runs.start(store, f"parent of {sweep}", {"pipeline.sweep_id": sweep, "pipeline.scope": "parent"})
        for model in ("logreg", "xgb"):
            tags = {"pipeline.sweep_id": sweep, "pipeline.scope": "child"}
            with child_run(parent, f"model | {model}", tags) as run:
                if model in scores:
                    store.client.log_metric(run.id, "cv.logloss_mean", scores[model])
        runs.finish(parent)
        (found,) = sweep_scores(store, sweep).items()
        assert found == (f"parent of {sweep} ({parent.id[:8]})", scores)
