"""The ceiling on what all background work together may cost: a call is made only if its worst case still fits under it.

Once a call does not fit, nothing more is begun, whatever a cheaper call might still fit: else long questions would be
missing among those that are recorded, and what is found on the others would not hold for all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from automix_graph.costs import Limits, Prices
from automix_graph.errors import LimitReachedError
from automix_graph.models.budget import Budget
from automix_graph.models.named import NamedModel
from automix_graph.records import Call


class Purse:
    """What is left to be spent; safe under threads.

    Args:
        max_cost: in USD; None: there is no ceiling.

    Example:
        >>> purse = Purse(1.0)
        >>> purse.reserve(0.75), purse.reserve(0.5), purse.empty
        (True, False, True)
        >>> purse.settle(0.75, 0.25)
        >>> purse.spent, purse.reserve(0.5)
        (0.25, False)
    """

    def __init__(self, max_cost: float | None) -> None:
        self.max_cost = max_cost
        self._lock = threading.Lock()
        self._spent = 0.0
        self._reserved = 0.0
        self._empty = False

    @property
    def spent(self) -> float:
        """In USD; calls of unknown cost at their worst, as far as their price is known."""
        with self._lock:
            return self._spent

    @property
    def empty(self) -> bool:
        """Whether a call did not fit under the ceiling."""
        with self._lock:
            return self._empty

    def reserve(self, worst: float) -> bool:
        """Set aside what a call may cost at worst; return whether it may be made."""
        with self._lock:
            if self.max_cost is not None and self._spent + self._reserved + worst > self.max_cost:
                self._empty = True
            if self._empty:
                return False
            self._reserved += worst
            return True

    def settle(self, reserved: float, spent: float) -> None:
        """Put what was spent in place of what was set aside."""
        with self._lock:
            self._reserved -= reserved
            self._spend(spent)

    def spend(self, cost: float) -> None:
        """Take note of what somebody else has spent."""
        with self._lock:
            self._spend(cost)

    def _spend(self, cost: float) -> None:
        self._spent += cost
        self._empty = self._empty or (self.max_cost is not None and self._spent >= self.max_cost)


class JobBudget(Budget):
    """What one job may spend: what the purse holds, within its time.

    Args:
        purse: that all jobs share.
        prices: of tokens.
        seconds: for the job; a call that runs longer is given up.
    """

    def __init__(self, purse: Purse, prices: Prices, *, seconds: float) -> None:
        limits = Limits(max_cost=purse.max_cost, max_seconds=seconds)
        super().__init__(limits, prices, calls=(), began=time.time())
        self._purse = purse
        self._set_aside = 0.0

    def admit(self, target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> None:
        """Take a call into account that is about to be made, at its worst.

        Raises:
            LimitReachedError: the purse or the time does not reach, and it is not to be made.
        """
        worst = self.at_worst(target, messages, options)
        if worst is None and self._purse.max_cost is not None:
            raise LimitReachedError.of("cost", self._purse.max_cost)  # what may cost anything may cost too much
        worst = worst or 0.0
        if not self._purse.reserve(worst):
            raise LimitReachedError.of("cost", self._purse.max_cost)
        with self._lock:
            self._set_aside += worst
        super().admit(target, messages, options)

    def settle(self, calls: Iterable[Call] | None) -> float:
        """Pay for the calls of the job; where nobody knows what one came to, all that was set aside.

        Args:
            calls: with their costs; None where nobody knows them.

        Returns:
            What was paid, in USD. It is known without a ceiling too, for a later process may set one.
        """
        costs = [None] if calls is None else [call.cost for call in calls if not call.cached]
        known = sum(cost for cost in costs if cost is not None)
        charged = known if None not in costs else max(known, self._set_aside)
        self._purse.settle(self._set_aside, charged)
        self._set_aside = 0.0
        return charged
