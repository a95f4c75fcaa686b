"""Measure how often the right passage is among the first k, for each search type and embedding model.

The right passage of a question is the paragraph whose text equals the question's ``context``. Examples::

    python benchmarks/retrieval_recall.py \
        --paragraphs squad_dev_paragraphs.jsonl --questions squad_dev_500.jsonl --json recall-en.json
    python benchmarks/retrieval_recall.py --questions xquad_zh_400.jsonl --json recall-zh.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.documents import Document
from rich.console import Console
from rich.table import Table

from automix_graph.models import load_embeddings
from automix_graph.models.catalog import CATALOG, LOCAL_PREFIX
from automix_graph.retrieval import FaissStore

MODES = ("bm25", "similarity", "hybrid")
CUTS = (1, 4, 10)
RESAMPLES = 10_000
EMBEDDED = tuple(LOCAL_PREFIX + model.name for model in CATALOG.values() if model.kind == "embedding")


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
    results = []
    for embedding in options.embedding or EMBEDDED:
        results.append(_measured(embedding, documents, questions, gold, options.seed))
        _show(results[-1])
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


def _measured(
    embedding: str, documents: list[Document], questions: list[dict[str, Any]], gold: dict[str, str], seed: int
) -> dict[str, Any]:
    started = time.perf_counter()
    with FaissStore.from_documents(documents, load_embeddings(embedding)) as store:
        indexing = time.perf_counter() - started
        found = {mode: _ranks(store, mode, questions, gold) for mode in MODES}
    ranks = {mode: ranked for mode, (ranked, _) in found.items()}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "embedding": embedding,
        "paragraphs": len(documents),
        "questions": len(questions),
        "seed": seed,
        "indexing_seconds": round(indexing, 1),
        "search_ms": {mode: round(milliseconds, 2) for mode, (_, milliseconds) in found.items()},
        "recall": {mode: _recalls(ranked, seed) for mode, ranked in ranks.items()},
        "hybrid_minus_bm25": _differences(ranks["hybrid"], ranks["bm25"], seed),
        "hybrid_minus_similarity": _differences(ranks["hybrid"], ranks["similarity"], seed),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="JSONL with 'question' and 'context'")
    parser.add_argument("--paragraphs", type=Path, help="JSONL with 'text'; without it, the contexts of the questions")
    parser.add_argument(
        "--embedding", action="append", help="embedding model; may be repeated (default: every embedded one)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the result to this file")
    return parser


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _paragraphs(path: Path | None, questions: list[dict[str, Any]]) -> list[str]:
    texts = [row["text"] for row in _rows(path)] if path else [row["context"] for row in questions]
    return list(dict.fromkeys(texts))


def _ranks(
    store: FaissStore, mode: str, questions: list[dict[str, Any]], gold: dict[str, str]
) -> tuple[np.ndarray, float]:
    """Return the rank of each question's paragraph, from 1, and the median milliseconds of a search.

    The rank is infinity where the paragraph is not among the first.
    """
    ranks = np.full(len(questions), np.inf)
    seconds = []
    for row, question in enumerate(questions):
        started = time.perf_counter()
        found = [document.id for document in store.search(question["question"], mode, k=max(CUTS))]
        seconds.append(time.perf_counter() - started)
        wanted = gold[question["context"]]
        if wanted in found:
            ranks[row] = found.index(wanted) + 1
    return ranks, statistics.median(seconds) * 1000


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
