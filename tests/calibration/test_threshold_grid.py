import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.calibration.tally import tally
from automix_graph.calibration.threshold_grid import error_grid, threshold_grid

CONFIDENCES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0, float("nan")])
ROWS = st.lists(st.tuples(CONFIDENCES, st.sampled_from([0.0, 0.25, 1.0])), min_size=1, max_size=30)
THRESHOLDS = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.75, 0.8, 1.0]), min_size=1, max_size=9)


@given(ROWS, THRESHOLDS)
def test_a_tally_is_what_counting_gives(rows: list[tuple[float, float]], thresholds: list[float]) -> None:
    confidence, loss = np.array(rows).T
    rules = tally(confidence, loss, thresholds)
    assert rules.thresholds.tolist() == sorted(set(thresholds), reverse=True)
    assert rules.kept.tolist() == [(confidence >= threshold).sum() for threshold in rules.thresholds]
    assert rules.loss.tolist() == [loss[confidence >= threshold].sum() for threshold in rules.thresholds]
    assert rules.n == len(rows)


def test_a_tally_refuses_what_is_no_column() -> None:
    with pytest.raises(ValueError, match=r"confidence holds 1\.5 at row 1"):
        tally([0.5, 1.5], [0, 0], [0.5])
    with pytest.raises(ValueError, match="confidence holds None at row 0"):
        tally([None, 0.5], [0, 0], [0.5])
    with pytest.raises(ValueError, match="loss holds nan"):
        tally([0.5], [float("nan")], [0.5])
    with pytest.raises(ValueError, match="confidence has 2, loss has 1"):
        tally([0.5, 0.5], [0], [0.5])
    with pytest.raises(ValueError, match=r"thresholds holds 1\.1"):
        tally([0.5], [0], [1.1])


def test_a_grid_keeps_equal_steps() -> None:
    confidence = np.random.default_rng(0).permutation(1000) / 1000
    grid = threshold_grid(confidence, steps=10)
    assert tally(confidence, np.zeros(1000), grid).kept.tolist() == list(range(100, 1001, 100))
    assert grid.tolist() == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]


def test_a_grid_names_equal_confidences_once() -> None:
    assert threshold_grid([0.7] * 90 + [0.2] * 10).tolist() == [0.7, 0.2, 0.0]
    assert threshold_grid([0.0, 1.0]).tolist() == [1.0, 0.0]


def test_a_grid_of_few_rows_has_every_confidence() -> None:
    assert threshold_grid([0.3, float("nan"), 0.9, 0.5]).tolist() == [0.9, 0.5, 0.3, 0.0]
    assert threshold_grid([float("nan")] * 3).tolist() == [0.0]


@given(ROWS, st.integers(1, 40))
def test_a_grid_is_strict_and_ends_with_all(rows: list[tuple[float, float]], steps: int) -> None:
    confidence = np.array([row[0] for row in rows])
    grid = threshold_grid(confidence, steps=steps)
    assert (np.diff(grid) < 0).all()
    assert grid[-1] == 0.0
    assert set(grid[:-1]) <= set(confidence)
    assert grid.size <= steps + 1


def test_an_error_grid_begins_where_enough_is_kept() -> None:
    confidence = np.linspace(1, 0, 200)
    quality = np.arange(200) < 120
    grid = error_grid(confidence, quality, alpha=0.1, certification_rows=200)
    kept = tally(confidence, 1.0 - quality, grid).kept
    assert kept[0] == 120
    assert grid.tolist() == threshold_grid(confidence)[-grid.size :].tolist()


def test_an_error_grid_passes_by_a_misleading_top() -> None:
    confidence = np.linspace(1, 0, 400)
    quality = np.arange(400) >= 10
    kept = tally(confidence, 1.0 - quality, error_grid(confidence, quality, alpha=0.1, certification_rows=400)).kept
    assert kept[0] == 400


@pytest.mark.parametrize(("certification_rows", "kept"), [(100, 100), (1000, 10)])
def test_an_error_grid_thinks_of_the_rows_to_come(certification_rows: int, kept: int) -> None:
    # Of the ten best answers none is wrong, of all hundred eight. 0.9^10 = 0.35 is more than
    # P(Binomial(100, 0.1) <= 8) = 0.32, but 0.9^100 = 0.00003 is less than P(Binomial(1000, 0.1) <= 80) = 0.02.
    confidence = np.array([0.9] * 10 + [0.5] * 90)
    quality = np.arange(100) >= 8
    quality = np.concatenate([quality[8:18], quality[:8], quality[18:]])
    grid = error_grid(confidence, quality, alpha=0.1, certification_rows=certification_rows)
    assert (confidence >= grid[0]).sum() == kept


def test_grid_refusals() -> None:
    with pytest.raises(ValueError, match="steps is 0"):
        threshold_grid([0.5], steps=0)
    with pytest.raises(ValueError, match="certification_rows is 0"):
        error_grid([0.5], [1], alpha=0.1, certification_rows=0)
    with pytest.raises(ValueError, match="alpha is 1"):
        error_grid([0.5], [1], alpha=1, certification_rows=10)
    with pytest.raises(ValueError, match="quality holds 2"):
        error_grid([0.5], [2], alpha=0.1, certification_rows=10)
