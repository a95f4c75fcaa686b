"""What can be chosen about a batch, with the defaults. Nothing here changes an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from automix_graph.errors import ConfigurationError

Order = Literal["input", "completed"]
"""In which order the rows of the output stand: as in the input, or as they were done."""

DEFAULT_CONCURRENCY: Final = 16
"""Questions that are worked on at one time."""

DEFAULT_FAILURES: Final = 100
"""Failed questions in a row after which a batch ends: few beside a long job, many beside the hiccups of a provider."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How a batch is run, and what its rows hold.

    Attributes:
        concurrency: questions that are worked on at one time; with `RayEngine`, in each actor.
        order: of the rows in the output.
        max_cost: ceiling in USD on what all runs of the job cost together; None: none.
        stop_after_failures: ends the run when so many questions have failed one after the other, as when a provider is
            down; 0: never.
        retry_failed: whether rows that failed in an earlier run are asked again.
        with_question: whether rows repeat the question.
        with_texts: whether sources come with their texts.
        longest_question: in characters; a longer one is rejected.
        rejects: file of the rows that cannot be used, in place of one of an earlier run; None: beside the output,
            ``OUT.rejects.jsonl`` for ``OUT.jsonl`` and ``OUT.rejects`` for others.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> BatchOptions(max_cost=2.5).order
        'input'
    """

    concurrency: int = DEFAULT_CONCURRENCY
    order: Order = "input"
    max_cost: float | None = None
    stop_after_failures: int = DEFAULT_FAILURES
    retry_failed: bool = True
    with_question: bool = True
    with_texts: bool = False
    longest_question: int = 20_000
    rejects: str | Path | None = None

    def __post_init__(self) -> None:
        if self.order not in get_args(Order):
            raise ConfigurationError(f"order is {self.order!r}; use 'input' or 'completed'")
        for name, least in (("concurrency", 1), ("longest_question", 1), ("stop_after_failures", 0)):
            value: Any = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigurationError(f"{name} is {value!r}; use a whole number, {least} or more")
        if self.max_cost is not None and not (0 < self.max_cost < math.inf):
            raise ConfigurationError(f"max_cost is {self.max_cost!r}; use a number of USD above zero, or None")
