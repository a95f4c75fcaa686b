"""A Ray job that answers a file of questions; see README.md beside it."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from automix_graph import BatchOptions, FaissStore, create_automix, load_embeddings, run_batch
from automix_graph.batch import BatchProgress
from automix_graph.engines import RayEngine


def make_graph(index: str, embedding: str | None, small: str, large: str):
    """Make the graph; each actor does so once, and keeps its index open as long as it lives."""
    store = FaissStore.open(index, load_embeddings(embedding))
    return create_automix(small=small, large=large, retriever=store.as_retriever())


def tell(now: BatchProgress) -> None:
    """Print a line every thousand rows."""
    if now.done and now.done % 1000 == 0:
        print(f"{now.done}/{now.total} rows, {now.failed} failed, at least ${now.spent.at_least:.2f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the batch on the cluster that the job belongs to; without one, on this machine."""
    parser = argparse.ArgumentParser(description="Answer questions on the cluster that this job runs on.")
    parser.add_argument("questions", type=Path)
    parser.add_argument("answers", type=Path)
    parser.add_argument("index")
    parser.add_argument("--embedding", help="that the index was made with; default: the embedded one")
    parser.add_argument("--small", default="openai:gpt-5-mini")
    parser.add_argument("--large", default="openai:gpt-5")
    parser.add_argument("--actors", type=int, help="default: as many as the cluster has CPUs")
    given = parser.parse_args(arguments)
    index = str(Path(given.index).absolute())
    report = run_batch(
        given.questions,
        given.answers,
        partial(make_graph, index, given.embedding, given.small, given.large),
        settings={"small": given.small, "large": given.large, "index": index, "embedding": given.embedding},
        options=BatchOptions(concurrency=16),
        engine=RayEngine(actors=given.actors),
        progress=tell,
    )
    print(f"{report.answered} of {report.total} rows answered, {report.failed} failed, {report.left} left")


if __name__ == "__main__":
    main()
