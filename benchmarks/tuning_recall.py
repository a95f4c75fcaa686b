"""Measure what an approximate index finds, by who asks it: passages, the drawn vectors that tune it, or questions.

Uses the stores that ``store_speed.py`` has built in the same folder. The share of the ten nearest that are among the
candidates, for several efforts (cells of the IVF types, candidates of HNSW)::

    python benchmarks/tuning_recall.py --work /tmp/store-speed --data wordnet
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import circumstances
from rich.console import Console
from rich.table import Table
from store_data import Data, Matrix, load
from store_scene import raw_index

from automix_graph.retrieval.approximate import TUNING_K, TUNING_QUERIES, asking, candidates_for

EFFORTS: Final = {"ivf_sq8": (32, 64, 128, 256), "ivf": (32, 64, 128, 256), "hnsw": (16, 32, 64, 128)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    data = load(options.work, options.data)
    asked = _asked(data)
    nearest = {who: _nearest(data, queries) for who, queries in asked.items()}
    rows = []
    for kind in options.types.split(","):
        index = raw_index(options.work, data.name, kind)
        for effort in EFFORTS[kind]:
            found = {who: _recall(index, kind, effort, asked[who], nearest[who]) for who in asked}
            rows.append({"type": kind, "effort": effort, **found})
    result = {**circumstances(__file__), "data": data.name, "n": len(data.texts), "recall@10": rows}
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of the stores that store_speed.py has built")
    parser.add_argument("--data", default="wordnet", help="which of them (%(default)s)")
    parser.add_argument("--types", default="ivf_sq8,hnsw", help="index types (%(default)s)")
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _asked(data: Data) -> dict[str, Matrix]:
    """Return who asks: some passages, vectors as they are drawn around these in tuning, and the queries of the data."""
    rows = np.sort(np.random.default_rng(1).choice(len(data.texts), size=TUNING_QUERIES, replace=False))
    passages = np.array(data.vectors[rows])
    return {"passages": passages, "drawn vectors": asking(passages, "cosine"), "queries": data.queries}


def _nearest(data: Data, queries: Matrix) -> Any:
    import faiss

    return faiss.knn(queries, data.vectors, TUNING_K, metric=faiss.METRIC_INNER_PRODUCT)[1]


def _recall(index: Any, kind: Any, effort: int, queries: Matrix, nearest: Any) -> float:
    import faiss

    if kind == "hnsw":
        faiss.downcast_index(index.index).hnsw.efSearch = effort
    else:
        index.nprobe = effort
    found = index.search(queries, candidates_for(kind, TUNING_K))[1] - 1  # numbers count from 1
    shares = [
        len(set(hits) & set(wanted)) / TUNING_K for hits, wanted in zip(found.tolist(), nearest.tolist(), strict=True)
    ]
    return float(np.mean(shares))


def _show(result: dict[str, Any]) -> None:
    table = Table(title=f"recall@{TUNING_K} of {result['data']}, by who asks")
    first, *_ = result["recall@10"]
    for name in first:
        table.add_column(name)
    for row in result["recall@10"]:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
