"""How much of something fits into a budget, by bisection; what counts and what the budget is, the caller says."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from automix_graph.verification.reading.excerpt import GAP
from automix_graph.verification.reading.sentences import sentences

CUT: Final = GAP.rstrip()
"""What stands behind a text that was cut."""


_INSIDE_WORD: Final = re.compile(r"[!-~]{2}")
"""Two characters of ASCII without white space between them."""


def largest(count: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number from 1 to a count that fits, or 0; what is returned was seen to fit.

    Example:
        >>> largest(10, lambda number: number * number <= 20)
        4
    """
    return bisect_left(range(1, count + 1), True, key=lambda number: not fits(number))


def cut_to_fit(text: str, fits: Callable[[str], bool]) -> str:
    """Return as many whole sentences from the start of a text as fit, else as much of the first; empty if nothing does.

    The mark behind it says that it was cut.

    Example:
        >>> cut_to_fit("It rained. It snowed. It froze.", lambda text: len(text) < 26)
        'It rained. It snowed. …'
    """
    text = text.strip()
    ends = [span.end for span in sentences(text)]
    whole = largest(len(ends), lambda number: fits(text[: ends[number - 1]] + CUT))
    if whole:
        return text[: ends[whole - 1]] + CUT
    end = largest(len(text), lambda number: fits(text[:number].rstrip() + CUT))
    if not end:
        return ""
    words = text[: _word_end(text, end)].rstrip() + CUT
    return words if fits(words) else text[:end].rstrip() + CUT


def _word_end(text: str, end: int) -> int:
    """Return the last place up to an end that is inside no word: a part of a number would be another number."""
    places = (place for place in range(end, 0, -1) if not _INSIDE_WORD.fullmatch(text[place - 1 : place + 1]))
    return next(places, end)
