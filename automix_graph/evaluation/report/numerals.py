"""Numbers as the report writes them: rounded, with a true minus sign, and with their intervals."""

from __future__ import annotations

from typing import Final, Literal, assert_never

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.undefined import Measured, Undefined

Kind = Literal["quality", "difference", "amount", "share", "ratio", "relative"]
"""How a number is written: 0.7893, +0.0115, 8.25, 36.1%, 0.783, +24.8%."""

UNDEFINED: Final = "–"


def numeral(value: float, kind: Kind) -> str:
    """Return a number in the way of its kind.

    Example:
        >>> [numeral(-0.1234567, kind) for kind in ("quality", "difference", "amount", "share", "ratio", "relative")]
        ['−0.1235', '−0.1235', '−0.1235', '−12.3%', '−0.123', '−12.3%']
        >>> numeral(1234567.8, "amount"), numeral(0.02, "difference"), numeral(-0.00001, "difference")
        ('1,234,568', '+0.0200', '0.0000')
    """
    match kind:
        case "quality":
            text = f"{value:.4f}"
        case "difference":
            text = f"{value:+.4f}"
        case "amount":
            text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
        case "share":
            text = f"{value:.1%}"
        case "ratio":
            text = f"{value:.3f}"
        case "relative":
            text = f"{value:+.1%}"
        case _:
            assert_never(kind)
    if not any(digit in text for digit in "123456789"):
        return text.lstrip("+-")
    return text.replace("-", "−")


def span(interval: Interval | None, kind: Kind) -> str | None:
    """Return the ends of an interval, None where there is none.

    Example:
        >>> span(Interval(estimate=0.5, low=0.25, high=0.75, level=0.95, n=9, failed_resamples=0), "share")
        '25.0% to 75.0%'
    """
    if interval is None or interval.low is None or interval.high is None:
        return None
    return f"{numeral(interval.low, kind)} to {numeral(interval.high, kind)}"


def with_span(measured: Measured, interval: Interval | None, kind: Kind) -> str:
    """Return a measure for running text, such as ``0.5000 (0.2500 to 0.7500)``; a dash where it is undefined."""
    if isinstance(measured, Undefined):
        return UNDEFINED
    ends = span(interval, kind)
    return numeral(measured, kind) if ends is None else f"{numeral(measured, kind)} ({ends})"
