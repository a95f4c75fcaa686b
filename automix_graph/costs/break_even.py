"""When a cascade costs less than always asking the large model, and what quality it then needs. Arithmetic alone.

The costs are means in USD per question; they can be worked out from token counts and prices (`compare_layouts`) or be
means over records. Quality is not known here: what is told is which share of the quality gap between the two models the
cascade must recover to be worth its cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class QuestionCosts:
    """What the parts of one question cost, in USD; None where a price is unknown.

    With S the small answer, V its verification, E the large answer after a rejected one and L the large answer alone, a
    question costs S + V + (1 - a)·E at the accept rate a.

    Attributes:
        small: the small answer, as the cascade asks for it.
        verify: its verification.
        escalate: the large answer after a rejected small one; less than ``always_large`` where a cache serves it.
        always_small: the small answer where nothing else happens.
        always_large: the large answer where nothing else happens.

    Example:
        >>> costs = QuestionCosts(small=1, verify=4, escalate=20, always_small=1, always_large=20)
        >>> costs.break_even_accept_rate, costs.expected(0.5), round(costs.needed_gap_share(0.5), 3)
        (0.25, 15.0, 0.737)
    """

    small: float | None
    verify: float | None
    escalate: float | None
    always_small: float | None
    always_large: float | None

    @property
    def accepted(self) -> float | None:
        """A question whose small answer is kept: S + V."""
        return None if self.small is None or self.verify is None else self.small + self.verify

    @property
    def escalated(self) -> float | None:
        """A question whose small answer is rejected: S + V + E."""
        return None if self.accepted is None or self.escalate is None else self.accepted + self.escalate

    def expected(self, accept_rate: float) -> float | None:
        """Return the mean cost of a question, S + V + (1 - a)·E.

        Raises:
            ConfigurationError: the accept rate is no number in [0, 1].
        """
        check_share("accept_rate", accept_rate)
        if self.accepted is None or self.escalate is None:
            return None
        return self.accepted + (1 - accept_rate) * self.escalate

    @property
    def can_pay(self) -> bool | None:
        """Whether the cascade is cheaper than always-large at any accept rate: S + V < L. None where unknown."""
        if self.accepted is None or self.always_large is None:
            return None
        return self.accepted < self.always_large

    def pays(self, accept_rate: float) -> bool | None:
        """Return whether the cascade is cheaper than always-large; None where unknown."""
        expected = self.expected(accept_rate)
        return None if expected is None or self.always_large is None else expected < self.always_large

    @property
    def break_even_accept_rate(self) -> float | None:
        """The accept rate above which the cascade is cheaper than always-large: 1 - (L - S - V) / E, in [0, 1).

        None where it never is (see `can_pay`), and where a cost is unknown.
        """
        if self.can_pay is not True or self.escalate is None:
            return None
        assert self.accepted is not None  # can_pay has seen them
        assert self.always_large is not None
        margin = self.always_large - self.accepted
        return 0.0 if margin >= self.escalate else 1 - margin / self.escalate

    def needed_gap_share(self, accept_rate: float) -> float | None:
        """Return the share of the quality gap that the cascade must recover to beat a random mix of both models.

        A mix that sends a random share x of the questions straight to the large model, and the rest to the small one
        alone, recovers x of the gap between their qualities. It costs what the cascade costs at
        x = (C - always_small) / (L - always_small), with C the cascade's expected cost. In units of the small answer,
        with nothing cached, that is (v + e·c) / (c - 1) for the escalated share e. At 1 or more, always asking the
        large model is no dearer than the cascade.

        Returns:
            The share; None where a cost is unknown or the large model costs no more than the small one.

        Raises:
            ConfigurationError: the accept rate is no number in [0, 1].
        """
        expected = self.expected(accept_rate)
        if expected is None or self.always_small is None or self.always_large is None:
            return None
        gap = self.always_large - self.always_small
        return (expected - self.always_small) / gap if gap > 0 else None

    def affordable_errors(self, accept_rate: float, price_of_error: float) -> float | None:
        """Return how many more wrong answers a question than always-large the saving pays for.

        Where it is negative, the cascade must be wrong that much less often than the large model alone.

        Args:
            accept_rate: share of small answers that are kept, in [0, 1].
            price_of_error: what one wrong answer costs, in USD, above 0.

        Raises:
            ConfigurationError: a number is out of range.
        """
        if not (math.isfinite(price_of_error) and price_of_error > 0):
            raise ConfigurationError(f"price_of_error is {price_of_error!r}; use USD per wrong answer, above 0")
        expected = self.expected(accept_rate)
        if expected is None or self.always_large is None:
            return None
        return (self.always_large - expected) / price_of_error


def check_share(name: str, value: float) -> None:
    """Refuse what is no share.

    Raises:
        ConfigurationError: the value is no number in [0, 1].
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigurationError(f"{name} is {value!r}; use a number from 0 to 1")
