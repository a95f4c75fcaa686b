"""Amounts of a plan as people read them: what many questions cost, and shares in percent."""

from __future__ import annotations

from typing import Final

SHOWN_QUESTIONS: Final = 1000
"""Questions whose cost is shown to people: that of one is too small to read."""


def usd(cost: float | None) -> str:
    """Return what `SHOWN_QUESTIONS` cost.

    Args:
        cost: of one, in USD; None where it is unknown.

    Example:
        >>> usd(0.0236), usd(0.0000021), usd(None)
        ('$23.60', '$0.0021', 'unknown')
    """
    if cost is None:
        return "unknown"
    shown = cost * SHOWN_QUESTIONS
    return f"${shown:,.4f}" if 0 < shown < 1 else f"${shown:,.2f}"


def percent(share: float | None) -> str:
    """Return a share in whole percent; None is unknown.

    Example:
        >>> percent(0.874)
        '87%'
    """
    return "unknown" if share is None else f"{share:.0%}"
