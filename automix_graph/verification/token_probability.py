"""The probability of the deciding word: the judge writes one token, and the tokens that it might have written are read.

Confidence = P(correct) / (P(correct) + P(incorrect)) over the spellings of the two words in the prompt's language. A
server that continues an opened reply, as llama.cpp's does, gets the decision's opening and adds the word; others are
asked for one word.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.records import Verdict, Verification
from automix_graph.verification.one_call import OneCall
from automix_graph.verification.prompting import judge_messages
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed, models_of

_LEAST_MASS: Final = 0.5
"""Below this probability of all words of a decision together, the model was not about to decide."""

_REFUSED: Final = frozenset({400, 422})
"""Statuses with which a provider refuses a request as it is."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TokenProbability(OneCall):
    """Read a model's confidence off the first token of its decision.

    Attributes:
        judge: the model that judges, or its name; its server must report ``top_logprobs``, as the embedded models and
            most servers with OpenAI's chat completions do. Models that reason before they write report none.
        prompt: what it is asked; None takes the built-in prompt of the case.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT. Judges differ in how sure they sound, so
            this is a property of the judge and its prompt, not of the user's wishes: those are a policy.
        opened: whether the server continues an opened reply; None: embedded models do, others are asked for one word.
        top_logprobs: how many tokens are looked at; providers allow 5 to 20.
        fallback: who judges where the provider gives no probabilities, for instance `Votes` of the same judge. None:
            the verification fails. Mind that a policy's threshold for one need not suit the other.

    Raises:
        ConfigurationError: the threshold lies outside [0, 1], or the fallback is no verifier.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel, ScriptedReply
        >>> reply = ScriptedReply(text="Correct", token_probabilities=((" Correct", 0.6), (" Incorrect", 0.2)))
        >>> verifier = TokenProbability(judge=ScriptedChatModel([reply]))
        >>> passages = (Passage(text="In May."),)
        >>> case = Case(question="When?", passages=passages, answer="In May", prompts=load_prompts("en"))
        >>> round(verifier.verify(case).verification.confidence, 2)
        0.75
    """

    threshold: float = 0.5
    opened: bool | None = None
    top_logprobs: int = 20
    fallback: Verifier | None = None
    _without: threading.Event = field(default_factory=threading.Event, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ConfigurationError(f"threshold {self.threshold!r} is not a confidence; use a number in [0, 1]")
        if self.fallback is not None and not isinstance(self.fallback, Verifier):
            raise ConfigurationError(f"fallback is {self.fallback!r}; give a Verifier such as Votes(...), or None")
        super().__post_init__()

    @property
    def method(self) -> str:
        """``token-probability``."""
        return "token-probability"

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The judge, and whom the fallback calls."""
        return (self.model, *((models_of(self.fallback) or ()) if self.fallback else ()))

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call; see `fallback` for providers that give no probabilities."""
        if self.fallback is not None and self._without.is_set():
            return self.fallback.verify(case, config)
        attempt = call_model(self.model, self._messages(case), stage="verify", config=config, options=self._options)
        found = self._judge(case, attempt)
        if self.fallback is None or not self._lacks_probabilities(attempt):
            return found
        more = self.fallback.verify(case, config)
        return dataclasses.replace(more, calls=(*found.calls, *more.calls))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call, asynchronously."""
        if self.fallback is not None and self._without.is_set():
            return await self.fallback.averify(case, config)
        attempt = await acall_model(
            self.model, self._messages(case), stage="verify", config=config, options=self._options
        )
        found = self._judge(case, attempt)
        if self.fallback is None or not self._lacks_probabilities(attempt):
            return found
        more = await self.fallback.averify(case, config)
        return dataclasses.replace(more, calls=(*found.calls, *more.calls))

    def _lacks_probabilities(self, attempt: Attempt) -> bool:
        """Whether the provider gives no probabilities: it left them out, or would not take the request for them."""
        if attempt.message is not None:
            lacking = not _candidates(attempt.message)
        else:
            lacking = isinstance(attempt.error and attempt.error.__cause__, TypeError)
        if lacking and not self._without.is_set():
            self._without.set()
            instead = f"{self.fallback.method} judges instead" if self.fallback else "verifications fail"
            _log.warning("%s returns no token probabilities: %s", self.model.label, instead)
        return lacking or (attempt.error is not None and attempt.error.status in _REFUSED)

    @property
    def _opened(self) -> bool:
        return getattr(self.model.model, "continues_replies", False) if self.opened is None else self.opened

    @property
    def _options(self) -> dict[str, Any]:
        return {"max_tokens": 1, "logprobs": True, "top_logprobs": self.top_logprobs}

    def _messages(self, case: Case) -> list[BaseMessage]:
        if not self._opened:
            return judge_messages(self.prompt, case, "word")
        return [*judge_messages(self.prompt, case, "short"), AIMessage(case.prompts.words.opening)]

    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        words = case.prompts.words
        candidates = _candidates(message)
        if not candidates:
            self._lacks_probabilities(attempt)
            return failed(self.method, f"{self.model.label} returned no token probabilities; use another verifier")
        correct = _mass(candidates, words.correct, against=words.incorrect)
        incorrect = _mass(candidates, words.incorrect, against=words.correct)
        if correct + incorrect < _LEAST_MASS:
            return failed(self.method, "the words of a decision are not among the likely next tokens")
        confidence = correct / (correct + incorrect)
        verdict = Verdict.CORRECT if confidence > self.threshold else Verdict.INCORRECT
        return Verification(
            method=self.method,
            verdict=verdict,
            confidence=confidence,
            verdicts=(verdict,),
            signals={"mass": correct + incorrect},
        )


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
