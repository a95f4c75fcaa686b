"""The two levels of a guarantee: alpha, the risk that is tolerated, and delta, how often the guarantee may be wrong."""

from __future__ import annotations

from automix_graph.errors import ConfigurationError


def require_level(name: str, value: float) -> None:
    """Check that a level lies strictly between 0 and 1.

    A risk of exactly 0 is certified by no number of rows, one of 1 needs none, and the same holds for delta: whoever
    asks for either means something else.

    Raises:
        ConfigurationError: it does not, or is no number.

    Example:
        >>> require_level("alpha", 0.1)
    """
    if not 0.0 < value < 1.0:
        raise ConfigurationError(f"{name} is {value!r}; use a number above 0 and below 1, such as 0.1")
