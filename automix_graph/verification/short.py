"""The short verdict: the judge reads everything and writes only its decision.

Confidence is 1 for CORRECT and 0 for INCORRECT; for more than that, ask for token probabilities or votes.
"""

from __future__ import annotations

from dataclasses import dataclass

from automix_graph.verification.written import WrittenForm, WrittenVerdict


@dataclass(frozen=True, kw_only=True)
class ShortVerdict(WrittenVerdict):
    """Ask a model for one short verdict; a reason is never generated.

    Attributes:
        judge: the model that judges, or its name.
        prompt: what it is asked; None takes the built-in prompt of the case.
        max_tokens: cap on the reply, in tokens; a reply that reaches it is no judgement. ``"auto"`` sends 16, unless
            LangChain knows that the model reasons before it writes, or its provider calls the cap otherwise: then none
            is sent. None never sends one.

    Raises:
        ConfigurationError: the prompt or the cap cannot be used as given, or the judge is no model.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> from automix_graph.verification import Case
        >>> verifier = ShortVerdict(judge=ScriptedChatModel(["Correct."]))
        >>> passages = (Passage(text="In May."),)
        >>> case = Case(question="When?", passages=passages, answer="In May", prompts=load_prompts("en"))
        >>> verifier.verify(case).verification.confidence
        1.0
    """

    @property
    def method(self) -> str:
        """``short-verdict``."""
        return "short-verdict"

    @property
    def _form(self) -> WrittenForm:
        return "short"
