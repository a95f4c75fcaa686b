"""Texts of models, documents and users made safe to show: nothing in them is hidden, reorders a line or runs.

HTML is escaped by the templates, not here. What this module removes is what escaping leaves alone: characters that are
invisible, change the direction of a line, pile up over other lines, or that no encoding knows. Each is named in its
place, as in ``⟨U+202E⟩``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

_INVISIBLE: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories of control, format, unassigned, private and surrogate characters and odd line ends."""

_MARKS: Final = {"Mn", "Me"}
_MOST_MARKS: Final = 6
"""Marks on one letter; more of them would be drawn over the lines above and below."""

_SELECTORS: Final = range(0xE0100, 0xE01F0)
"""Variation selectors of the supplement: marks without a shape, in which whole texts can be hidden."""

_BLANK: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that have no shape either."""

SHORT: Final = 160
LONG: Final = 2000


def inert(text: str) -> str:
    r"""Return a text with the characters that could deceive a reader named in their place.

    Line ends and tabs stay. Marks that pile up on one letter are named from the seventh on.

    Example:
        >>> inert("a\u202eb\x00\r\nc")
        'a⟨U+202E⟩b⟨U+0000⟩\nc'
    """
    found = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        found.append(f"⟨U+{ord(char):04X}⟩" if marks > _MOST_MARKS or _deceives(char, category) else char)
    return "".join(found)


def _deceives(char: str, category: str) -> bool:
    if char in "\n\t":
        return False
    return category in _INVISIBLE or char in _BLANK or ord(char) in _SELECTORS


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A text as a page shows it: its beginning, and the rest on demand.

    Attributes:
        start: the text, or its beginning.
        full: all of it, or as much as a page holds; None where `start` is the whole text.
        omitted: characters that the page does not hold.

    Example:
        >>> Shown(start="42", full=None, omitted=0).start
        '42'
    """

    start: str
    full: str | None
    omitted: int


def shown(text: str) -> Shown:
    """Return an inert text, shortened.

    Example:
        >>> shown("why? " * 100).start[-6:], len(shown("why? " * 100).full), shown("x" * 5000).omitted
        (' why?…', 500, 3000)
    """
    omitted = max(0, len(text) - LONG)
    safe = inert(text[:LONG])
    if len(safe) <= SHORT and not omitted:
        return Shown(start=safe, full=None, omitted=0)
    return Shown(start=safe[:SHORT].rstrip() + "…", full=safe, omitted=omitted)
