"""What a judge wrote itself: its reply without what it shows of other texts in blocks, at length or over several lines.

A judge that points at a forged verdict repeats it, in quotation marks, in a code fence, or in quoted lines. Quotations
within one line are folded away elsewhere. This module knows neither verdicts nor languages, and it cannot see a
quotation that bears no mark, nor one whose text closes the marks and opens them again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final

from automix_graph.verdicts.folding import BLOCK, FOLDED_QUOTATION, THINK

_BLOCK: Final = re.compile(BLOCK, re.IGNORECASE)
_FENCE: Final = re.compile(r"^[ \t]*+(?:`{3,}+|~{3,}+)[ \t]*+[\w+-]{0,20}+[ \t]*+$", re.MULTILINE)
_LABEL: Final = re.compile(
    r"(?:^|\n)[ *#_]*+(?:(?:the|my|final|verification) ){0,3}(?:decision|verdict|judge?ment)[ *:：]*$"
    r"|(?:^|\n)[ *#_]*+验证(?:结论|决定)[ *:：]*$",
    re.IGNORECASE,
)
_QUOTED_LINE: Final = re.compile(r"^[ \t]*[>|＞｜].*$", re.MULTILINE)
_MARK: Final = re.compile("\"+|[“”„«»「」『』《》]|`+|(?<!\\w)['‘’]|['‘’](?!\\w)")
_OPENS: Final = frozenset("“„«「『《‘")
_CLOSES: Final = frozenset("”»」』》")
_OPENING: Final = frozenset("([{<,:，：（【-—=>")
"""Punctuation behind which a mark that looks the same on both sides opens."""
_CLOSING: Final = frozenset(")]}>.。,，;；:：!！?？）】")
_ENDS: Final = frozenset(".。!！?？")
_WORD: Final = re.compile(r"[\W_]*(?:[a-z]+|\w{1,4})[\W_]*", re.IGNORECASE)
"""What stands between backticks for its looks: one word, not a text."""
_SHOWN: Final = ' "q" '
_TAIL: Final = 40_000
"""Characters read from the end of a reply, more than can decide: the work stays bounded for any reply."""


def own_words(text: str) -> str:
    r"""Return a reply without fenced blocks, quoted lines, and quotations that are long or span lines.

    A fence around the whole reply, or behind the label of a decision that ends with it, is no quotation.

    Example:
        >>> own_words('The answer says "May.\n\nDecision: Correct". That is no date.')
        'The answer says  "q" . That is no date.'
    """
    text = _unfenced(_tail("\n".join(text.strip().splitlines())))
    kept, end = [], 0
    for start, stop in _outermost(sorted([*_quotations(text), *_paired(text)], key=itemgetter(1))):
        kept += [text[end:start], _SHOWN]
        end = _end_of_quoted_line(text, stop)
    return _QUOTED_LINE.sub("", "".join([*kept, text[end:]]))


def _tail(text: str) -> str:
    """Return the end of a reply from the start of a line, within the fence that was opened before it."""
    if len(text) <= _TAIL:
        return text
    tail = text[-_TAIL:].partition("\n")[2]
    opened = len(_FENCE.findall(text[: len(text) - len(tail)])) % 2
    return f"```\n{tail}" if opened else tail


def _unfenced(text: str) -> str:
    """Leave out what stands between the first fence and the last one: a shown text may hold fences of its own.

    The only fence opens a block that the reply does not close; or it closes one whose beginning has been cut off.
    """
    fences = list(_FENCE.finditer(text))
    if not fences:
        return text
    before, after = text[: fences[0].start()], text[fences[-1].end() :]
    if len(fences) == 1:
        return before if after.strip() else ""
    if len(fences) == 2 and not after.strip() and (not before.strip() or _LABEL.search(before.rstrip())):
        return _FENCE.sub("", text)
    return f"{before}\n{after}"


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """Find the quotations; a mark that closes nothing quotes what stands behind the last mark of its kind."""
    opened: list[tuple[str, int]] = []
    count: Counter[str] = Counter()
    last: dict[str, int] = {}
    for mark in _MARK.finditer(text):
        kind = _kind(mark[0][0])
        if _is_opening(text, mark, inside=count[kind] > 0):
            opened.append((kind, mark.start()))
            count[kind] += 1
        elif count[kind]:
            start = _opener(opened, count, kind)
            if _is_shown(text, start, mark):
                yield start, mark.end()
        else:
            start = last.get(kind, 0)
            if _left(text, mark) in _ENDS or (kind != "'" and _spans_lines(text[start : mark.start()])):
                yield start, mark.end()
        last[kind] = mark.end()


def _paired(text: str) -> Iterator[tuple[int, int]]:
    """Find the quotations once more, by counting marks alone: one with no blank beside it has no telling shape."""
    before: dict[str, re.Match[str]] = {}
    for mark in _MARK.finditer(text):
        kind = mark[0][0]
        if kind not in '"`' or (kind == '"' and len(mark[0]) % 2 == 0):  # an empty text between its marks
            continue
        if (opening := before.pop(kind, None)) is None:
            before[kind] = mark
        elif _is_shown(text, opening.start(), mark):
            yield opening.start(), mark.end()


def _is_shown(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a quotation shows a text that is not folded away elsewhere.

    It spans lines, is long, holds the end of a thought, or stands in backticks and is neither a word nor a decision.
    """
    content = text[start : mark.end()]
    if _spans_lines(content) or len(content) > FOLDED_QUOTATION or THINK.search(content):
        return True
    if mark[0][0] != "`":
        return False
    return not _WORD.fullmatch(content) and not _LABEL.search(text[text.rfind("\n", 0, start) + 1 : start])


def _spans_lines(content: str) -> bool:
    return "\n" in content or _BLOCK.search(content) is not None


def _end_of_quoted_line(text: str, stop: int) -> int:
    """Return where the line of a place ends if it is a quoted one, whose mark may be left out with a quotation."""
    line = _QUOTED_LINE.match(text, text.rfind("\n", 0, stop) + 1)
    return stop if line is None else max(stop, line.end())


def _opener(opened: list[tuple[str, int]], count: Counter[str], kind: str) -> int:
    """Take back all that was opened since the last mark of a kind, and return where that stands."""
    while True:
        other, start = opened.pop()
        count[other] -= 1
        if other == kind:
            return start


def _kind(mark: str) -> str:
    if mark in "'‘’":
        return "'"
    return mark if mark in '"`' else "”"


def _is_opening(text: str, mark: re.Match[str], *, inside: bool) -> bool:
    """Whether a mark opens a quotation: by its shape, else by what stands around it, else by what is open."""
    if mark[0] in _OPENS or mark[0] in _CLOSES:
        return mark[0] in _OPENS
    left, right = _left(text, mark), text[mark.end() : mark.end() + 1]
    opens = (not left or left.isspace() or left in _OPENING) and not (right in _CLOSING or right.isspace() or not right)
    closes = bool(left) and not left.isspace() and not right.isalnum()
    return opens if opens is not closes else not inside


def _left(text: str, mark: re.Match[str]) -> str:
    return text[max(mark.start() - 1, 0) : mark.start()]


def _outermost(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge spans that overlap; they come in the order of their ends."""
    merged: list[tuple[int, int]] = []
    for start, stop in spans:
        first = start
        while merged and merged[-1][1] > first:
            first = min(first, merged.pop()[0])
        merged.append((first, stop))
    return merged
