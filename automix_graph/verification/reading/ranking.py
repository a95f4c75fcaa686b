"""Which sentences bear on a question and its answer: by meaning, as an embedding model sees it, and by rare words.

The embedding model sees that two sentences speak of the same thing, but hardly tells one number or name from another;
shared words do. What is gold is unknown here: the numbers below are a choice, not a measurement.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError

_WORD_WEIGHT: Final = 0.3
"""What all the rare words of the question, or of the answer, are worth beside a cosine: a tie-breaker for sentences of
the same subject, not a way past it."""

_LENT: Final = 0.3
"""What a sentence gets of a neighbour's score: it may say who "he" is, but comes after the sentence that needs it."""

_HAN_OR_KANA: Final = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_TERM: Final = re.compile(rf"\d+(?:[.,]\d+)*|[{_HAN_OR_KANA}]+|(?:(?![{_HAN_OR_KANA}])[^\W\d_])+")

Vectors = NDArray[np.float64]


def bearing(texts: Sequence[str], vectors: Sequence[Sequence[float]], *, question: str, answer: str) -> Vectors:
    """Return how much each sentence bears on the question and the answer, shape (n,).

    Score = cos(sentence, question) + cos(sentence, answer) + 0.3 (share of the question's words + share of the
    answer's), where a share weighs a word by log(n / number of sentences that hold it). The sum, not the larger, so
    that an answer of one word, whose vector says little, does not decide alone.

    Args:
        texts: the sentences.
        vectors: of the sentences, then of the question and of the answer, shape (n + 2, d).
        question: as it was asked.
        answer: the draft.

    Raises:
        ConfigurationError: the vectors are not of that shape, or hold what is no number.
    """
    units = _unit_vectors(vectors, len(texts) + 2)
    cosines = (units[:-2] @ units[-2:].T).sum(axis=1)
    held = [_terms(text) for text in texts]
    rarity = {term: math.log(len(texts) / count) for term, count in Counter(t for terms in held for t in terms).items()}
    shares = _shares(held, _terms(question), rarity) + _shares(held, _terms(answer), rarity)
    scores: Vectors = cosines + _WORD_WEIGHT * shares
    return scores


def with_neighbours(scores: Vectors, groups: Sequence[int]) -> Vectors:
    """Return scores to which a neighbour of the same group may lend 0.3 of its own, where that is more.

    Example:
        >>> with_neighbours(np.array([0.1, 1.0, 0.7, 0.0]), groups=[0, 0, 0, 1]).tolist()
        [0.3, 1.0, 0.7, 0.0]
    """
    lent = scores.copy()
    same = np.asarray(groups[1:]) == np.asarray(groups[:-1])
    lent[:-1][same] = np.maximum(lent[:-1][same], _LENT * scores[1:][same])
    lent[1:][same] = np.maximum(lent[1:][same], _LENT * scores[:-1][same])
    return lent


def _unit_vectors(vectors: Sequence[Sequence[float]], count: int) -> Vectors:
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != count or len(lengths) != 1:
        raise ConfigurationError(
            f"the embedding model returned {len(vectors)} vectors of {len(lengths)} lengths for {count} texts; it must "
            "return one for each, all of one length",
            code="bad-vectors",
        )
    matrix = np.asarray(vectors, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise ConfigurationError(
            "the embedding model returned a vector with NaN or infinity; it must return numbers", code="bad-vectors"
        )
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    # A text without a direction is similar to nothing.
    units: Vectors = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
    return units


def _shares(held: Sequence[frozenset[str]], wanted: frozenset[str], rarity: dict[str, float]) -> Vectors:
    """Return the share of the wanted terms that each sentence holds, weighed by rarity, in [0, 1]."""
    whole = math.fsum(rarity.get(term, 0.0) for term in wanted)
    shares = [math.fsum(rarity[term] for term in wanted & terms) / whole if whole > 0 else 0.0 for terms in held]
    return np.array(shares, dtype=np.float64)


def _terms(text: str) -> frozenset[str]:
    """Return words, numbers without their thousands' commas, and pairs of Chinese characters."""
    found: set[str] = set()
    for term in _TERM.findall(unicodedata.normalize("NFKC", text).casefold()):
        if term[0].isdigit():
            found.add(term.replace(",", ""))
        elif re.match(rf"[{_HAN_OR_KANA}]", term):
            found.update(term[place : place + 2] for place in range(max(len(term) - 1, 1)))
        else:
            found.add(term)
    return frozenset(found)
