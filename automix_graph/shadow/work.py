"""What is done about a question behind its answer: missing models are asked, answers compared, and a line written.

It is done by whoever calls; of queues and threads nothing is known here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from automix_graph.costs import Prices
from automix_graph.graph.all_tiers import Run
from automix_graph.graph.behind import Job
from automix_graph.recording.judge import LLMJudge
from automix_graph.recording.scoring import Scorer
from automix_graph.records import AGREEMENT, Recorded
from automix_graph.shadow.comparing import Agreement, agreement_of
from automix_graph.shadow.live_file import LiveFile
from automix_graph.shadow.purse import JobBudget, Purse


class Work:
    """Does jobs, within what they may cost; safe under threads.

    Args:
        file: of the records.
        purse: of all that write to it.
        scorer: compares answers.
        redact: what is made of texts before they are written; None: they stay.
        seconds: for the models of one question, and for a judge that compares.
    """

    def __init__(
        self,
        *,
        file: LiveFile,
        purse: Purse,
        scorer: Scorer,
        redact: Callable[[str], str] | None,
        seconds: float,
    ) -> None:
        self.file = file
        self._purse = purse
        self._scorer = scorer
        self._redact = redact
        self._seconds = seconds
        self._lock = threading.Lock()
        self._has_read = False

    def done(self, job: Job) -> Recorded | None:
        """Ask, compare and write; return what was written, None where the ceiling on cost was reached before.

        Raises:
            OSError: it cannot be written.
            Timeout: another process holds the file.
        """
        self._catch_up()
        if self._purse.empty:
            return None
        run = self._completed(job)
        found = self._compared(job, run)
        record = run.record if self._redact is None else run.record.redacted(self._redact)
        recorded = Recorded(
            id=job.id,
            record=record,
            scores=found.scores,
            scorer=f"{AGREEMENT}{self._scorer.name}" if found.scores else None,
            scoring=found.calls,
            error=run.error or found.error,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            origin=job.origin,
            rate=job.rate,
            background=tuple(range(len(job.record.calls), len(record.calls))),
        )
        self._purse.spend(self.file.append(recorded))
        return recorded

    def _catch_up(self) -> None:
        """Read once what others have spent by the file; here, so that nobody waits for a long file to be read."""
        with self._lock:
            if not self._has_read:
                self._purse.spend(self.file.catch_up())
                self._has_read = True

    def _completed(self, job: Job) -> Run:
        if job.complete is None:
            return Run(record=job.record)
        budget = JobBudget(self._purse, job.prices, seconds=self._seconds)
        run = None
        try:
            with budget.current():
                run = job.complete(job.record)
            return run
        finally:
            budget.settle(None if run is None else run.record.calls[len(job.record.calls) :])

    def _compared(self, job: Job, run: Run) -> Agreement:
        if run.error is not None:
            return Agreement()
        prices = Prices(self._scorer.prices) if isinstance(self._scorer, LLMJudge) else job.prices
        budget = JobBudget(self._purse, prices, seconds=self._seconds)
        found = None
        try:
            with budget.current():
                found = agreement_of(run.record, self._scorer)
            return found
        finally:
            budget.settle(None if found is None else found.calls)
