"""What is done about a question behind its answer: missing models are asked, answers compared, and a line written.

It is done by whoever calls; of queues and threads nothing is known here.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from automix_graph.costs import Prices
from automix_graph.graph.all_tiers import Run
from automix_graph.graph.behind import Job
from automix_graph.models.failures import kind_of
from automix_graph.recording.judge import LLMJudge
from automix_graph.recording.scoring import Scorer
from automix_graph.records import AGREEMENT, Recorded
from automix_graph.shadow.comparing import Agreement, agreement_of
from automix_graph.shadow.live_file import LiveFile
from automix_graph.shadow.outage import UNWRITABLE, Outage
from automix_graph.shadow.purse import JobBudget, Purse

PassedOver = Literal["over_budget", "unwritable"]
"""Why nobody was asked: the ceiling on cost was reached before, or the file cannot be written."""


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
        self._outage = Outage(file.test)
        self._lock = threading.Lock()
        self._has_read = False

    @property
    def pauses(self) -> bool:
        """Whether the file could not be written a short while ago, so that nobody is asked now."""
        return self._outage.pauses

    def done(self, job: Job) -> Recorded | PassedOver:
        """Ask, compare and write; return what was written, or why nobody was asked.

        Raises:
            ConfigurationError: the file is not what it was.
            OSError: it cannot be written.
            Timeout: another process holds the file.
        """
        if self._outage.lasts() or not self._caught_up():
            return "unwritable"
        if self._purse.empty:
            return "over_budget"
        paid: list[float] = []
        try:
            recorded = self._recorded(job, paid)
        except BaseException as error:  # a mistake in a function of the user, which may have been paid for
            kind = kind_of(error) if isinstance(error, Exception) else type(error).__name__
            recorded = Recorded(id=job.id, error=f"the work behind the answer raised {kind}")
        recorded = dataclasses.replace(
            recorded,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            origin=job.origin,
            rate=job.rate,
            charged=sum(paid),
        )
        try:
            self._purse.spend(self.file.append(recorded))
        except UNWRITABLE:
            self._outage.begin(len(recorded.to_json()) + 1)
            raise
        return recorded

    def _caught_up(self) -> bool:
        """Read once what others have spent by the file; here, so that nobody waits for a long file to be read."""
        with self._lock:
            try:
                if not self._has_read:
                    self._purse.spend(self.file.catch_up())
                    self._has_read = True
            except UNWRITABLE:
                self._outage.begin(1)
            return self._has_read

    def _recorded(self, job: Job, paid: list[float]) -> Recorded:
        """Ask and compare; what that costs is added to what was paid, whatever comes of it."""
        run = self._completed(job, paid)
        found = self._compared(job, run, paid)
        record = run.record if self._redact is None else run.record.redacted(self._redact)
        return Recorded(
            id=job.id,
            record=record,
            scores=found.scores,
            scorer=f"{AGREEMENT}{self._scorer.name}" if found.scores else None,
            scoring=found.calls,
            error=run.error or found.error,
            background=tuple(range(len(job.record.calls), len(record.calls))),
        )

    def _completed(self, job: Job, paid: list[float]) -> Run:
        if job.complete is None:
            return Run(record=job.record)
        budget = JobBudget(self._purse, job.prices, seconds=self._seconds)
        run = None
        try:
            with budget.current():
                run = job.complete(job.record)
            return run
        finally:
            paid.append(budget.settle(None if run is None else run.record.calls[len(job.record.calls) :]))

    def _compared(self, job: Job, run: Run, paid: list[float]) -> Agreement:
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
            paid.append(budget.settle(None if found is None else found.calls))
