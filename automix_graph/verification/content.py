"""Which tokens of an answer carry its content, rather than its form.

An answer may repeat the question before it says anything new ("The tower was built in 1889." for "1889"), open with a
phrase ("According to the context, ..."), or end with a full stop. How probable these are says how the answer is worded,
not whether it is right. This module knows no model; it compares words, in English and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LETTER: Final = r"[^\W_\u3400-\u9fff\uf900-\ufaff]"
_WORD: Final = re.compile(rf"{_HAN.pattern}|{_LETTER}+(?:['’.,:-]{_LETTER}+)*")
_STEM: Final = 5
"""Letters by which two longer forms of a word are recognised as one."""


def content_positions(tokens: Sequence[str], question: str, form: Collection[str]) -> list[int]:
    """Return the positions of the tokens that carry the content of an answer.

    Left out are punctuation, function words, phrases that speak of the answer itself, and words of the question. If
    nothing is left (an answer may choose among words of the question), all tokens with a letter or a digit count; if
    there is none, all.

    Args:
        tokens: the texts of the tokens, in order.
        question: to which they answer.
        form: words, in lower case, that never carry content, such as those of `DecisionWords.form`.

    Example:
        >>> tokens = ["It", " was", " built", " in", " ", "18", "89", "."]
        >>> content_positions(tokens, "When was the tower built?", {"it", "in"})
        [5, 6]
    """
    known = {word.casefold() for word in _WORD.findall(question)} | set(form)
    text = "".join(tokens)
    spans = [(match.start(), match.end(), _is_content(match[0], known)) for match in _WORD.finditer(text)]
    content, words = [], []
    start = 0
    for position, token in enumerate(tokens):
        end = start + len(token)
        kinds = [is_content for first, last, is_content in spans if first < end and start < last]
        if kinds or "\ufffd" in token:  # part of a character that is cut into several tokens
            words.append(position)
        if any(kinds) or "\ufffd" in token:
            content.append(position)
        start = end
    return content or words or list(range(len(tokens)))


def _is_content(word: str, known: set[str]) -> bool:
    word = word.casefold()
    return word not in known and (_HAN.match(word) is not None or not any(_same(word, other) for other in known))


def _same(word: str, other: str) -> bool:
    """Whether two words look like forms of one: built and builder, not 1889 and 18890."""
    return (
        word[:_STEM] == other[:_STEM]
        and len(word) >= _STEM
        and word.isalpha()
        and abs(len(word) - len(other)) <= _STEM - 2
    )
