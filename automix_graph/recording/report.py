"""What a run says of itself: how far it is, and what has become of the rows in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automix_graph.recording.rows import BadRow
from automix_graph.recording.spending import Spent


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        done: rows that need nothing more in this run, those of earlier runs included.
        total: rows to be recorded.
        failed: rows of this run that failed so far.
        spent: by this run so far.
    """

    done: int
    total: int
    failed: int
    spent: Spent


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A row that was asked about in vain.

    Attributes:
        id: of the row.
        error: why.
    """

    id: str
    error: str


@dataclass(frozen=True, kw_only=True)
class RecordingReport:
    """What a file of records holds of a data set after a run.

    Attributes:
        out: the file.
        total: rows of the data set that were to be recorded.
        recorded: those that were, in this run or an earlier one.
        added: those that this run has recorded.
        failed: those that failed; the next run asks again.
        bad: rows of the data set that cannot be used.
        scored: recorded rows that have scores.
        scorer: how answers are scored.
        scores: mean over the scored rows in [0, 1], by tier; empty where there are none.
        own_context: rows to be recorded that come with a context, so that nothing was retrieved for them.
        spent: on all lines of the file, replaced ones and scoring included.
        spent_now: by this run.
        seconds: wall time of this run.
        cut: bytes of an unfinished last line that were cut off when the file was opened.
    """

    out: Path
    total: int
    recorded: int
    added: int
    failed: tuple[Failed, ...]
    bad: tuple[BadRow, ...]
    scored: int
    scorer: str
    scores: Mapping[str, float]
    own_context: int
    spent: Spent
    spent_now: Spent
    seconds: float
    cut: int

    @property
    def complete(self) -> bool:
        """Whether every row of the data set that was to be recorded is."""
        return not self.failed and not self.bad and self.recorded == self.total
