"""Recording a data set: every row through all tiers, scored, and written as soon as it is done.

What is written stays: the same call goes on where the last one stopped, and asks again only about rows that failed or
have changed. This module knows no file format and no model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from automix_graph.engines import Engine, LocalEngine
from automix_graph.engines.engine import Ask, Job, OpenGate, made
from automix_graph.errors import ConfigurationError
from automix_graph.graph.all_tiers import AllTiers
from automix_graph.recording.asking import recorder, remade
from automix_graph.recording.journal import Journal
from automix_graph.recording.report import Failed, Progress, RecordingReport
from automix_graph.recording.row_files import read_rows
from automix_graph.recording.rows import BadRow, Row, answerable
from automix_graph.recording.scoring import ScoreFunction, Scorer, scorer_of
from automix_graph.recording.settings import Settings
from automix_graph.recording.spending import Spent
from automix_graph.records import Recorded

DEFAULT_CONCURRENCY: Final = 4
"""Questions that are worked on at one time."""


def record_dataset(
    data: str | Path,
    out: str | Path,
    tiers: AllTiers | Callable[[], AllTiers],
    *,
    scorer: str | Scorer | ScoreFunction = "auto",
    concurrency: int = DEFAULT_CONCURRENCY,
    limit: int | None = None,
    use_context: bool = True,
    progress: Callable[[Progress], None] | None = None,
    engine: Engine | None = None,
) -> RecordingReport:
    r"""Record a data set, and wait until it is done. Where an event loop runs, as in Jupyter, see `arecord_dataset`.

    Args:
        data: the data set, see `read_rows`.
        out: the file of records; one that is there is gone on with.
        tiers: whom to ask; or a function without arguments that makes them, which `RayEngine` needs, since it makes
            them in each actor.
        scorer: a name of `automix_graph.recording.scoring`, an `LLMJudge`, or a function of question, answer and gold
            answers that returns a score in [0, 1].
        concurrency: questions that are worked on at one time.
        limit: rows from the beginning of the data set; None: all.
        use_context: whether a row's own context takes the place of retrieval.
        progress: called when rows are done.
        engine: where questions are asked; None: in this process.

    Raises:
        ConfigurationError: the data set or an argument cannot be used, the file holds something else or records of
            another configuration, or another process is writing it.
        MissingExtraError: the data set is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> from automix_graph.testing import FunctionChatModel
        >>> tiers = AllTiers(
        ...     small=FunctionChatModel(lambda prompt: "In June"),
        ...     large=FunctionChatModel(lambda prompt: "In May"),
        ...     verifier=FunctionChatModel(lambda prompt: "Incorrect"),
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data = Path(folder, "data.jsonl")
        ...     _ = data.write_text('{"id": 1, "question": "When?", "answers": ["May"], "context": "It was in May."}\n')
        ...     report = record_dataset(data, Path(folder, "records.jsonl"), tiers)
        >>> report.recorded, report.scores
        (1, {'small': 0.0, 'large': 1.0})
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise ConfigurationError("an event loop is running here; await arecord_dataset(...) instead", code="event-loop")
    return asyncio.run(
        arecord_dataset(
            data,
            out,
            tiers,
            scorer=scorer,
            concurrency=concurrency,
            limit=limit,
            use_context=use_context,
            progress=progress,
            engine=engine,
        )
    )


async def arecord_dataset(
    data: str | Path,
    out: str | Path,
    tiers: AllTiers | Callable[[], AllTiers],
    *,
    scorer: str | Scorer | ScoreFunction = "auto",
    concurrency: int = DEFAULT_CONCURRENCY,
    limit: int | None = None,
    use_context: bool = True,
    progress: Callable[[Progress], None] | None = None,
    engine: Engine | None = None,
) -> RecordingReport:
    """Record a data set, asynchronously; see `record_dataset`. What is done when it is cancelled is on disk."""
    _check_count("concurrency", concurrency)
    if limit is not None:
        _check_count("limit", limit)
    engine = engine or LocalEngine()
    make = made(tiers, _maker(tiers), apart=engine.apart, what="tiers")
    here = make()
    found = answerable(read_rows(data), use_context=use_context, retriever=here.retriever is not None)
    rows = found.rows[:limit]
    chosen = scorer_of(scorer)
    started = time.monotonic()
    with Journal(out, Settings.of(here, chosen)) as journal:
        work = _Work(journal=journal, tiers=here, scorer=chosen, rows=rows, progress=progress)
        parts = (make, remade(chosen)) if engine.apart else (lambda: here, lambda: chosen)
        asking = partial(recorder, *parts, journal.settings)
        await work.run(engine, asking, concurrency)
    return work.report(bad=found.bad, seconds=time.monotonic() - started)


class _Work:
    """The rows of one run, and what has become of them."""

    def __init__(
        self,
        *,
        journal: Journal,
        tiers: AllTiers,
        scorer: Scorer,
        rows: Sequence[Row],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._journal = journal
        self._tiers = tiers
        self._scorer = scorer
        self._rows = rows
        self._progress = progress
        self._todo = [row for row in rows if not self._is_recorded(row)]
        self._done = len(rows) - len(self._todo)
        self._failed = 0
        self._spent = Spent()

    async def run(self, engine: Engine, make: Callable[[], Ask[Row, Recorded]], concurrency: int) -> None:
        """Record what is left to be, several rows at one time."""
        self._tell()
        job = Job(
            make=make,
            rows=iter(enumerate(self._todo)),
            gate=OpenGate,
            concurrency=min(concurrency, max(1, len(self._todo))),
            done=self._keep,
        )
        await engine.answer(job)

    async def _keep(self, _position: int, recorded: Recorded) -> None:
        self._journal.append(recorded)
        self._done += 1
        self._failed += recorded.error is not None
        self._spent += Spent.on(recorded)
        self._tell()

    def report(self, *, bad: tuple[BadRow, ...], seconds: float) -> RecordingReport:
        """Return what the file now holds of the rows."""
        entries = {row.id: self._journal.entries[row.id] for row in self._rows}
        scores = [entry.scores for entry in entries.values() if entry.scores]
        return RecordingReport(
            out=self._journal.path,
            total=len(self._rows),
            recorded=sum(entry.error is None for entry in entries.values()),
            added=len(self._todo) - self._failed,
            failed=tuple(
                Failed(id=id_, error=entry.error) for id_, entry in entries.items() if entry.error is not None
            ),
            bad=bad,
            scored=len(scores),
            scorer=self._scorer.name,
            scores=_means(scores, [tier.name for tier in self._tiers.parts.tiers]),
            own_context=sum(row.context is not None for row in self._rows),
            spent=self._journal.spent,
            spent_now=self._spent,
            seconds=seconds,
            cut=self._journal.cut,
        )

    def _is_recorded(self, row: Row) -> bool:
        entry = self._journal.entries.get(row.id)
        return entry is not None and entry.error is None and entry.row == row.fingerprint

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(Progress(done=self._done, total=len(self._rows), failed=self._failed, spent=self._spent))


def _means(scores: Sequence[Mapping[str, float]], tiers: Sequence[str]) -> dict[str, float]:
    return {tier: sum(score[tier] for score in scores) / len(scores) for tier in tiers} if scores else {}


def _maker(tiers: AllTiers | Callable[[], AllTiers]) -> Callable[[], AllTiers]:
    return (lambda: tiers) if isinstance(tiers, AllTiers) else tiers


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name} is {value!r}; use a whole number, 1 or more")
