"""Cutting a text into sentences, for English and Chinese, as places in the text: nothing is changed or lost.

A table row and a line of a list are units of their own. This module knows no grammar: where a dot may end an
abbreviation or a sentence, it looks at the next word, and in doubt does not cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_CHARACTERS: Final = 400
"""A longer sentence is cut: it is a badly extracted text more often than a sentence."""

_BREAKS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_LINE: Final = re.compile(rf"[^{_BREAKS}]*(?:\r\n|[{_BREAKS}]|\Z)")
_ROW: Final = re.compile(
    r"[-*+•·‣◦–—#|]|\(?\d{1,3}[.)]\s|\(?[A-Za-z]\)\s|（?[\d一二三四五六七八九十]{1,3}[、）]|.*(?:\t|\s\|\s)", re.DOTALL
)
_WRAPPED_WIDTH: Final = 60
"""A line at least this wide (a Chinese character is two wide) that ends without a mark goes on in the next."""

_CLOSERS: Final = "\"'”’)\\]」』）】》"
_MARK: Final = re.compile(
    rf"[。！？]+[{_CLOSERS}]*|[!?]+(?=[\u3400-\u9fff])|[.!?…]+[{_CLOSERS}]*(?:\[\d{{1,3}}\])*(?=\s)"
)
_LINE_END: Final = re.compile(rf"[.!?。！？…:：;；][{_CLOSERS}]*$")
_NEXT_WORD: Final = re.compile(r"[\s\"'“‘(\[「『《]*(\w*)")
_WORD_BEFORE: Final = re.compile(r"[^\s(\[\"'“‘]*$")
_DOTTED: Final = re.compile(r"(?:[^\W\d_]{1,2}\.)*[^\W\d_]{1,2}", re.ASCII)
_LONGEST_WORD: Final = 20

_BEFORE_A_NAME: Final = frozenset(
    """
mr mrs ms dr prof st mt gen gov sen rep rev hon capt col lt sgt pres fig figs no nos vol pp ch sec eq vs cf eg ie e.g
i.e approx ca al
""".split()  # noqa: SIM905 - a block of words is easier to read and to change than a list
)
"""Abbreviations that something always follows."""

_MAY_END: Final = frozenset(
    """
etc inc co corp ltd jr sr dept est ave blvd jan feb mar apr jun jul aug sep sept oct nov dec
""".split()  # noqa: SIM905 - as above
)
"""Abbreviations that end a sentence now and then."""

_STARTERS: Final = frozenset(
    """
The This That These Those It Its He She They We You His Her Their In On At By For From With When While After Before
Since During And But However Although Because If As There An Some Many Most Both No Not
""".split()  # noqa: SIM905 - as above
)
"""Words that seldom follow an abbreviation with a capital unless they begin a sentence."""

_CLAUSE: Final = re.compile(r"[,;:](?=\s)|[，；：、]")
_SPACE: Final = re.compile(r"\s")


class Span(NamedTuple):
    """A place in a text.

    Attributes:
        start: of its first character.
        end: behind its last one.
    """

    start: int
    end: int


def sentences(text: str) -> list[Span]:
    """Return the places of a text's sentences, in order; all that lies between them is white space.

    Example:
        >>> text = "Dr. Wu paid 3.14 dollars. 他走了。She stayed."
        >>> [text[start:end] for start, end in sentences(text)]
        ['Dr. Wu paid 3.14 dollars.', '他走了。', 'She stayed.']
    """
    return [
        piece for block in _blocks(text) for sentence in _in_block(text, block) for piece in _pieces(text, sentence)
    ]


def _blocks(text: str) -> Iterator[Span]:
    """Yield rows, and lines of prose put together where a sentence goes on in the next line."""
    block: Span | None = None
    last = ""
    for match in _LINE.finditer(text):
        span = _stripped(text, *match.span())
        line = text[span.start : span.end] if span else ""
        if block and span and _goes_on(last, line):
            block = Span(block.start, span.end)
        else:
            if block:
                yield block
            block = span
        last = line
    if block:
        yield block


def _goes_on(line: str, following: str) -> bool:
    if _ROW.match(line) or _ROW.match(following) or _LINE_END.search(line):
        return False
    return following[0].islower() or _width(line) >= _WRAPPED_WIDTH


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _in_block(text: str, block: Span) -> Iterator[Span]:
    start = block.start
    if not _ROW.match(text[block.start : block.end]):
        for match in _MARK.finditer(text, block.start, block.end):
            if _ends(text, match, start):
                yield Span(start, match.end())
                start = match.end()
    rest = _stripped(text, start, block.end)
    if rest:
        yield rest


def _ends(text: str, mark: re.Match[str], start: int) -> bool:
    if mark[0][0] in "。！？" or not text[mark.end()].isspace():
        return True
    following = _NEXT_WORD.match(text, mark.end())
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if not mark[0].startswith(".") or mark[0].startswith(".."):
        return True
    before = _WORD_BEFORE.search(text[max(start, mark.start() - _LONGEST_WORD) : mark.start()])
    last = before[0].lower() if before else ""
    if last in _BEFORE_A_NAME:
        return False
    return word in _STARTERS if last in _MAY_END or _is_initial(last) else True


def _is_initial(word: str) -> bool:
    """Whether a word is one letter (J. Bach) or letters with dots between them (U.S., Ph.D.)."""
    return (len(word) == 1 or "." in word) and _DOTTED.fullmatch(word) is not None


def _pieces(text: str, span: Span) -> Iterator[Span]:
    rest: Span | None = _stripped(text, *span)
    while rest and rest.end - rest.start > MAX_CHARACTERS:
        cut = _last_place(text, rest.start)
        piece = _stripped(text, rest.start, cut)
        if piece:
            yield piece
        rest = _stripped(text, cut, rest.end)
    if rest:
        yield rest


def _last_place(text: str, start: int) -> int:
    """Return where to cut a long text: behind a clause, else behind a word, else anywhere."""
    low, high = start + MAX_CHARACTERS // 2, start + MAX_CHARACTERS
    for pattern in (_CLAUSE, _SPACE):
        ends = [match.end() for match in pattern.finditer(text, low, high)]
        if ends:
            return ends[-1]
    return high


def _stripped(text: str, start: int, end: int) -> Span | None:
    """Return a place without the white space around it, or None where there is nothing else."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    end -= len(part) - len(part.rstrip())
    return Span(start, end) if start < end else None
