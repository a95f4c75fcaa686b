"""Whether a short answer says what a gold answer says, by comparing words (in Chinese, characters).

`exact_match` and `f1` are those of SQuAD for English (Rajpurkar et al. 2016, arXiv 1606.05250) and of CMRC 2018 for
Chinese (Cui et al. 2019, arXiv 1810.07366), after folding width and compatibility forms (NFKC). `is_correct` is the
rule by which drafts written in sentences are scored.

What words cannot tell, and `is_correct` therefore gets wrong:

- An answer that lists every candidate holds the gold answer, and counts as right; so does one that denies it ("not
  Paris"), or that gives it and then something false.
- Another wording of the same thing counts as wrong: synonyms, "two" for 2, 8 August for 2008-08-08, traditional for
  simplified characters. In English, "5" is found in "5 million".
- Signs and symbols are not read: -5 is 5, and C++ is C. A gold answer that is an article, such as the letter A of a
  multiple choice, is found only where it is the whole answer.

Unanswerable questions have no gold answer and cannot be scored here.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from automix_graph.errors import ConfigurationError

LEAST_F1: Final = 0.5
"""From here on a short answer shares enough with a gold answer to count as right."""
SHORT: Final = {"en": 40, "zh": 80}
"""Words (in Chinese, characters) of the longest short answer; longer texts share many words by chance."""

_HAN: Final = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_NUMERALS: Final = r"0-9零〇一二两三四五六七八九十百千万亿"
_ARTICLE: Final = re.compile(r"\b(?:a|an|the)\b")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CLOSED_UP: Final = re.compile(r"['’]|(?<!\d)\.|\.(?!\d)")
"""Dropped without a gap: apostrophes, and points that are not decimal."""
_TOKEN_ZH: Final = re.compile(rf"[{_HAN}]|[^\s{_HAN}]+")
_GAP_BY_HAN: Final = re.compile(rf"(?<=[{_HAN}]) | (?=[{_HAN}])")
_NUMBER: Final = {
    "en": re.compile(r"\d+(?:\.\d+)?"),
    "zh": re.compile(rf"[{_NUMERALS}]+(?:\.\d+)?[{_NUMERALS}]*"),
}


def exact_match(answer: str, golds: Sequence[str], language: str) -> bool:
    """Return whether the answer is a gold answer, but for case, punctuation, spaces and English articles.

    Args:
        answer: as the model wrote it.
        golds: the answers known to be right; one is enough.
        language: ``"en"`` or ``"zh"``.

    Raises:
        ConfigurationError: there is no gold answer, one is blank, or the language is another.

    Example:
        >>> exact_match("The Denver Broncos.", ["Denver Broncos"], "en")
        True
    """
    _check(golds, language)
    return any(_tokens(answer, language) == _tokens(gold, language) for gold in golds)


def f1(answer: str, golds: Sequence[str], language: str) -> float:
    """Return the F1 of the shared words (in Chinese, characters) with the gold answer that shares most, in [0, 1].

    F1 = 2·shared / (words of the answer + words of the gold answer), the harmonic mean of precision and recall.

    Args:
        answer: as the model wrote it.
        golds: the answers known to be right.
        language: ``"en"`` or ``"zh"``; in Chinese, a run of Latin letters and digits is one character.

    Raises:
        ConfigurationError: there is no gold answer, one is blank, or the language is another.

    Example:
        >>> f1("the Broncos", ["Denver Broncos"], "en")
        0.6666666666666666
    """
    _check(golds, language)
    return max(_f1(_tokens(answer, language), _tokens(gold, language)) for gold in golds)


def contains(answer: str, golds: Sequence[str], language: str) -> bool:
    """Return whether the answer holds a gold answer: its words in their order, whole and next to each other.

    English: "19" is not in "1900", nor "5" in "3.5", but "1918" is in "1914-1918", for dashes and slashes part words.
    Chinese has no spaces to part words: any run of characters counts, but a number must not go on at either end
    ("5" is not in "15" or "5万"), nor a word in Latin letters.

    Args:
        answer: as the model wrote it.
        golds: the answers known to be right; one is enough.
        language: ``"en"`` or ``"zh"``.

    Raises:
        ConfigurationError: there is no gold answer, one is blank, or the language is another.

    Example:
        >>> contains("It began in 1900.", ["19"], "en"), contains("始于2008年8月。", ["2008年"], "zh")
        (False, True)
    """
    _check(golds, language)
    text = _spelled(answer, language)
    return any(_occurs(_spelled(gold, language), text, language) for gold in golds)


def is_correct(answer: str, golds: Sequence[str], language: str) -> bool:
    """Return whether the answer counts as right.

    It does if it `contains` a gold answer, however long it is. A short one (`SHORT`) also does if its `f1` with a gold
    answer is at least `LEAST_F1` and it holds every number of that gold answer: 14 May 1948 shares much with 15 May
    1948. The module's docstring lists what this gets wrong.

    Args:
        answer: as the model wrote it; an empty one is wrong.
        golds: the answers known to be right; one is enough.
        language: ``"en"`` or ``"zh"``.

    Raises:
        ConfigurationError: there is no gold answer, one is blank, or the language is another.

    Example:
        >>> is_correct("It was won by the Broncos.", ["Denver Broncos", "Broncos"], "en")
        True
        >>> is_correct("14 May 1948", ["15 May 1948"], "en")
        False
    """
    if contains(answer, golds, language):
        return True
    tokens = _tokens(answer, language)
    if len(tokens) > SHORT[language]:
        return False
    found = _numbers(answer, language)
    return any(_f1(tokens, _tokens(gold, language)) >= LEAST_F1 and _numbers(gold, language) <= found for gold in golds)


def _check(golds: Sequence[str], language: str) -> None:
    """Refuse what an answer cannot be scored against."""
    if language not in SHORT:
        raise ConfigurationError(f"language {language!r} has no rule to score answers; use 'en' or 'zh'")
    if isinstance(golds, str):
        raise ConfigurationError(f"golds is the text {golds!r}; give a list of gold answers")
    if not golds:
        raise ConfigurationError("there is no gold answer; leave out questions that have none, and count them")
    for gold in golds:
        if not gold.strip():
            raise ConfigurationError(f"gold answer {gold!r} is blank; give the words of the answer")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _tokens(text: str, language: str) -> list[str]:
    """Return the tokens of the two benchmarks; a text of nothing but articles and punctuation stays as it is."""
    folded = _fold(text)
    if language == "zh":
        return _TOKEN_ZH.findall(_parted(folded)) or folded.split()
    bare = "".join(character for character in folded if not _is_punctuation(character))
    return _ARTICLE.sub(" ", bare).split() or folded.split()


def _spelled(text: str, language: str) -> str:
    """Return a text as one line of words, one space apart; in Chinese, spaces are only between other words."""
    folded = _fold(text)
    if language == "zh":
        return _GAP_BY_HAN.sub("", " ".join(_tokens(text, "zh")))
    words = _ARTICLE.sub(" ", _parted(folded)).split()
    return " ".join(words or folded.split())


def _parted(folded: str) -> str:
    """Put spaces for punctuation and symbols, but keep decimal points and close up numbers and abbreviations."""
    closed = _CLOSED_UP.sub("", _THOUSANDS.sub("", folded))
    return "".join(" " if c != "." and (_is_punctuation(c) or _is_symbol(c)) else c for c in closed)


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character).startswith("S")


def _occurs(gold: str, text: str, language: str) -> bool:
    if language == "en":
        return f" {gold} " in f" {text} "
    return re.search(_before(gold[0]) + re.escape(gold) + _after(gold[-1]), text) is not None


def _before(first: str) -> str:
    """Return what must not stand before a gold answer with this first character."""
    if re.match(rf"[{_NUMERALS}]", first):
        return rf"(?<![{_NUMERALS}])(?<!\d\.)"
    return rf"(?<![^\W\d_{_HAN}])" if re.match(rf"[^\W\d_{_HAN}]", first) else ""


def _after(last: str) -> str:
    """Return what must not stand after a gold answer with this last character."""
    if re.match(rf"[{_NUMERALS}]", last):
        return rf"(?![{_NUMERALS}])(?!\.\d)"
    return rf"(?![^\W\d_{_HAN}])" if re.match(rf"[^\W\d_{_HAN}]", last) else ""


def _numbers(text: str, language: str) -> set[str]:
    return set(_NUMBER[language].findall(_spelled(text, language)))


def _f1(left: list[str], right: list[str]) -> float:
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right)) if shared else 0.0
