"""What a calibration could guarantee, or why it could guarantee nothing and what would be needed.

Plain values: they hold what was tested and found, and know neither rows nor tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Risk = Literal["error", "regret"]
"""Mean loss of the answers that are kept, or mean loss of all questions against always asking the large model."""

Reason = Literal["nothing-kept", "too-few-rows", "risk-too-high"]
"""Why nothing is certified: the strictest rule kept no row; its risk is below alpha on these rows, which are too few to
tell; or it is not."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why no rule is certified, and what would be needed.

    Attributes:
        reason: in a word.
        least_rows: how many rows without any loss would certify a rule; for the error, kept rows.
        rows_needed: about how many certification rows would certify the strictest rule that kept any, if it went on as
            it did; None if no number of rows would.
    """

    reason: Reason
    least_rows: int
    rows_needed: int | None


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Which rule is certified, or that none is. What else is said is about that rule, or the strictest that kept any.

    Attributes:
        risk: what is bounded.
        alpha: the bound on the risk.
        delta: the probability that the bound may fail.
        graded: whether losses may lie between 0 and 1, and Hoeffding and Bentkus were asked instead of the binomial.
        n: certification rows.
        position: of the certified rule in the sequence; None if none is.
        threshold: of the certified rule, if the rules are thresholds: answers of at least this confidence are kept.
        kept: how many rows the rule keeps.
        loss: the sum of the losses of those.
        p_value: of the hypothesis that its risk is above alpha.
        upper_bound: on its risk, with confidence 1 - delta for a rule chosen beforehand. The sequence has chosen this
            one by the rows, so that alpha, not this number, is what is guaranteed.
        refusal: why nothing is certified; None if a rule is.
    """

    risk: Risk
    alpha: float
    delta: float
    graded: bool
    n: int
    position: int | None
    threshold: float | None
    kept: int
    loss: float
    p_value: float
    upper_bound: float
    refusal: Refusal | None

    @property
    def rows(self) -> int:
        """Over how many rows the risk is the mean."""
        return self.kept if self.risk == "error" else self.n

    @property
    def observed(self) -> float | None:
        """The mean loss on these rows, which is optimistic for a rule that they chose; None without rows."""
        return self.loss / self.rows if self.rows else None

    @property
    def explanation(self) -> str:
        """What is certified, or why nothing is and what it would take, in a few sentences for people."""
        aim = f"{_NAMES[self.risk]} of at most {self.alpha:g} with confidence {1 - self.delta:g}"
        found = (
            f"{self.kept} of {self.n} rows kept, {_MEANS[self.risk]} {_number(self.observed)}, p = {self.p_value:.3g}"
        )
        if self.refusal is None:
            return f"Certified: {aim} ({found})."
        return f"Not certified: {aim}. {_WHY[self.refusal.reason]} ({found}). {self._remedy(self.refusal)}"

    def _remedy(self, refusal: Refusal) -> str:
        kind = "rows that are kept" if self.risk == "error" else "rows"
        least = f"It takes at least {refusal.least_rows} {kind}, all of them without a loss"
        if refusal.rows_needed is None:
            return f"{least}; at the loss observed, no number of rows would do."
        return f"{least}; at the loss and the share kept that were observed, about {refusal.rows_needed} rows in all."


_NAMES: Final[dict[Risk, str]] = {"error": "error among kept answers", "regret": "regret against the large model"}
_MEANS: Final[dict[Risk, str]] = {"error": "their mean loss", "regret": "mean loss of all"}
_WHY: Final[dict[Reason, str]] = {
    "nothing-kept": "The strictest rule kept no row, which ended the test; begin with the strictest that keeps some",
    "too-few-rows": "The strictest rule that was tested lost little enough, but on too few rows to tell",
    "risk-too-high": "The strictest rule that was tested lost too much",
}


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
