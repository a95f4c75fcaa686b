"""What has become of the work behind the answers, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from automix_graph.records import FIRST, LAST, Recorded


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Questions that were drawn in this process, by what became of them.

    Attributes:
        drawn: that were offered: the sum of those recorded, dropped, over budget, unwritable, lost, and still waiting.
        recorded: written to the file, those that failed included.
        failed: of these, where a model gave no answer or answers could not be compared.
        compared: of these, whose answer was compared with the large model's, be it kept or rejected.
        agreed: sum of the agreements of those, each in [0, 1].
        dropped: that came when the queue was full or closed.
        over_budget: that came when the ceiling on cost was reached.
        unwritable: that came while the file could not be written, so that nobody was asked.
        lost: whose record could not be written, for instance because the disk is full; others come to be `unwritable`.
        waiting: in the queue or in work.
        spent: on background calls, in USD, by this process and, as far as they have written it down, by all others
            that write the same file, before it too. A call of unknown cost counts at its worst, or as nothing where
            its price is unknown.
        unpriced: background calls of this process of unknown cost.
    """

    drawn: int = 0
    recorded: int = 0
    failed: int = 0
    compared: int = 0
    agreed: float = 0.0
    dropped: int = 0
    over_budget: int = 0
    unwritable: int = 0
    lost: int = 0
    waiting: int = 0
    spent: float = 0.0
    unpriced: int = 0


def changes_by(recorded: Recorded) -> dict[str, float]:
    """Return what a record that was written adds to the counts, by name.

    Example:
        >>> changes_by(Recorded(id="1", error="timeout"))["failed"]
        1
    """
    calls = recorded.record.calls if recorded.record else ()
    made = [calls[place] for place in recorded.background]
    first = next((recorded.scores[name] for name in _compared(recorded) if name in recorded.scores), None)
    return {
        "recorded": 1,
        "failed": int(recorded.error is not None),
        "compared": int(first is not None),
        "agreed": first or 0.0,
        "unpriced": sum(call.cost is None and not call.cached for call in (*made, *recorded.scoring)),
    }


def _compared(recorded: Recorded) -> tuple[str, ...]:
    """Return whose agreement is counted: the answer that was kept, else the first one."""
    kept = recorded.record.route if recorded.record else None
    return (kept, FIRST) if kept is not None and kept != LAST else (FIRST,)
