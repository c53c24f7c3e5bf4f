import numpy as np
import pandas as pd

from matchclf.plots import importance, search_plots


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


def test_the_input_is_untouched():
    table = trials()
    before = table.copy()
    search_plots(table)
    pd.testing.assert_frame_equal(table, before)
