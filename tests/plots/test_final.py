import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from matchclf.plots.final import GROUPS, SHOWN, calibration_curves, confusion_matrix, feature_importance
from matchclf.plots.style import BLUE, GREY

OUTCOMES = ["home win", "draw", "away win"]


def forecast(rows: int = 1003, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet([4, 2, 3], rows)
    return (rng.uniform(size=(rows, 1)) > proba.cumsum(axis=1)[:, :2]).sum(axis=1).astype(np.int8), proba


def importances(features: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = [f"goals_against_mean_{n}_venue_away" for n in range(features)]
    return pd.DataFrame({"feature": names, "mean": rng.normal(0.001, 0.002, features), "std": 0.0003})


def curves(figure: Figure, panel: int) -> dict[str, tuple[np.ndarray, np.ndarray, str]]:
    """Points and colour of each curve of a panel by its label."""
    found = {}
    for bars in figure.axes[panel].containers:
        line = bars[0]
        found[bars.get_label()] = (line.get_xdata(), line.get_ydata(), to_hex(line.get_color()).upper())
    return found


def slow_curve(happened: np.ndarray, proba: np.ndarray) -> list[tuple[float, float]]:
    """Matches in the order of their forecast in ten groups, the first ones one larger where they do not divide."""
    order, begin, points = sorted(range(len(proba)), key=lambda row: proba[row]), 0, []
    for group in range(GROUPS):
        size = len(proba) // GROUPS + (group < len(proba) % GROUPS)
        rows, begin = order[begin : begin + size], begin + size
        points += [(sum(proba[rows]) / size, sum(happened[rows]) / size)] if size else []
    return points


@pytest.mark.parametrize("rows", [1003, 10, 4])
def test_a_calibration_curve_is_how_often_it_happened_in_ten_groups_of_equal_size(rows):
    target, proba = forecast(rows)
    _, raw = forecast(rows, 1)
    figure = calibration_curves(target, proba, raw)
    for label in range(3):
        found = curves(figure, label)
        assert list(found) == ["before calibration", "after calibration"]
        for name, said, colour in (("before calibration", raw, GREY), ("after calibration", proba, BLUE)):
            x, y, drawn = found[name]
            expected = slow_curve(target == label, said[:, label])
            np.testing.assert_allclose(np.column_stack([x, y]), expected, atol=1e-12)
            assert drawn == colour


def test_the_bars_of_a_calibration_curve_are_95_percent_intervals():
    target, proba = forecast(1000)
    figure = calibration_curves(target, proba, None)
    (curve,) = figure.axes[1].containers
    ((bars,),) = [curve[2]]
    for (low, high), (_, share) in zip(
        [segment[:, 1] for segment in bars.get_segments()],
        slow_curve(target == 1, proba[:, 1]),
        strict=True,
    ):
        assert (high - low) / 2 == pytest.approx(1.96 * (share * (1 - share) / 100) ** 0.5, abs=1e-12)
        assert (high + low) / 2 == pytest.approx(share, abs=1e-12)


def test_calibration_curves_are_labelled_and_nothing_lies_outside():
    target, proba = forecast()
    figure = calibration_curves(target, proba, None)
    assert [axes.get_title() for axes in figure.axes] == OUTCOMES
    assert {axes.get_xlabel() for axes in figure.axes} == {"forecast probability"}
    assert figure.axes[0].get_ylabel() == "share of matches in which it happened"
    assert figure.get_suptitle() == "Calibration on the holdout, 1,003 matches in 10 groups of equal size"
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["perfect", "forecast"]
    for panel, axes in enumerate(figure.axes):
        assert axes.get_xlim() == axes.get_ylim()
        ((x, y, _),) = curves(figure, panel).values()
        assert 0 <= min(*x, *y) <= max(*x, *y) <= axes.get_xlim()[1]
        perfect = next(line for line in axes.lines if line.get_label() == "perfect")
        np.testing.assert_array_equal(perfect.get_xdata(), perfect.get_ydata())


def test_a_confusion_matrix_counts_what_was_said_against_what_happened():
    target, proba = forecast()
    figure = confusion_matrix(target, proba)
    axes = figure.axes[0]
    texts = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    said = proba.argmax(axis=1)
    for happened in range(3):
        row = [int(((target == happened) & (said == one)).sum()) for one in range(3)]
        for one, count in enumerate(row):
            assert texts[one, happened] == f"{count:,}\n{count / sum(row):.0%}"
            assert axes.images[0].get_array()[happened, one] == pytest.approx(count / sum(row))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("most probable outcome", "what happened")
    assert [label.get_text() for label in axes.get_xticklabels()] == OUTCOMES
    assert [label.get_text() for label in axes.get_yticklabels()] == OUTCOMES
    assert axes.get_title() == "Confusion matrix of the holdout, 1,003 matches"
    assert figure.axes[1].get_ylabel() == "share of the row"


def test_an_outcome_that_never_happened_is_an_empty_row_and_no_problem():
    target = np.zeros(5, dtype=np.int8)
    figure = confusion_matrix(target, np.tile([0.2, 0.3, 0.5], (5, 1)))
    assert [text.get_text() for text in figure.axes[0].texts] == ["0\n0%", "0\n0%", "5\n100%", *["0\n0%"] * 6]


def test_the_most_important_features_are_shown_largest_on_top():
    table = importances(132)
    figure = feature_importance(table, 4000)
    axes = figure.axes[0]
    top = table.sort_values("mean", ascending=False).head(SHOWN)
    assert [label.get_text() for label in axes.get_yticklabels()] == top["feature"].tolist()[::-1]
    widths = [patch.get_width() for patch in axes.patches]
    np.testing.assert_allclose(widths, top["mean"].to_numpy()[::-1])
    assert axes.get_xlabel() == "rise of the log-loss when the feature is shuffled"
    assert figure.get_suptitle() == (
        "The 20 most important of 132 features, on 4,000 matches of the holdout\n"
        "(thin bars: standard deviation over the repeats)"
    )


def test_of_few_features_all_are_shown():
    assert len(feature_importance(importances(3), 50).axes[0].patches) == 3


@pytest.mark.parametrize(("rows", "constant"), [(1, True), (9, False), (1003, True)])
def test_every_plot_can_be_drawn_of_few_matches_and_of_a_forecast_that_never_changes(tmp_path, rows, constant):
    target, proba = forecast(rows)
    if constant:
        proba = np.tile([0.5, 0.25, 0.25], (rows, 1))
    figures = {
        "calibration": calibration_curves(target, proba, proba),
        "confusion": confusion_matrix(target, proba),
        "importance": feature_importance(importances(7).assign(mean=0.0, std=0.0), rows),
    }
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_input_is_untouched():
    target, proba = forecast()
    table = importances(30)
    before = target.copy(), proba.copy(), table.copy()
    calibration_curves(target, proba, proba)
    confusion_matrix(target, proba)
    feature_importance(table, 10)
    np.testing.assert_array_equal(target, before[0])
    np.testing.assert_array_equal(proba, before[1])
    pd.testing.assert_frame_equal(table, before[2])
