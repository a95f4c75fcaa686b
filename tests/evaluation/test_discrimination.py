import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from automix_graph.evaluation import auroc

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30)


def counted(scores: list[int], correct: list[bool]) -> float | None:
    """The definition: over all pairs of a right and a wrong answer."""
    right = [score for score, is_right in zip(scores, correct, strict=True) if is_right]
    wrong = [score for score, is_right in zip(scores, correct, strict=True) if not is_right]
    if not right or not wrong:
        return None
    wins = sum((high > low) + 0.5 * (high == low) for high in right for low in wrong)
    return wins / (len(right) * len(wrong))


@given(ROWS)
def test_it_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, correct = [row[0] for row in rows], [row[1] for row in rows]
    expected = counted(scores, correct)
    assert auroc(scores, correct) == (None if expected is None else pytest.approx(expected))


def test_it_is_the_mann_whitney_u() -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(3000) < 0.3
    scores = np.round(generator.normal(size=3000) + correct, 1)
    u = mannwhitneyu(scores[correct], scores[~correct]).statistic
    assert auroc(scores, correct) == pytest.approx(u / (correct.sum() * (~correct).sum()))


def test_only_the_order_counts() -> None:
    scores, correct = [-np.inf, 0.1, 0.2, np.inf], [False, True, False, True]
    assert auroc(scores, correct) == auroc([1, 2, 3, 4], correct) == 0.75


@pytest.mark.parametrize("correct", [[True, True], [False, False]])
def test_one_kind_of_answers_has_no_auroc(correct: list[bool]) -> None:
    assert auroc([0.1, 0.9], correct) is None


@pytest.mark.parametrize(
    ("scores", "correct", "complaint"),
    [
        ([], [], "scores is empty"),
        ([0.1], [True, False], "scores has 1, correct has 2"),
        ([float("nan"), 0.1], [True, False], "scores holds nan"),
        ([0.2, 0.1], [True, 0.5], "correct holds 0.5"),
    ],
)
def test_bad_columns_are_refused(scores: list[float], correct: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        auroc(scores, correct)
