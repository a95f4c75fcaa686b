"""The questions of one run of a batch, and what becomes of them: asked, written, counted, placed in the output."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, cast

from automix_graph.batch.asking import MakeGraph, Task, asker
from automix_graph.batch.budget import Budget, Stop
from automix_graph.batch.committing import Committer
from automix_graph.batch.files import BatchFiles
from automix_graph.batch.journal import BatchJournal
from automix_graph.batch.options import BatchOptions
from automix_graph.batch.output import Output
from automix_graph.batch.questions import Questions, Rejected
from automix_graph.batch.report import BatchProgress, BatchReport, FailedRow, Tally
from automix_graph.batch.rows import Keys, RowShape, Told, line_of
from automix_graph.engines import Engine
from automix_graph.engines.engine import Job
from automix_graph.recording.spending import Spent

Follow = Callable[[BatchProgress], object]

_MOST_TOLD: Final = 20
"""Rows that failed of which a report tells."""
_BREATH: Final = 1000
"""Rows that are passed over before other tasks get a turn."""
_END: Final = object()


class Work:
    """One run of a batch.

    Args:
        make: makes the graph that answers, where it is asked.
        engine: that asks.
        journal: open for writing.
        questions: of the data set.
        files: of the batch.
        options: of the run.
        progress: called when rows are done.
    """

    def __init__(
        self,
        make: MakeGraph,
        *,
        engine: Engine,
        journal: BatchJournal,
        questions: Questions,
        files: BatchFiles,
        options: BatchOptions,
        progress: Follow | None,
    ) -> None:
        self._make = make
        self._engine = engine
        self._journal = journal
        self._questions = questions
        self._files = files
        self._options = options
        self._progress = progress
        self._keys = Keys(journal.settings.fingerprint)
        self._shape = RowShape(with_question=options.with_question, with_texts=options.with_texts)
        self._committer = Committer(journal.append)
        self._output = Output(files.out, order=options.order, row_at=journal.row_at)
        self._unseen = journal.count
        self._formers: dict[int, int] = {}
        self._tally = Tally()
        self._asked = 0
        self._spent = Spent()
        self._charged = 0.0
        self._stop: Stop | None = None
        self._failed: list[FailedRow] = []
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Ask what is left to be asked; whatever ends that, what is done is in the output."""
        tasks = self._tasks()
        gate = partial(
            Budget,
            self._options.max_cost,
            spent=self._journal.charged,
            dearest=self._journal.dearest,
            failures=self._options.stop_after_failures,
        )
        job = Job(
            make=partial(asker, self._make, self._shape),
            rows=tasks,
            gate=gate,
            concurrency=min(self._options.concurrency, max(1, self._questions.count)),
            done=self._commit,
        )
        try:
            self._tell()
            self._stop = cast("Stop | None", await self._engine.answer(job))
        finally:
            await self._committer.close()
            self._settle(tasks)

    def _tasks(self) -> Iterator[tuple[int, Task] | None]:
        """Go through what is to be asked, and place what is done already; None is a good moment to let others work."""
        for position, question in enumerate(self._questions):
            key = self._keys.of(question)
            offset = self._journal.find(key)
            if offset is not None:
                self._unseen -= 1
                if self._options.retry_failed and self._journal.has_failed(key):
                    self._formers[position] = offset
                else:
                    self._place_former(position, offset)
                    if position % _BREATH == 0:
                        yield None
                    continue
            yield position, Task(question=question, key=key)

    async def _commit(self, position: int, row: Mapping[str, Any]) -> None:
        """Write a row, and wait until it is on disk."""
        await self._committer.commit(line_of(row), partial(self._written, position, row, Told.by(row)))

    def _written(self, position: int, row: Mapping[str, Any], told: Told, offset: int) -> None:
        """Take in a row that is on disk."""
        self._formers.pop(position, None)
        self._asked += 1
        self._spent += told.spent
        self._charged += told.charged
        self._place(position, offset, row, told)
        self._tell()

    def _place_former(self, position: int, offset: int) -> None:
        row = json.loads(self._journal.row_at(offset))
        self._place(position, offset, row, Told.by(row))

    def _place(self, position: int, offset: int, row: Mapping[str, Any], told: Told) -> None:
        self._output.place(position, offset)
        self._tally.add(told)
        if told.failed and len(self._failed) < _MOST_TOLD:
            self._failed.append(FailedRow(id=row["id"], error=row["error"]))

    def _settle(self, tasks: Iterator[tuple[int, Task] | None]) -> None:
        """Place what is done and was not come to, or was to be asked again, and complete the output."""
        try:
            while self._unseen > 0 and next(tasks, _END) is not _END:
                pass
            for position, offset in self._formers.items():
                self._place_former(position, offset)
        finally:
            self._output.close()

    def _tell(self) -> None:
        if self._progress is None:
            return
        self._progress(
            BatchProgress(
                done=self._tally.done,
                total=self._questions.count,
                asked=self._asked,
                failed=self._tally.failed,
                rejected=self._questions.rejected,
                escalated=self._tally.escalated,
                spent=self._journal.spent + self._spent,
                seconds=time.monotonic() - self._begun,
            )
        )

    def report(self, *, first_rejected: tuple[Rejected, ...], seconds: float) -> BatchReport:
        """Return what the output now holds.

        Args:
            first_rejected: the first few rows that cannot be used.
            seconds: wall time of the run.
        """
        left = self._questions.count - self._tally.done
        return BatchReport(
            out=self._files.out,
            journal=self._files.journal,
            rejects=self._files.rejects if self._questions.rejected else None,
            total=self._questions.count,
            answered=self._tally.answered,
            failed=self._tally.failed,
            left=left,
            rejected=self._questions.rejected,
            asked=self._asked,
            routes=dict(self._tally.routes),
            escalated=self._tally.escalated,
            degraded=self._tally.degraded,
            spent=self._journal.spent + self._spent,
            spent_now=self._spent,
            charged=self._journal.charged + self._charged,
            seconds=seconds,
            stop=self._stop if left or self._formers else None,  # only where it kept a row from being asked about
            cut=self._journal.cut,
            first_failed=tuple(self._failed),
            first_rejected=first_rejected,
        )
