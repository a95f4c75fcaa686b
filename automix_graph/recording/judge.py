"""A model as a scorer: it reads the question, the gold answers and the answer, and says whether the answer is right.

Its prompts are the text files beside this module. It sees neither the passages nor whose answer it is. What it writes
is read as a verifier's verdict is; a reply without a decision scores nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from automix_graph.costs import Price, Prices
from automix_graph.models.calling import NamedModel, acall_model, named
from automix_graph.prompts import Template, as_data, detect_language, load_prompts, numbered
from automix_graph.recording.description import describe_model
from automix_graph.recording.scoring import Score
from automix_graph.records import Verdict
from automix_graph.verification.written import capped, read_decision

_PLACEHOLDERS: Final = frozenset({"question", "gold_answers", "generated_answer"})


@dataclass(frozen=True, kw_only=True)
class LLMJudge:
    """Have a model say whether an answer says what a gold answer says: 1 where it does, 0 where it does not.

    Attributes:
        judge: the model, or its name. Take another one than those that answer.
        prices: USD per million tokens by model label, where list prices do not apply.

    Raises:
        ConfigurationError: the judge is no model.

    Example:
        >>> import asyncio
        >>> from automix_graph.testing import ScriptedChatModel
        >>> judge = LLMJudge(judge=ScriptedChatModel(["Correct"], label="judge"))
        >>> asyncio.run(judge.score("When?", "In the fifth month", ["May"])).value
        1.0
    """

    judge: str | BaseChatModel | NamedModel
    prices: Mapping[str, Price | Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _ = self.model, self._ledger  # what cannot be had is refused now

    @cached_property
    def model(self) -> NamedModel:
        """The judge with its label."""
        return named(self.judge)

    @property
    def name(self) -> str:
        """``judge:`` and the model's label."""
        return f"judge:{self.model.label}"

    def settings(self) -> Mapping[str, Any]:
        """Return the model and sums over the prompts."""
        sums = {language: hashlib.sha256(_template(language).text.encode()).hexdigest() for language in ("en", "zh")}
        return {"name": self.name, "model": describe_model(self.model), "prompts": sums}

    async def score(self, question: str, answer: str, golds: Sequence[str]) -> Score:
        """Ask the judge about an answer."""
        language = detect_language(question)
        options = capped(self.model.model, "auto", "short")
        asked = [HumanMessage(judge_prompt(question, answer, golds))]
        attempt = await acall_model(self.model, asked, stage="score", options=options)
        calls = self._ledger.charge(attempt.calls)
        verdict, reason = read_decision(attempt, load_prompts(language).words, options)
        if reason is not None:
            return Score(value=None, error=f"scorer {self.name!r}: {reason}", calls=calls)
        return Score(value=1.0 if verdict is Verdict.CORRECT else 0.0, calls=calls)

    @cached_property
    def _ledger(self) -> Prices:
        return Prices(self.prices)


def judge_prompt(question: str, answer: str, golds: Sequence[str]) -> str:
    """Return what the judge is asked, in the language of the question; the texts go in as data.

    Example:
        >>> print(judge_prompt("When?", "In May", ["May", "5"]).splitlines()[:5])
        ['Question: When?', '', 'Reference answers, each of which is right: [1] May', '[2] 5', '']
    """
    shown = as_data(golds[0]) if len(golds) == 1 else numbered(map(as_data, golds))
    return _template(detect_language(question)).render(
        question=as_data(question), gold_answers=shown, generated_answer=as_data(answer)
    )


@cache
def _template(language: str) -> Template:
    file = resources.files("automix_graph.recording") / "prompts" / language / "judge.txt"
    text = file.read_text(encoding="utf-8").removesuffix("\n")
    return Template(name=f"{language}/judge.txt", text=text, placeholders=_PLACEHOLDERS)
