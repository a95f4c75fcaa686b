"""The questions of one run of a batch, and what becomes of them: asked, written, counted, placed in the output."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from automix_graph.batch.asking import Failure, Graph, asked
from automix_graph.batch.budget import Budget
from automix_graph.batch.committing import Committer
from automix_graph.batch.files import BatchFiles
from automix_graph.batch.journal import BatchJournal
from automix_graph.batch.options import BatchOptions
from automix_graph.batch.output import Output
from automix_graph.batch.questions import Question, Questions, Rejected
from automix_graph.batch.report import BatchProgress, BatchReport, FailedRow, Tally
from automix_graph.batch.rows import Keys, RowShape, Told, line_of
from automix_graph.recording.spending import Spent

Follow = Callable[[BatchProgress], object]

_MOST_TOLD: Final = 20
"""Rows that failed of which a report tells."""
_BREATH: Final = 1000
"""Rows that are passed over before other tasks get a turn."""
_END: Final = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """A question that is to be asked, with its place among all and the key of its row."""

    position: int
    question: Question
    key: bytes


class Work:
    """One run of a batch.

    Args:
        graph: that answers.
        journal: open for writing.
        questions: of the data set.
        files: of the batch.
        options: of the run.
        progress: called when rows are done.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        journal: BatchJournal,
        questions: Questions,
        files: BatchFiles,
        options: BatchOptions,
        progress: Follow | None,
    ) -> None:
        self._graph = graph
        self._journal = journal
        self._questions = questions
        self._files = files
        self._options = options
        self._progress = progress
        self._keys = Keys(journal.settings.fingerprint)
        self._shape = RowShape(with_question=options.with_question, with_texts=options.with_texts)
        self._budget = Budget(options.max_cost, spent=journal.spent.at_least, dearest=journal.dearest)
        self._committer = Committer(journal.append)
        self._output = Output(files.out, order=options.order, row_at=journal.row_at)
        self._unseen = journal.count
        self._formers: dict[int, int] = {}
        self._tally = Tally()
        self._asked = 0
        self._spent = Spent()
        self._failed: list[FailedRow] = []
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Ask what is left to be asked; whatever ends that, what is done is in the output."""
        tasks = self._tasks()
        workers = [
            asyncio.create_task(self._work(tasks)) for _ in range(min(self._options.concurrency, self._questions.count))
        ]
        try:
            self._tell()
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._committer.close()
            self._settle(tasks)

    async def _work(self, tasks: Iterator[_Task | None]) -> None:
        for task in tasks:
            if task is None:
                await asyncio.sleep(0)
            elif not await self._budget.admit():
                return
            else:
                await self._ask(task)

    def _tasks(self) -> Iterator[_Task | None]:
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
            yield _Task(position=position, question=question, key=key)

    async def _ask(self, task: _Task) -> None:
        result = await asked(self._graph, task.question.text, thread=task.key.hex())
        if isinstance(result, Failure):
            row = self._shape.failed(task.question, task.key, result.error, result.calls)
        else:
            row = self._shape.answered(task.question, task.key, result)
        told = Told.by(row)
        await self._committer.commit(line_of(row), partial(self._written, task.position, row, told))
        await self._budget.settle(told.spent.at_least, answered=not told.failed, known=not told.unpriced)

    def _written(self, position: int, row: Mapping[str, Any], told: Told, offset: int) -> None:
        """Take in a row that is on disk."""
        self._formers.pop(position, None)
        self._asked += 1
        self._spent += told.spent
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

    def _settle(self, tasks: Iterator[_Task | None]) -> None:
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
        return BatchReport(
            out=self._files.out,
            journal=self._files.journal,
            rejects=self._files.rejects if self._questions.rejected else None,
            total=self._questions.count,
            answered=self._tally.answered,
            failed=self._tally.failed,
            left=self._questions.count - self._tally.done,
            rejected=self._questions.rejected,
            asked=self._asked,
            routes=dict(self._tally.routes),
            escalated=self._tally.escalated,
            degraded=self._tally.degraded,
            spent=self._journal.spent + self._spent,
            spent_now=self._spent,
            seconds=seconds,
            stop=self._budget.stop,
            cut=self._journal.cut,
            first_failed=tuple(self._failed),
            first_rejected=first_rejected,
        )
