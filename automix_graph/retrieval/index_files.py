"""Deciding, when a store is saved, whether its approximate index is kept, built again or not needed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from automix_graph.retrieval.approximate import ApproximateIndex
from automix_graph.retrieval.manifest import StoredFile, StoredIndex
from automix_graph.retrieval.metrics import Metric, Numbers
from automix_graph.retrieval.plan import IndexPlan, Tuned
from automix_graph.retrieval.rows import PublishedRows

STALE: Final = 0.05
"""Share of an index that may be out of date before it is built again.

What was added since is compared one by one, what was removed is passed over; both cost time, neither costs right hits.
"""


def index_for(
    vectors: Path, target: Path, *, plan: IndexPlan, metric: Metric, current: StoredIndex | None, build: bool
) -> StoredIndex | None:
    """Return the approximate index for a file of vectors; None where the plan says that none is needed.

    Args:
        vectors: the file, as `write_rows` wrote it.
        target: where to write a new index.
        plan: what is wanted.
        metric: how vectors are compared.
        current: an index of the same store, of an earlier state perhaps.
        build: whether a new one may be built; without it, any index of the right type is kept.
    """
    rows = PublishedRows.read(vectors, metric)
    kind = plan.type_for(len(rows.numbers))
    if kind == "flat" or len(rows.numbers) == 0:
        return None
    if (
        current is not None
        and current.tuned.type == kind
        and not (build and _outdated(current.tuned, plan, rows.numbers))
    ):
        return current
    if not build:
        return None
    index = ApproximateIndex.build(rows, kind, metric=metric, recall_target=plan.recall_target)
    index.write(target)
    return StoredIndex(file=StoredFile.of(target), tuned=index.tuned)


def _outdated(tuned: Tuned, plan: IndexPlan, numbers: Numbers) -> bool:
    if tuned.recall_target != plan.recall_target:
        return True
    kept = int(np.searchsorted(numbers, tuned.last, side="right"))
    missing, gone = len(numbers) - kept, tuned.count - kept
    return missing + gone > STALE * len(numbers)
