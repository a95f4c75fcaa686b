"""The error that says that rows cannot support a target, and what would be needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from automix_graph.errors import ConfigurationError

RefusalReason = Literal[
    "nothing-certified", "large-not-better", "budget-too-low", "floor-too-high", "too-few-rows", "no-confidence"
]
"""Why there is no policy, in a word."""


class CalibrationRefused(ConfigurationError):
    """The rows do not support the target; no policy is better than one that only looks as if they did.

    Attributes:
        reason: in a word.
        numbers: what the refusal stands on, and what would be needed, by name; None where no number would do.

    Example:
        >>> raise CalibrationRefused("too few", reason="too-few-rows", numbers={"questions": 3, "needed": 20})
        Traceback (most recent call last):
        automix_graph.calibration.refused.CalibrationRefused: too few
    """

    usual_code = "calibration-refused"

    def __init__(self, message: str, *, reason: RefusalReason, numbers: Mapping[str, float | None]) -> None:
        super().__init__(message)
        self.reason = reason
        self.numbers = dict(numbers)
