"""What every verifier checks of the numbers that it is given."""

from __future__ import annotations

from automix_graph.errors import ConfigurationError


def check_threshold(threshold: object) -> None:
    """Refuse a threshold that is no confidence.

    Raises:
        ConfigurationError: it is no number in [0, 1].
    """
    if not in_unit_interval(threshold):
        raise ConfigurationError(
            f"threshold {threshold!r} is not a confidence; use a number in [0, 1]", code="bad-verifier"
        )


def in_unit_interval(value: object) -> bool:
    """Return whether a value is a number in [0, 1]; NaN and a text are not.

    Example:
        >>> in_unit_interval(0.5), in_unit_interval(float("nan")), in_unit_interval("0.5")
        (True, False, False)
    """
    try:
        return bool(0.0 <= value <= 1.0)  # type: ignore[operator]  # what cannot be compared is no number
    except (TypeError, ValueError):
        return False
