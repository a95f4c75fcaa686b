"""What a batch says of itself: how far it is, and what has become of the rows in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automix_graph.batch.budget import Stop
from automix_graph.batch.questions import Rejected
from automix_graph.batch.rows import Told
from automix_graph.recording.spending import Spent


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """How far a batch is.

    Attributes:
        done: rows that need nothing more in this run, those of earlier runs included.
        total: rows that can be asked about.
        asked: rows that this run has asked about.
        failed: rows among those that are done that failed.
        rejected: rows of the input that cannot be used.
        escalated: share in [0, 1] of the answered rows that went beyond the first model; None where there are none.
        spent: on the job, earlier runs included.
        seconds: since this run began to ask.

    Example:
        >>> progress = BatchProgress(
        ...     done=60, total=100, asked=20, failed=0, rejected=0, escalated=0.25, spent=Spent(), seconds=4.0
        ... )
        >>> progress.rate, progress.eta
        (5.0, 8.0)
    """

    done: int
    total: int
    asked: int
    failed: int
    rejected: int
    escalated: float | None
    spent: Spent
    seconds: float

    @property
    def rate(self) -> float | None:
        """Rows a second in this run; None before the first."""
        return self.asked / self.seconds if self.asked and self.seconds > 0 else None

    @property
    def eta(self) -> float | None:
        """Seconds until all rows are done, at the rate so far; None before the first."""
        return None if self.rate is None else (self.total - self.done) / self.rate


@dataclass(frozen=True, kw_only=True)
class FailedRow:
    """A row whose question failed.

    Attributes:
        id: of the row.
        error: why.
    """

    id: str | int
    error: str


@dataclass(frozen=True, kw_only=True)
class BatchReport:
    """What the output of a batch holds after a run.

    Attributes:
        out: the output.
        journal: with which the same batch goes on.
        rejects: the file of rows that cannot be used; None where there are none.
        total: rows of the input that can be asked about.
        answered: those that are answered, in this run or an earlier one.
        failed: those whose question failed.
        left: those that nobody has asked about yet.
        rejected: rows of the input that cannot be used.
        asked: rows that this run has asked about.
        routes: answered rows by route.
        escalated: share in [0, 1] of the answered rows that went beyond the first model; None where there are none.
        degraded: answered rows whose answer was rejected and is the best there is.
        spent: on the job, earlier runs and replaced rows included.
        spent_now: by this run.
        charged: for the job to the ceiling on the cost, in USD: what is known, and calls that were given up at their
            worst.
        seconds: wall time of this run.
        stop: why the run ended before all rows were asked about; None where it did not.
        cut: bytes of an unfinished last line that were cut off the journal.
        first_failed: the first few that failed.
        first_rejected: the first few that cannot be used.
    """

    out: Path
    journal: Path
    rejects: Path | None
    total: int
    answered: int
    failed: int
    left: int
    rejected: int
    asked: int
    routes: Mapping[str, int]
    escalated: float | None
    degraded: int
    spent: Spent
    spent_now: Spent
    charged: float
    seconds: float
    stop: Stop | None
    cut: int
    first_failed: tuple[FailedRow, ...]
    first_rejected: tuple[Rejected, ...]

    @property
    def complete(self) -> bool:
        """Whether every row of the input is answered."""
        return self.answered == self.total and not self.rejected


class Tally:
    """Counts the rows of the output.

    Attributes:
        routes: answered rows by route.
        failed: rows that failed.
        degraded: answered rows that are degraded.
    """

    def __init__(self) -> None:
        self.routes: Counter[str] = Counter()
        self.failed = 0
        self.degraded = 0
        self._escalated = 0

    def add(self, told: Told) -> None:
        """Count a row."""
        if told.failed or told.route is None:
            self.failed += 1
            return
        self.routes[told.route] += 1
        self.degraded += told.degraded
        self._escalated += told.escalated

    @property
    def answered(self) -> int:
        """Rows that are answered."""
        return self.routes.total()

    @property
    def done(self) -> int:
        """Rows that are answered, or failed."""
        return self.answered + self.failed

    @property
    def escalated(self) -> float | None:
        """Share in [0, 1] of the answered rows that went beyond the first model; None where there are none."""
        return self._escalated / self.answered if self.answered else None
