"""A batch: many questions through a graph, each on disk as soon as it is answered, resumed where it stopped.

What is written stays: the same call goes on where the last one stopped, whatever stopped it. This module knows no file
format and no model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from automix_graph.batch.asking import Graph, MakeGraph
from automix_graph.batch.files import BatchFiles
from automix_graph.batch.journal import BatchJournal
from automix_graph.batch.options import BatchOptions
from automix_graph.batch.questions import Questions, Rejected
from automix_graph.batch.rejects import rejects_file
from automix_graph.batch.report import BatchReport
from automix_graph.batch.settings import journal_settings
from automix_graph.batch.work import Follow, Work
from automix_graph.engines import Engine, LocalEngine
from automix_graph.engines.engine import made
from automix_graph.errors import ConfigurationError

_MOST_TOLD: Final = 20
"""Rows that cannot be used of which a report tells."""
_MOST_THREADS: Final = 1024


def run_batch(
    data: str | Path,
    out: str | Path,
    graph: Graph | MakeGraph,
    *,
    settings: Mapping[str, Any] | None = None,
    options: BatchOptions | None = None,
    progress: Follow | None = None,
    engine: Engine | None = None,
) -> BatchReport:
    r"""Answer the questions of a file, and wait until it is done. Where an event loop runs, see `arun_batch`.

    Args:
        data: JSON Lines, CSV or Parquet with a ``question`` and an ``id`` for each row; in JSON Lines the number of the
            line takes the place of an ``id`` that is missing.
        out: the output, one row of JSON for each question. Beside it lies the journal, ``OUT.journal``: with it, the
            same call goes on where an earlier one stopped.
        graph: made by `create_automix`; or a function without arguments that makes it, which `RayEngine` needs, since
            it makes one in each actor.
        settings: what decides the answers, as JSON values: a call with other settings is refused. `settings_of` tells
            them of a cascade. None: it is up to you that a job goes on with the same graph.
        options: how it is run, and what the rows hold.
        progress: called when rows are done, which are then on disk.
        engine: where questions are asked; None: in this process.

    Raises:
        ConfigurationError: the data set, the output or an option cannot be used, the journal is of other settings, or
            another process is writing it.
        MissingExtraError: the data set is a Parquet file and pyarrow is not installed, or the engine is not.
        EngineError: the engine failed; what is done is on disk.

    Example:
        >>> import json, tempfile
        >>> from automix_graph import create_automix
        >>> from automix_graph.testing import FunctionChatModel, StaticRetriever
        >>> graph = create_automix(
        ...     small=FunctionChatModel(lambda prompt: "In May"),
        ...     large=FunctionChatModel(lambda prompt: "Correct"),
        ...     retriever=StaticRetriever(["It was in May."]),
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        ...     _ = data.write_text('{"id": 1, "question": "When?"}\n')
        ...     report = run_batch(data, out, graph)
        ...     row = json.loads(out.read_text())
        >>> report.complete, row["id"], row["answer"], row["route"]
        (True, 1, 'In May', 'small')
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise ConfigurationError("an event loop is running here; await arun_batch(...) instead", code="event-loop")
    chosen = options or BatchOptions()

    async def run() -> BatchReport:
        # Models and retrievers that know no async run in threads, of which asyncio has few more than there are cores.
        threads = ThreadPoolExecutor(min(_MOST_THREADS, chosen.concurrency + 4), thread_name_prefix="automix-batch")
        asyncio.get_running_loop().set_default_executor(threads)
        return await arun_batch(data, out, graph, settings=settings, options=chosen, progress=progress, engine=engine)

    return asyncio.run(run())


async def arun_batch(
    data: str | Path,
    out: str | Path,
    graph: Graph | MakeGraph,
    *,
    settings: Mapping[str, Any] | None = None,
    options: BatchOptions | None = None,
    progress: Follow | None = None,
    engine: Engine | None = None,
) -> BatchReport:
    """Answer the questions of a file, asynchronously; see `run_batch`. What is done when it is cancelled is on disk."""
    options, engine = options or BatchOptions(), engine or LocalEngine()
    make = made(graph, _maker(graph), apart=engine.apart, what="graph")
    files = BatchFiles.of(Path(data), Path(out), options.rejects)
    started = time.monotonic()
    rejected: list[Rejected] = []
    with ExitStack() as stack:
        with rejects_file(files.rejects) as put:

            def reject(row: Rejected) -> None:
                put(row)
                if len(rejected) < _MOST_TOLD:
                    rejected.append(row)

            questions = Questions(files.data, longest=options.longest_question, rejecting=reject)
            # What is refused leaves all files as they were, that of the rejects too.
            journal = stack.enter_context(BatchJournal(files.journal, journal_settings(settings, options)))
            _require_known_cost(journal, options)
        work = Work(
            make,
            engine=engine,
            journal=journal,
            questions=questions,
            files=files,
            options=options,
            progress=progress,
        )
        await work.run()
    return work.report(first_rejected=tuple(rejected), seconds=time.monotonic() - started)


def _maker(graph: Graph | MakeGraph) -> MakeGraph:
    if hasattr(graph, "ainvoke") and not isinstance(graph, type):
        return lambda: graph
    if not callable(graph):
        raise ConfigurationError(
            f"graph is a {type(graph).__name__}; give one that create_automix made, or a function that makes one",
            code="not-a-graph",
        )
    return graph


def _require_known_cost(journal: BatchJournal, options: BatchOptions) -> None:
    if options.max_cost is not None and journal.unpriced:
        raise ConfigurationError(
            f"{journal.unpriced} calls of earlier runs have an unknown cost, so there can be no ceiling; go on without "
            "one, or begin anew with another output and the prices of all models",
            code="unknown-price",
        )
