"""Whether other answers say what the large model's says, by the scorers of recorded data sets.

A model that judges is asked through its synchronous client here: its asynchronous one may be shared with an event loop
that serves users, and belongs to that loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from langchain_core.messages import HumanMessage

from automix_graph.costs import Prices
from automix_graph.models.calling import call_model
from automix_graph.prompts import detect_language, load_prompts
from automix_graph.recording.judge import LLMJudge, judge_prompt
from automix_graph.recording.scoring import Score, Scorer
from automix_graph.records import LAST, Call, Record, Verdict
from automix_graph.verification.written import capped, read_decision


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far the answers of a record agree with the large model's.

    Attributes:
        scores: by tier, in [0, 1]; that of the large model is 1 by definition. Empty where there is nothing to compare.
        calls: of a model that judged.
        error: why answers could not be compared; None where they were, or there was nothing to compare.
    """

    scores: dict[str, float] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    error: str | None = None


def agreement_of(record: Record, scorer: Scorer) -> Agreement:
    """Compare the answers of a record; the same text of two tiers is compared once.

    Args:
        record: complete, or not.
        scorer: takes the large answer as the gold one.

    Example:
        >>> from automix_graph.recording.scoring import scorer_of
        >>> from automix_graph.records import Draft
        >>> drafts = (Draft(tier="small", text="May"), Draft(tier="large", text="In May."))
        >>> record = Record(question="When?", language="en", prompts="", drafts=drafts)
        >>> agreement_of(record, scorer_of("auto")).scores
        {'small': 1.0, 'large': 1.0}
    """
    large = record.draft(LAST)
    others = [draft for draft in record.drafts if draft.tier != LAST]
    if large is None or not others or not large.text.strip():
        return Agreement()
    found = {
        text: _score(scorer, record.question, text, large.text)
        for text in dict.fromkeys(draft.text for draft in others)
    }
    calls = tuple(call for score in found.values() for call in score.calls)
    if errors := [score.error for score in found.values() if score.value is None]:
        return Agreement(calls=calls, error=errors[0])
    scores = {draft.tier: value for draft in others if (value := found[draft.text].value) is not None}
    return Agreement(scores={**scores, LAST: 1.0}, calls=calls)


def _score(scorer: Scorer, question: str, answer: str, large: str) -> Score:
    if isinstance(scorer, LLMJudge):
        return _judged(scorer, question, answer, large)
    return asyncio.run(scorer.score(question, answer, [large]))


def _judged(judge: LLMJudge, question: str, answer: str, large: str) -> Score:
    """Ask a judge as `LLMJudge.score` does, synchronously."""
    options = capped(judge.model.model, "auto", "short")
    asked = [HumanMessage(judge_prompt(question, answer, [large]))]
    attempt = call_model(judge.model, asked, stage="score", options=options)
    calls = Prices(judge.prices).charge(attempt.calls)
    verdict, reason = read_decision(attempt, load_prompts(detect_language(question)).words, options)
    if reason is not None:
        return Score(value=None, error=f"scorer {judge.name!r}: {reason}", calls=calls)
    return Score(value=1.0 if verdict is Verdict.CORRECT else 0.0, calls=calls)
