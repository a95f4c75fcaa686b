"""Scores of each metric, and relevance made of them."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
from scripted_embeddings import Table

from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.metrics import METRICS


def test_scores_of_each_metric() -> None:
    table = Table(a=[3.0, 4.0], b=[0.0, 2.0], q=[0.0, 1.0], zero=[0.0, 0.0])
    expected = {
        "cosine": [("b", 1.0), ("a", 0.8), ("zero", 0.0)],
        "inner_product": [("a", 4.0), ("b", 2.0), ("zero", 0.0)],
        "l2": [("b", 1.0), ("zero", 1.0), ("a", np.sqrt(18.0))],
    }
    for metric, hits in expected.items():
        with FaissStore.from_texts(["a", "b", "zero"], table, ids=["a", "b", "zero"], metric=metric) as store:
            found = store.similarity_search_with_score("q", k=9)
            assert [document.id for document, _ in found] == [id_ for id_, _ in hits], metric
            assert [score for _, score in found] == pytest.approx([score for _, score in hits]), metric
            json.dumps([score for _, score in found])


@pytest.mark.parametrize("metric", METRICS)
def test_relevance_is_in_the_unit_interval_and_in_order(metric: Any) -> None:
    random = np.random.default_rng(0)
    vectors = {f"t{n}": list(map(float, random.normal(scale=30, size=4))) for n in range(50)}
    with FaissStore.from_texts(list(vectors), Table(**vectors), metric=metric) as store:
        plain = store.similarity_search("t0", k=50)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scored = store.similarity_search_with_relevance_scores("t0", k=50)
    scores = [score for _, score in scored]
    assert [document.id for document, _ in scored] == [document.id for document in plain]
    assert scores == sorted(scores, reverse=True)
    assert 0.0 <= scores[-1] < scores[0] <= 1.0


def test_a_zero_query_finds_something(store: FaissStore) -> None:
    store.add_texts(["x", "y"], ids=["x", "y"])
    assert [(document.id, score) for document, score in store.similarity_search_with_score("?!", k=2)] == [
        ("x", 0.0),
        ("y", 0.0),
    ]


def test_huge_and_tiny_vectors_are_compared_by_angle() -> None:
    table = Table(big=[3e38, 3e38], tiny=[1e-30, 0.0], q=[1.0, 1.0])
    with FaissStore.from_texts(["big", "tiny"], table) as store:
        scores = [score for _, score in store.similarity_search_with_score("q")]
    assert scores == pytest.approx([1.0, np.sqrt(0.5)])
