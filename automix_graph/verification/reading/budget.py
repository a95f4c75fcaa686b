"""A budget on the context that a judge reads: passages go from the tail of the ranking until the rest fits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

from automix_graph.verification.reading.excerpt import Excerpt, ExcerptVerifier
from automix_graph.verification.reading.fitting import cut_to_fit, largest
from automix_graph.verification.verifier import Case


@dataclass(frozen=True, kw_only=True)
class WithinBudget(ExcerptVerifier):
    """Have an answer judged from the best passages, as many as fit into a budget.

    Passages come in the order of their ranking, best first. Where the first alone is too long, it is cut behind a
    sentence, or where not even one fits, behind a word, and ends with ``…``. Examples, question and answer are never
    shortened.

    Attributes:
        verifier: who judges.
        max_context_tokens: tokens of the context at most, as the prompt shows it.
        count_tokens: from a text to its tokens. None asks the verifier's first model if it runs on this machine, and
            else takes `approximate_tokens`.

    Raises:
        ConfigurationError: the verifier is none, the budget is below 1, or the counter cannot be called.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> from automix_graph.verification import ShortVerdict
        >>> verifier = WithinBudget(verifier=ShortVerdict(judge=ScriptedChatModel(["Correct."])), max_context_tokens=30)
        >>> passages = (Passage(text="It opened in May."), Passage(text="It is large. " * 20))
        >>> case = Case(question="When?", passages=passages, answer="In May", prompts=load_prompts("en"))
        >>> verifier.verify(case).verification.reading
        Reading(kind='budget', passages=(0,), omitted=(1,), tokens=7, cut=())
    """

    kind: ClassVar[Literal["budget"]] = "budget"

    def _choose(self, case: Case) -> Excerpt | None:
        passages = case.passages
        if self._fits(passages):
            return None
        kept = largest(len(passages) - 1, lambda number: self._fits(passages[:number]))
        if kept:
            return self._excerpt(case, {position: passages[position].text for position in range(kept)})
        if not passages:
            raise self._nothing_fits()
        first = passages[0]
        text = cut_to_fit(first.text, lambda text: self._fits((dataclasses.replace(first, text=text),)))
        if not text:
            raise self._nothing_fits()
        return self._excerpt(case, {0: text})
