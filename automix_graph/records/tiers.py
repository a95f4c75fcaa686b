"""What tiers and the nodes that work for them are called: a tier is known by its place, from the cheapest on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

FIRST: Final = "small"
"""The tier that every question is put to."""
LAST: Final = "large"
"""The tier that is asked where no other answer is good enough."""
ABSTAINED: Final = "abstain"
"""The route of a question that was given up."""

_MIDDLE: Final = "middle"
_NUMBERED: Final = re.compile(rf"{_MIDDLE}_([1-9]\d*)")


def tier_names(count: int) -> tuple[str, ...]:
    """Return what the tiers of a cascade are called, cheapest first.

    Args:
        count: how many there are.

    Raises:
        ValueError: there are fewer than two.

    Example:
        >>> tier_names(2), tier_names(3), tier_names(4)
        (('small', 'large'), ('small', 'middle', 'large'), ('small', 'middle_1', 'middle_2', 'large'))
    """
    if count < 2:
        raise ValueError(f"a cascade has at least two tiers, not {count!r}")
    between = count - 2
    middle = (_MIDDLE,) if between == 1 else tuple(f"{_MIDDLE}_{number}" for number in range(1, between + 1))
    return (FIRST, *middle, LAST)


def tiers_among(names: Iterable[str]) -> tuple[str, ...]:
    """Return all tiers of the smallest cascade that has those of these names, cheapest first.

    Example:
        >>> tiers_among(["small"]), tiers_among(["large", "middle_2"])
        (('small', 'large'), ('small', 'middle_1', 'middle_2', 'large'))
    """
    seen = set(names)
    numbers = [int(match[1]) for name in seen if (match := _NUMBERED.fullmatch(name))]
    return tier_names(2 + max([int(_MIDDLE in seen), *numbers]))


def answer_stage(tier: str) -> str:
    """Return the node that has a tier answer, such as ``small_answer``."""
    return f"{tier}_answer"


def verify_stage(tier: str) -> str:
    """Return the node that has the answer of a tier judged: ``verify`` for the first, ``verify_middle`` and so on.

    Example:
        >>> verify_stage("small"), verify_stage("middle_1")
        ('verify', 'verify_middle_1')
    """
    return "verify" if tier == FIRST else f"verify_{tier}"


def is_answer(stage: str) -> bool:
    """Return whether a node has a tier answer."""
    return stage.endswith("_answer")


def is_verification(stage: str) -> bool:
    """Return whether a node has an answer judged."""
    return stage == "verify" or stage.startswith("verify_")


def stages(count: int) -> tuple[str, ...]:
    """Return the nodes that call models in a cascade of so many tiers, in order.

    Example:
        >>> stages(2)
        ('small_answer', 'verify', 'large_answer')
    """
    *judged, last = tier_names(count)
    return (*(stage for tier in judged for stage in (answer_stage(tier), verify_stage(tier))), answer_stage(last))
