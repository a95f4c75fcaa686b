"""Text → search terms for BM25, for English and for text written without spaces.

Produces strings for an FTS5 table with the tokenizer `TOKENIZER`; knows no database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from automix_graph.retrieval.stopwords import STOP_TERMS

TOKENIZER: Final = "porter unicode61 remove_diacritics 2 tokenchars '+#.-_'"
"""FTS5 lower-cases, strips diacritics and stems; it must not split what `_words` joined with these characters."""

MAX_QUERY_CHARACTERS: Final = 4_000
MAX_QUERY_TERMS: Final = 64
"""Bounds on a query, so that its cost does not grow with what somebody pastes into it."""

# Chinese characters, kana and Hangul: scripts whose words are not told apart by spaces, or not usefully.
_CJK: Final = (
    r"\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    r"\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(
    rf"(?P<cjk>[{_CJK}]+)"
    rf"|(?P<word>(?:(?![{_CJK}])\w)+(?:[.\-_'’](?:(?![{_CJK}])\w)+)*(?:\+\+|\#)?)"
)
_PART: Final = re.compile(r"[^\W_]+")
_POSSESSIVE: Final = re.compile(r"['’]s$")


def index_terms(text: str) -> str:
    """Return the terms under which a text is found, separated by spaces.

    A word is one term; one joined by dots, hyphens or underscores (``GPT-4``, ``3.5``) also gives its parts. A run of
    Chinese, Japanese or Korean characters gives its overlapping pairs and its last character, so that each of its
    characters begins a term.

    Example:
        >>> index_terms("GPT-4 写诗歌")
        'gpt-4 gpt 4 写诗 诗歌 歌'
    """
    return " ".join(_terms(text, _indexed_run))


def mostly_cjk(text: str) -> bool:
    """Return whether a text has more Chinese, Japanese and Korean characters than words of other scripts.

    Example:
        >>> mostly_cjk("GPT-4 是谁写的"), mostly_cjk("Who wrote 红楼梦 and when?")
        (True, False)
    """
    runs = list(_RUN.finditer(unicodedata.normalize("NFKC", text)))
    return sum(len(run["cjk"] or "") for run in runs) > sum(run["word"] is not None for run in runs)


def match_expression(query: str) -> str | None:
    """Return a query as an FTS5 expression that any of its terms satisfies, or None where it has no term.

    Every term is quoted, so no character of the query has a meaning of its own. Stop words are left out unless there is
    nothing else.

    Example:
        >>> match_expression('Who wrote "Faust"?')
        '"wrote" OR "faust"'
    """
    terms = list(dict.fromkeys(_terms(query[:MAX_QUERY_CHARACTERS], _queried_run)))
    kept = [term for term in terms if term not in STOP_TERMS] or terms
    return " OR ".join(_quoted(term) for term in kept[:MAX_QUERY_TERMS]) or None


def _terms(text: str, run_terms: Callable[[str], Iterable[str]]) -> Iterator[str]:
    # NFKC makes full-width letters and digits plain ones; lower-casing first and last, as each can undo the other.
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        run = match["cjk"]
        yield from run_terms(run) if run else _words(match["word"])


def _words(word: str) -> Iterator[str]:
    word = _POSSESSIVE.sub("", word).replace("'", "").replace("’", "")
    yield word
    parts = _PART.findall(word)
    if len(parts) > 1:
        yield from parts


def _indexed_run(run: str) -> Iterable[str]:
    return [*_pairs(run), run[-1]]


def _queried_run(run: str) -> Iterable[str]:
    # One character alone is asked for as a prefix: `index_terms` lets every character begin a term.
    return _pairs(run) if len(run) > 1 else [run + "*"]


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _quoted(term: str) -> str:
    return f'"{term[:-1]}" *' if term.endswith("*") else f'"{term}"'
