"""Searches of our store in turns with those of FAISS alone and of langchain-community's store."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from sides import compared
from store_data import Data, load
from store_scene import opener, raw_index, same_index

CUTS: Final = (4, 10)
BATCH: Final = 100
SINGLE: Final = 200
"""Queries asked one by one, or fewer where they take long."""

SECONDS: Final = 20.0
"""Time for one comparison, after which no more queries are asked."""

Result = dict[str, Any]


def search(work: Path, name: str, kind: str, peer: bool) -> Result:
    """Time our searches and those of the other side in turns, on the same index with the same effort."""
    data = load(work, name)
    queries = np.ascontiguousarray(data.queries)
    batches = [queries[start : start + BATCH] for start in range(0, len(queries), BATCH)]
    raw = raw_index(work, name, kind)
    store = opener(work, name, kind)()
    other = same_index(work, name, raw) if peer else None
    result: Result = {"recall@10": _recall(work, data, store)}
    for k in CUTS:
        single = [query[None, :] for query in queries[:SINGLE]]
        result[f"numbers, k={k}"] = _in_turns(
            lambda q, k=k: store.search_numbers(q, k=k), lambda q, k=k: raw.search(q, k), single
        )
        result[f"numbers, k={k}, batch"] = _in_turns(
            lambda q, k=k: store.search_numbers(q, k=k), lambda q, k=k: raw.search(q, k), batches * 4, share=BATCH
        )
        if other is None:
            continue
        lists = [query.tolist() for query in queries[-SINGLE:]]
        result[f"documents, k={k}"] = _in_turns(
            lambda q, k=k: store.similarity_search_by_vector(q, k=k),
            lambda q, k=k: other.similarity_search_by_vector(q, k=k),
            lists,
        )
        result[f"documents, k={k}, batch"] = _in_turns(
            lambda q, k=k: store.search_vectors(q, k=k),
            lambda q, k=k: [other.similarity_search_by_vector(one, k=k) for one in q.tolist()],
            batches,
            share=BATCH,
        )
    if store.index is not None:
        result["tuned"] = {"effort": store.index.effort, "recall": store.index.recall}
    store.close()
    return result


def _in_turns(
    ours: Callable[[Any], Any], theirs: Callable[[Any], Any], inputs: Sequence[Any], *, share: int = 1
) -> Result:
    """Compare two searches, each first in every other turn, so that a busy moment and a cold cache meet both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    begin = time.perf_counter()
    for turn, value in enumerate(inputs):
        for side in (0, 1) if turn % 2 else (1, 0):
            started = time.perf_counter()
            (ours, theirs)[side](value)
            times[side].append((time.perf_counter() - started) / share * 1e6)
        if time.perf_counter() - begin > SECONDS:
            break
    found = dataclasses.asdict(compared(*times))
    return {"ours_us": found.pop("ours"), "theirs_us": found.pop("peer")} | found


def _recall(work: Path, data: Data, store: Any) -> float:
    """Return the share of the 10 nearest that are found, averaged over the queries."""
    import faiss

    known = work / data.name / "exact.npy"
    if not known.exists():
        np.save(known, faiss.knn(data.queries, data.vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1])
    found = store.search_numbers(data.queries, k=10).numbers - 1  # numbers count from 1
    shares = [len(set(hits) & set(wanted)) / 10 for hits, wanted in zip(found.tolist(), np.load(known), strict=True)]
    return float(np.mean(shares))
