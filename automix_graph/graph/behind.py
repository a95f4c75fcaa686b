"""Work on a question behind its answer: a sampled share is handed to somebody who has the missing models asked later.

In shadow mode these are the small model and its judge, in a cascade the large model where a smaller one's answer was
kept. Whoever takes the work waits for it, pays for it and writes it down; this module knows none of that, and a
question does not know that there is somebody.

Questions are drawn by a hash of their id and a seed: the id is ``metadata["question_id"]`` of the call where that is
given, so that the same question is drawn again in every process, else a random one, for which the draw is a random one
too. It is the occurrence that is drawn, not the text: a question that is asked often counts often.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

from langchain_core.runnables import ensure_config

from automix_graph.costs import Prices
from automix_graph.errors import ConfigurationError
from automix_graph.models.failures import kind_of
from automix_graph.records import ABSTAINED, LAST, Record, Verdict, Verification

if TYPE_CHECKING:
    from automix_graph.graph.all_tiers import Run

Mode = Literal["cascade", "shadow"]
"""Who answers users: the cascade, or the large model alone while the cascade is watched."""

NOT_JUDGED: Final = Verification(
    method="none", verdict=Verdict.UNPARSED, confidence=None, failure="shadow mode: nobody waits for a judge"
)
"""What users of a graph in shadow mode are told of a judge."""

_log: Final = logging.getLogger(__name__)

_HASH_BYTES: Final = 8
_HASHES: Final = float(1 << (8 * _HASH_BYTES))


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is left to be done about a question whose answer has been given.

    Attributes:
        id: of the question.
        origin: ``"shadow"``, or ``"audit"`` for a question of a cascade.
        rate: at which such questions are drawn, in [0, 1].
        record: of the question as it ended.
        complete: asks the missing models, within the budget that is current; None where there are none to ask.
        prices: of tokens.
    """

    id: str
    origin: Literal["shadow", "audit"]
    rate: float
    record: Record
    complete: Callable[[Record], Run] | None
    prices: Prices


@runtime_checkable
class Taking(Protocol):
    """Takes work that nobody waits for; `automix_graph.shadow.Background` does."""

    @property
    def seed(self) -> int:
        """Of the draw."""
        ...

    @property
    def max_cost(self) -> float | None:
        """What the work may cost, in USD; None where it may cost anything."""
        ...

    def offer(self, job: Job) -> None:
        """Take a job, or drop it; at once, whatever the state of things, and without an exception."""
        ...


@dataclass(frozen=True, kw_only=True)
class Behind:
    """Is told of every question that has ended, and hands a share of them on.

    Attributes:
        mode: who answers.
        rate: which share, in [0, 1].
        taking: who takes the work.
        complete: asks the models that a record lacks.
        prices: of tokens.
    """

    mode: Mode
    rate: float
    taking: Taking
    complete: Callable[[Record], Run]
    prices: Prices

    def ended(self, record: Record) -> None:
        """Hand a question on if it is drawn. Nothing that goes wrong here reaches the question."""
        try:
            name = _question_id()
            # An answer that is only the best there is was not kept, and one without passages cannot be compared.
            if not record.degraded and is_drawn(name, rate=self.rate, seed=self.taking.seed):
                self.taking.offer(self._job(name, record))
        except Exception as error:
            # Neither the error's words nor its traceback: they may hold the user's text.
            _log.warning("a question cannot be handed on to be worked on later: %s", kind_of(error))

    def _job(self, name: str, record: Record) -> Job:
        asks = self.mode == "shadow" or (record.draft(LAST) is None and record.route != ABSTAINED)
        return Job(
            id=name,
            origin="shadow" if self.mode == "shadow" else "audit",
            rate=self.rate,
            record=record,
            complete=self.complete if asks else None,
            prices=self.prices,
        )


def is_drawn(name: str, *, rate: float, seed: int) -> bool:
    """Return whether a question is in the sample; whoever knows its id can tell, and a higher rate draws it as well.

    Args:
        name: id of the question.
        rate: the share that is drawn, in [0, 1].
        seed: of the draw.

    Example:
        >>> drawn = [is_drawn(str(number), rate=0.1, seed=0) for number in range(1000)]
        >>> sum(drawn), is_drawn("7", rate=1.0, seed=0), is_drawn("7", rate=0.0, seed=0)
        (102, True, False)
    """
    digest = blake2b(f"{seed}:{name}".encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest) < rate * _HASHES


def require_consistent(mode: object, *, shadow_rate: float | None, audit_rate: float, background: object) -> None:
    """Refuse settings that contradict each other.

    Raises:
        ConfigurationError: they do, or one cannot be used.
    """
    if mode not in ("cascade", "shadow"):
        raise ConfigurationError(f"mode is {mode!r}; use 'cascade' or 'shadow'")
    for name, rate in (("shadow_rate", shadow_rate), ("audit_rate", audit_rate)):
        if rate is not None and not _is_share(rate):
            raise ConfigurationError(f"{name} is {rate!r}; use a share in [0, 1]")
    if background is not None and (isinstance(background, type) or not isinstance(background, Taking)):
        raise ConfigurationError(f"background is {background!r}; give Background(records='FILE.jsonl')")
    if mode == "shadow" and audit_rate:
        raise ConfigurationError(
            f"mode is 'shadow' and audit_rate is {audit_rate!r}; there are no kept answers to audit while the large "
            "model answers everything: use shadow_rate for the share that is watched"
        )
    if mode == "cascade" and shadow_rate is not None:
        raise ConfigurationError(
            f"shadow_rate is {shadow_rate!r} and mode is 'cascade'; use mode='shadow', or audit_rate for the share of "
            "kept answers that is checked"
        )
    if (mode == "shadow" or audit_rate) and background is None:
        told = "mode is 'shadow'" if mode == "shadow" else f"audit_rate is {audit_rate!r}"
        raise ConfigurationError(
            f"{told}, and there is no place for the records; give background=Background(records=…)"
        )
    if mode == "cascade" and not audit_rate and background is not None:
        raise ConfigurationError("background is given, and nothing is sampled; set mode='shadow' or audit_rate")


def _question_id() -> str:
    given = ensure_config().get("metadata", {}).get("question_id")
    return str(given) if isinstance(given, str | int) and str(given).strip() else uuid.uuid4().hex


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0
