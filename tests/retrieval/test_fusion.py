from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.retrieval.fusion import maximal_marginal_relevance, reciprocal_rank_fusion

RANKING = st.lists(st.integers(0, 20), unique=True, max_size=10)


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    fused = dict(reciprocal_rank_fusion([[7, 8], [8, 9]], c=5))
    assert fused == pytest.approx({7: 1 / 6, 8: 1 / 7 + 1 / 6, 9: 1 / 7})


def test_ties_go_to_the_earlier_list() -> None:
    assert [number for number, _ in reciprocal_rank_fusion([[5], [3]])] == [5, 3]
    assert [number for number, _ in reciprocal_rank_fusion([[3], [5]])] == [3, 5]


@given(RANKING, RANKING)
def test_is_a_ranking_of_the_union(first: list[int], second: list[int]) -> None:
    fused = reciprocal_rank_fusion([first, second])
    assert {number for number, _ in fused} == {*first, *second}
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(RANKING)
def test_agreeing_lists_keep_their_order(ranking: list[int]) -> None:
    assert [number for number, _ in reciprocal_rank_fusion([ranking, ranking])] == ranking


def test_mmr_prefers_the_different_of_two_near_ones() -> None:
    query = np.array([1.0, 0.0], dtype=np.float32)
    candidates = np.array([[1.0, 0.1], [1.0, 0.11], [0.8, -0.6]], dtype=np.float32)
    assert maximal_marginal_relevance(query, candidates, k=2, lambda_mult=0.5) == [0, 2]
    assert maximal_marginal_relevance(query, candidates, k=2, lambda_mult=1.0) == [0, 1]
    assert maximal_marginal_relevance(query, candidates, k=9, lambda_mult=0.5) == [0, 2, 1]


def test_mmr_agrees_with_the_formula() -> None:
    random = np.random.default_rng(0)
    query, candidates = random.normal(size=8).astype("f4"), random.normal(size=(30, 8)).astype("f4")
    units = candidates / np.linalg.norm(candidates, axis=1, keepdims=True)
    near = units @ (query / np.linalg.norm(query))
    chosen: list[int] = []
    while len(chosen) < 10:
        rest = [row for row in range(30) if row not in chosen]
        worth = [0.3 * near[r] - 0.7 * max((units[r] @ units[c] for c in chosen), default=0.0) for r in rest]
        chosen.append(rest[int(np.argmax(worth))])
    assert maximal_marginal_relevance(query, candidates, k=10, lambda_mult=0.3) == chosen


def test_weights_scale_the_lists() -> None:
    fused = reciprocal_rank_fusion([[1, 2], [3, 2]], weights=(1.0, 0.5), c=2)
    assert fused == [(2, 1 / 4 + 0.5 / 4), (1, 1 / 3), (3, 0.5 / 3)]
