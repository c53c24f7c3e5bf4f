import numpy as np
import pandas as pd
import pytest

from matchclf.plots.search import importance, search_plots


def trials(rows=30):
    rng = np.random.default_rng(1)
    strong, weak = rng.uniform(0, 1, rows), rng.uniform(0, 1, rows)
    return pd.DataFrame(
        {
            "number": range(rows),
            "state": ["complete"] * (rows - 4) + ["pruned"] * 3 + ["failed"],
            "value": [*(1 + strong[:-1] ** 2), np.nan],
            "xgb.strong": strong,
            "xgb.weak": weak,
        }
    )


def test_the_parameter_that_decides_the_score_is_the_important_one():
    ended = trials().iloc[:-1]
    found = importance(ended, ["xgb.strong", "xgb.weak"])
    assert found["xgb.strong"] > 0.8
    assert np.isclose(found.sum(), 1)


def test_a_search_gives_its_three_plots_with_titles_and_units(tmp_path):
    figures = search_plots(trials())
    assert list(figures) == ["optimization_history", "parameter_importance", "slice"]
    history = figures["optimization_history"].axes[0]
    assert (history.get_xlabel(), history.get_title()) == ("trial", "Search history")
    assert [text.get_text() for text in history.get_legend().get_texts()] == [
        "complete",
        "stopped early (estimate)",
        "best so far",
    ]
    best = history.lines[0].get_ydata()
    assert np.allclose(best, trials().iloc[:26]["value"].cummin())
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")


def test_parameters_chosen_from_words_are_drawn_too_each_word_at_its_place(tmp_path):
    words = np.where(np.arange(30) % 3 == 0, "hist", "approx")
    table = trials().assign(**{"xgb.tree_method": words, "xgb.flag": words == "hist"})
    table["value"] = table["value"].where(words == "hist", table["value"] + 1)
    shares = importance(table.iloc[:-1], ["xgb.strong", "xgb.weak", "xgb.tree_method"])
    assert shares.idxmax() == "xgb.tree_method"
    figures = search_plots(table)
    axes = next(axes for axes in figures["slice"].axes if axes.get_xlabel() == "xgb.tree_method")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["approx", "hist"]
    complete = axes.collections[0].get_offsets()
    assert complete[:, 0].tolist() == [float(word == "hist") for word in words[:26]]
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")


@pytest.mark.parametrize("rows", [1, 30])
def test_few_trials_and_trials_that_are_all_alike_are_no_problem(tmp_path, rows):
    table = trials().head(rows).assign(state="complete", value=1.0)
    for name, figure in search_plots(table).items():
        figure.savefig(tmp_path / f"{name}.png")


def test_the_input_is_untouched():
    table = trials()
    before = table.copy()
    search_plots(table)
    pd.testing.assert_frame_equal(table, before)
