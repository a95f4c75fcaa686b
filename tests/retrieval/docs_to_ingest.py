"""The passages of a folder of documents, and rows to write into it."""

from __future__ import annotations

import json
from pathlib import Path

from automix_graph.retrieval import FaissStore

ALL = {
    "docs/otter.md#part=0",
    "docs/owl.txt#part=0",
    "docs/sub/rows.jsonl#line=1,part=0",
    "docs/sub/rows.jsonl#line=2,part=0",
}


def ids(store: FaissStore) -> set[str]:
    return {str(document.id) for document in store.similarity_search("x", k=9_999)}


def write_rows(path: Path, n: int) -> None:
    path.write_text("".join(json.dumps({"id": i, "text": f"row {i}"}) + "\n" for i in range(n)), encoding="utf-8")
