"""Which decision a single token begins: a deciding word may be cut into several tokens, or be part of a longer one.

The words are those of the prompt's language (`DecisionWords`). Case, width, markup and quotation marks do not matter.
What may begin either decision, or something else, counts for neither. This module knows no model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Literal

from automix_graph.models.logprobs import ScoredToken
from automix_graph.prompts import DecisionWords
from automix_graph.records import Verdict
from automix_graph.verdicts.folding import fold

_BEFORE: Final = " \"'([{:-"
"""What may stand before a word, once it is folded."""


def decision_masses(candidates: Iterable[ScoredToken], words: DecisionWords) -> tuple[float, float]:
    """Return the probabilities, summed, of the tokens that begin CORRECT and of those that begin INCORRECT."""
    masses: dict[Verdict | None, list[float]] = {Verdict.CORRECT: [], Verdict.INCORRECT: []}
    for candidate in candidates:
        masses.setdefault(begun_decision(candidate.text, words), []).append(math.exp(candidate.logprob))
    return math.fsum(masses[Verdict.CORRECT]), math.fsum(masses[Verdict.INCORRECT])


def begun_decision(token: str, words: DecisionWords) -> Literal[Verdict.CORRECT, Verdict.INCORRECT] | None:
    """Return the decision that a token begins; None where it begins neither, or might begin either.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> [begun_decision(token, load_prompts("en").words) for token in (" Corr", '"In', "C", "correctly")]
        [<Verdict.CORRECT: 'CORRECT'>, <Verdict.INCORRECT: 'INCORRECT'>, None, None]
    """
    said = fold(token).lstrip(_BEFORE)
    if not said or (len(said) == 1 and said.isascii()):  # one Latin letter could begin anything
        return None
    accepts = any(word.startswith(said) or _accepts_further(said, word, words) for word in words.correct)
    rejects = any(word.startswith(said) or _rejects_further(said, word) for word in words.incorrect)
    if accepts == rejects:
        return None
    return Verdict.CORRECT if accepts else Verdict.INCORRECT


def _accepts_further(said: str, word: str, words: DecisionWords) -> bool:
    """Whether a token is an accepting word and more that leaves it one: 正确的, but not 正确率 or correctly."""
    rest = said.removeprefix(word)
    return rest != said and (not rest[0].isalnum() or rest[0] in _endings(words))


def _endings(words: DecisionWords) -> set[str]:
    """Return the characters with which the sentence that accepts goes on after its deciding word."""
    sentence = fold(words.decisions["correct"])
    return {sentence.rpartition(word)[2][:1] for word in words.correct if word in sentence}


def _rejects_further(said: str, word: str) -> bool:
    """Whether a token is a rejecting word and more: 不完全, but not notably."""
    rest = said.removeprefix(word)
    return rest != said and not (rest[0].isascii() and rest[0].isalnum())
