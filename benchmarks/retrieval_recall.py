"""Measure how often the right passage is among the first k, for each search type.

The right passage of a question is the paragraph whose text equals the question's ``context``. Example::

    python benchmarks/retrieval_recall.py \
        --paragraphs squad_dev_paragraphs.jsonl --questions squad_dev_500.jsonl --json recall.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.documents import Document
from rich.console import Console
from rich.table import Table

from automix_graph.config import DEFAULT_EMBEDDING
from automix_graph.models import load_embeddings
from automix_graph.retrieval import FaissStore

MODES = ("bm25", "similarity", "hybrid")
CUTS = (1, 4, 10)
RESAMPLES = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    questions = _rows(options.questions)
    texts = _paragraphs(options.paragraphs, questions)
    gold = {text: str(number) for number, text in enumerate(texts)}
    documents = [Document(page_content=text, id=id_) for text, id_ in gold.items()]
    missing = sum(row["context"] not in gold for row in questions)
    if missing:
        print(f"{missing} questions have a context that is no paragraph", file=sys.stderr)
        return 1
    started = time.perf_counter()
    with FaissStore.from_documents(documents, load_embeddings(options.embedding)) as store:
        indexing = time.perf_counter() - started
        ranks = {mode: _ranks(store, mode, questions, gold) for mode in MODES}
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "embedding": options.embedding,
        "paragraphs": len(documents),
        "questions": len(questions),
        "seed": options.seed,
        "indexing_seconds": round(indexing, 1),
        "recall": {mode: _recalls(found, options.seed) for mode, found in ranks.items()},
        "hybrid_minus_bm25": _differences(ranks["hybrid"], ranks["bm25"], options.seed),
        "hybrid_minus_similarity": _differences(ranks["hybrid"], ranks["similarity"], options.seed),
    }
    _show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="JSONL with 'question' and 'context'")
    parser.add_argument("--paragraphs", type=Path, help="JSONL with 'text'; without it, the contexts of the questions")
    parser.add_argument("--embedding", default=DEFAULT_EMBEDDING, help="embedding model (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    return parser


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _paragraphs(path: Path | None, questions: list[dict[str, Any]]) -> list[str]:
    texts = [row["text"] for row in _rows(path)] if path else [row["context"] for row in questions]
    return list(dict.fromkeys(texts))


def _ranks(store: FaissStore, mode: str, questions: list[dict[str, Any]], gold: dict[str, str]) -> np.ndarray:
    """Return the rank of each question's paragraph, from 1; infinity where it is not among the first."""
    ranks = np.full(len(questions), np.inf)
    for row, question in enumerate(questions):
        found = [document.id for document in store.search(question["question"], mode, k=max(CUTS))]
        wanted = gold[question["context"]]
        if wanted in found:
            ranks[row] = found.index(wanted) + 1
    return ranks


def _recalls(ranks: np.ndarray, seed: int) -> dict[str, Any]:
    return {f"recall@{cut}": _interval((ranks <= cut).astype(float), seed) for cut in CUTS}


def _differences(ranks: np.ndarray, others: np.ndarray, seed: int) -> dict[str, Any]:
    """Return paired differences: both modes answered the same questions."""
    return {f"recall@{cut}": _interval((ranks <= cut) * 1.0 - (others <= cut), seed) for cut in CUTS}


def _interval(values: np.ndarray, seed: int) -> dict[str, Any]:
    draws = np.random.default_rng(seed).integers(0, len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {"value": round(float(values.mean()), 4), "interval95": [round(float(low), 4), round(float(high), 4)]}


def _show(result: dict[str, Any]) -> None:
    title = f"{result['questions']} questions, {result['paragraphs']} paragraphs, {result['embedding']}"
    table = Table(title=title, caption=f"95% bootstrap intervals, {result['date']}")
    table.add_column("search")
    for cut in CUTS:
        table.add_column(f"recall@{cut}")
    rows = result["recall"] | {name: result[name] for name in ("hybrid_minus_bm25", "hybrid_minus_similarity")}
    for name, cells in rows.items():
        texts = [
            f"{cell['value']:.3f} [{cell['interval95'][0]:.3f}, {cell['interval95'][1]:.3f}]" for cell in cells.values()
        ]
        table.add_row(name, *texts)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
