"""How far a batch is, on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from automix_graph.batch import BatchProgress
from automix_graph.cli.record_view import cost_of

_BETWEEN_LINES: Final = 10.0
"""Seconds between two lines of a log."""


@contextmanager
def followed() -> Iterator[Callable[[BatchProgress], None]]:
    """Show how far a batch is for as long as it runs.

    Yields:
        What is to be called with every progress.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(
            TextColumn("answering"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
        ) as bar:
            task = bar.add_task("", total=None, told="")
            yield lambda now: bar.update(task, total=now.total, completed=now.done, told=told(now))
        return
    log = _Log(console)
    yield log.follow
    log.end()


class _Log:
    """Prints a line at the beginning, now and then, and at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._due = 0.0
        self._last: BatchProgress | None = None

    def follow(self, now: BatchProgress) -> None:
        self._last = now
        if time.monotonic() >= self._due:
            self._print(now)

    def end(self) -> None:
        if self._last is not None:
            self._print(self._last)

    def _print(self, now: BatchProgress) -> None:
        self._due = time.monotonic() + _BETWEEN_LINES
        self._last = None
        self._console.print(f"{now.done}/{now.total}  {told(now)}", highlight=False, soft_wrap=True)


def told(now: BatchProgress) -> str:
    """Return a line that tells of rate, escalated share, cost so far, failed rows and the time that is left.

    Example:
        >>> from automix_graph.recording import Spent
        >>> told(
        ...     BatchProgress(
        ...         done=60, total=100, asked=20, failed=1, rejected=0, escalated=0.25, spent=Spent(cost=0.5), seconds=4
        ...     )
        ... )
        '5.0/s  escalated 25 %  cost $0.500000  failed 1  ETA 0:00:08'
    """
    rate = "" if now.rate is None else f"{now.rate:.1f}/s  "
    escalated = "" if now.escalated is None else f"escalated {now.escalated:.0%}  ".replace("%", " %")
    rejected = f"  rejected {now.rejected}" if now.rejected else ""
    eta = "" if now.eta is None else f"  ETA {timedelta(seconds=round(now.eta))}"
    return f"{rate}{escalated}cost {cost_of(now.spent)}  failed {now.failed}{rejected}{eta}"
