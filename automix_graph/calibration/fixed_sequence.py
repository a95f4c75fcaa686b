"""Fixed-sequence testing: many hypotheses at the price of one, if their order was fixed before.

The rules are tested in their order, each at the full level delta, and the first that fails ends it. To certify any rule
that it should not, it has to pass the first such rule of the order, and which one that is does not depend on the rows
tested: it passes with probability at most delta (Maurer, Hothorn and Lehmacher 1995; for risks Angelopoulos et al.,
"Learn then Test", arXiv 2110.01052). An order that was chosen by looking at the same rows has no such guarantee.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from automix_graph.calibration.levels import require_level
from automix_graph.columns import fractions


def fixed_sequence(p_values: ArrayLike, *, delta: float) -> int | None:
    """Return the position of the last rule that is certified, or None if the first one fails.

    Args:
        p_values: shape (m,), in [0, 1], in the order of testing: from the strictest rule to the loosest.
        delta: the level of the whole, in (0, 1).

    Raises:
        ConfigurationError: delta is no such level, or there are no p-values, or some are none.

    Example:
        >>> fixed_sequence([0.01, 0.04, 0.30, 0.02], delta=0.1)
        1
    """
    require_level("delta", delta)
    failures = np.flatnonzero(fractions("p_values", p_values) > delta)
    passed = int(failures[0]) if failures.size else np.size(p_values)
    return passed - 1 if passed else None
