"""The probability of the deciding word: the judge's decision is opened for it, and only the next token is looked at.

Confidence = P(correct) / (P(correct) + P(incorrect)) over the spellings of the two words in the prompt's language. Made
for models that continue an opened reply, as llama.cpp's server does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import Attempt
from automix_graph.prompts import load_prompts
from automix_graph.records import Verdict, Verification
from automix_graph.verification.one_call import OneCall
from automix_graph.verification.verifier import Case, failed

_LEAST_MASS: Final = 0.5
"""Below this probability of all words of a decision together, the model was not about to decide."""


@dataclass(frozen=True, kw_only=True)
class TokenProbability(OneCall):
    """Read a model's confidence off the first token of its decision.

    Attributes:
        judge: the model that judges, or its name; its server must continue an opened reply and report ``top_logprobs``.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT. Judges differ in how sure they sound, so
            this is a property of the judge and its prompt, not of the user's wishes: those are a policy.

    Raises:
        ConfigurationError: the threshold lies outside [0, 1].

    Example:
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel, ScriptedReply
        >>> reply = ScriptedReply(text="Correct", token_probabilities=((" Correct", 0.6), (" Incorrect", 0.2)))
        >>> verifier = TokenProbability(judge=ScriptedChatModel([reply]))
        >>> case = Case(question="When?", passages=(Passage(text="In May."),), answer="In May", language="en")
        >>> round(verifier.verify(case).verification.confidence, 2)
        0.75
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ConfigurationError(f"threshold {self.threshold!r} is not a confidence; use a number in [0, 1]")
        super().__post_init__()

    @property
    def method(self) -> str:
        """``token-probability``."""
        return "token-probability"

    @property
    def _options(self) -> dict[str, Any]:
        return {"max_tokens": 1, "logprobs": True, "top_logprobs": 20}

    def _prompt(self, case: Case) -> list[BaseMessage]:
        prompts = load_prompts(case.language)
        text = prompts.render_verify(case.question, case.passages, case.answer)
        return [HumanMessage(text), AIMessage(prompts.decision.opening)]

    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        words = load_prompts(case.language).decision
        candidates = _candidates(message)
        if not candidates:
            return failed(self.method, f"{self.model.label} returned no token probabilities; use another verifier")
        correct = _mass(candidates, words.correct, against=words.incorrect)
        incorrect = _mass(candidates, words.incorrect, against=words.correct)
        if correct + incorrect < _LEAST_MASS:
            return failed(self.method, "the words of a decision are not among the likely next tokens")
        confidence = correct / (correct + incorrect)
        verdict = Verdict.CORRECT if confidence > self.threshold else Verdict.INCORRECT
        return Verification(method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,))


def _candidates(message: AIMessage) -> list[Mapping[str, Any]]:
    content = (message.response_metadata.get("logprobs") or {}).get("content") or []
    return list(content[0].get("top_logprobs") or []) if content else []


def _mass(candidates: Iterable[Mapping[str, Any]], words: tuple[str, ...], *, against: tuple[str, ...]) -> float:
    """Sum the probabilities of the tokens with which one of the words begins, and none of those against it.

    A word may be cut into several tokens, so its beginnings count, in any case. One Latin letter could begin anything.
    """
    return math.fsum(
        math.exp(candidate["logprob"])
        for candidate in candidates
        if (token := candidate["token"].strip().casefold())
        and not (len(token) == 1 and token.isascii())
        and _begins(token, words)
        and not _begins(token, against)
    )


def _begins(token: str, words: tuple[str, ...]) -> bool:
    return any(word.startswith(token) or _goes_on(word, token) for word in words)


def _goes_on(word: str, token: str) -> bool:
    """Whether a token is the word and more: 正确的, but not correctly."""
    rest = token.removeprefix(word)
    return rest != token and not (rest[0].isascii() and rest[0].isalpha())
