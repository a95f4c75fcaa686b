"""The short verdict: the judge reads everything and writes only its decision.

Confidence is 1 for CORRECT and 0 for INCORRECT; for more than that, ask for token probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from automix_graph.models.calling import Attempt
from automix_graph.prompts import load_prompts
from automix_graph.records import Verdict, Verification
from automix_graph.verdicts import parse_verdict
from automix_graph.verification.one_call import OneCall
from automix_graph.verification.verifier import Case, failed


@dataclass(frozen=True, kw_only=True)
class ShortVerdict(OneCall):
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

    max_tokens: int | None = None

    @property
    def method(self) -> str:
        """``short-verdict``."""
        return "short-verdict"

    @property
    def _options(self) -> dict[str, Any]:
        return {} if self.max_tokens is None else {"max_tokens": self.max_tokens}

    def _prompt(self, case: Case) -> list[BaseMessage]:
        return [HumanMessage(load_prompts(case.language).render_verify(case.question, case.passages, case.answer))]

    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        if attempt.cut_off:
            return failed(self.method, "the judge's reply was cut off")
        verdict = parse_verdict(attempt.text)
        if verdict is Verdict.UNPARSED:
            return failed(self.method, "the judge's reply holds no decision")
        confidence = 1.0 if verdict is Verdict.CORRECT else 0.0
        return Verification(method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,))
