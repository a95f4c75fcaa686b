"""Two ways of choosing from ranked lists: reciprocal rank fusion and maximal marginal relevance.

Plain arithmetic over numbers and ranks; knows no store.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from automix_graph.retrieval.metrics import Matrix, normalised

RANK_CONSTANT: Final = 2
"""The c of reciprocal rank fusion.

The usual 60 comes from fusing many long runs. With two lists, and questions that have one right passage, the first
ranks carry the information, and a small constant also keeps a useless list (an English embedding model on Chinese text)
from outvoting a good one. `benchmarks/retrieval_recall.py` measures it.
"""

FUSION_DEPTH: Final = 50
"""Hits taken from each list before fusing."""


UNFAMILIAR_WEIGHT: Final = 0.01
"""Weight of the vectors where the embedding model was not trained for the language of the query.

They then only fill up what words do not find. At equal weight an English model on Chinese questions takes recall@1 from
.94 to .73 (docs/store.md).
"""


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[int]], *, weights: Sequence[float] | None = None, c: int = RANK_CONSTANT
) -> list[tuple[int, float]]:
    """Fuse rankings of numbers; return (number, score), best first.

    The score is the sum over the lists of weight / (c + rank), rank from 1 (Cormack, Clarke and Büttcher, SIGIR 2009,
    who weigh all lists alike). Equal scores are ordered by the rank in the earlier list, then by number, so that the
    result never depends on chance.

    Args:
        rankings: each best first.
        weights: one for each ranking; None weighs all with 1.
        c: the larger, the less the first ranks count.

    Example:
        >>> [number for number, _ in reciprocal_rank_fusion([[1, 2, 3], [3, 1]])]
        [1, 3, 2]
    """
    scores: dict[int, float] = {}
    ranks: dict[int, list[int]] = {}
    for column, (ranking, weight) in enumerate(zip(rankings, weights or [1.0] * len(rankings), strict=True)):
        for rank, number in enumerate(ranking, start=1):
            scores[number] = scores.get(number, 0.0) + weight / (c + rank)
            ranks.setdefault(number, [len(ranking) + 1] * len(rankings))[column] = rank
    return sorted(scores.items(), key=lambda item: (-item[1], ranks[item[0]], item[0]))


def maximal_marginal_relevance(query: Matrix, candidates: Matrix, *, k: int, lambda_mult: float) -> list[int]:
    """Choose rows of candidates that are close to the query and far from each other.

    Each step takes the row with the largest λ·cos(row, query) − (1 − λ)·max cos(row, chosen rows) (Carbonell and
    Goldstein, SIGIR 1998, with cosine as both similarities).

    Args:
        query: shape (dimension,).
        candidates: shape (n, dimension), best first; equal rows are taken in this order.
        k: how many to choose; all of them where there are fewer.
        lambda_mult: λ in [0, 1]; 1 looks at the query only.

    Returns:
        Indices of the chosen rows, in the order of choice.
    """
    units = normalised(candidates)
    to_query = units @ normalised(query.reshape(1, -1))[0]
    redundancy = np.zeros(len(units), dtype=np.float32)
    open_rows = np.ones(len(units), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(units)):
        gain = lambda_mult * to_query - (1.0 - lambda_mult) * redundancy
        best = int(np.argmax(np.where(open_rows, gain, -np.inf)))
        open_rows[best] = False
        similarity = units @ units[best]
        redundancy = np.maximum(redundancy, similarity) if chosen else similarity
        chosen.append(best)
    return chosen
