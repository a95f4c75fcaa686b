"""The short verdict: the judge reads everything and writes only its decision.

Confidence is 1 for CORRECT and 0 for INCORRECT; for more than that, ask for token probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model, named
from automix_graph.prompts import load_prompts
from automix_graph.records import Verdict, Verification
from automix_graph.verdicts import parse_verdict
from automix_graph.verification.verifier import Case, Judgement, failed


@dataclass(frozen=True, kw_only=True)
class ShortVerdict:
    """Ask a model for one short verdict.

    Attributes:
        judge: the model that judges, or its name.
        max_tokens: cap on the reply, in tokens. None sets none: the prompt ends where only the decision is missing, and
            a cap would cut off models that reason before they write. A reply that reaches the cap is no judgement.

    Example:
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> verifier = ShortVerdict(judge=ScriptedChatModel(["Correct."]))
        >>> case = Case(question="When?", passages=(Passage(text="In May."),), answer="In May", language="en")
        >>> verifier.verify(case).verification.confidence
        1.0
    """

    judge: str | BaseChatModel | NamedModel
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        _ = self.model  # a model that cannot be had is refused now

    @cached_property
    def model(self) -> NamedModel:
        """The judge with its label."""
        return named(self.judge)

    @property
    def method(self) -> str:
        """``short-verdict``."""
        return "short-verdict"

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call."""
        return self._read(call_model(self.model, _prompt(case), stage="verify", config=config, options=self._options))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call, asynchronously."""
        attempt = await acall_model(self.model, _prompt(case), stage="verify", config=config, options=self._options)
        return self._read(attempt)

    @property
    def _options(self) -> dict[str, Any]:
        return {} if self.max_tokens is None else {"max_tokens": self.max_tokens}

    def _read(self, attempt: Attempt) -> Judgement:
        return Judgement(verification=self._judge(attempt), calls=(attempt.call,))

    def _judge(self, attempt: Attempt) -> Verification:
        if attempt.call.error is not None:
            return failed(self.method, f"the judge failed: {attempt.call.error}")
        if attempt.cut_off:
            return failed(self.method, "the judge's reply was cut off")
        verdict = parse_verdict(attempt.text)
        if verdict is Verdict.UNPARSED:
            return failed(self.method, "the judge's reply holds no decision")
        confidence = 1.0 if verdict is Verdict.CORRECT else 0.0
        return Verification(method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,))


def _prompt(case: Case) -> list[BaseMessage]:
    text = load_prompts(case.language).render_verify(case.question, case.passages, case.answer)
    return [HumanMessage(text)]
