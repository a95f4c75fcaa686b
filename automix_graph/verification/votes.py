"""Votes: the judge is asked several times, and confidence is the share of CORRECT among the decisions that it made.

This is the self-verification of the AutoMix paper (arXiv 2310.12963). It needs a judge that can be sampled: one that
takes no temperature (by its LangChain profile, as many reasoning models) is asked without one, and its votes differ
only as far as it likes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, get_args

from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.sampling import Drawn, adraw, draw
from automix_graph.records import Call
from automix_graph.verification.ballot import Ballot, Counting
from automix_graph.verification.judged import Judged
from automix_graph.verification.prompting import VerifyPrompt, check_prompt, judge_messages
from automix_graph.verification.verifier import Case, Judgement
from automix_graph.verification.written import MaxTokens, WrittenForm, capped, check_max_tokens, read_decision

_MOST_SAMPLES: Final = 100
_MOST_ADAPTIVE: Final = 32
"""What can still come of the votes grows with the cube of their number, and is gone through for every answer."""


@dataclass(frozen=True, kw_only=True)
class Votes(Judged):
    """Ask a model for several verdicts on the same answer.

    A reply without a decision, and a call that failed, is an UNPARSED vote: it counts for neither side. The verdict is
    CORRECT exactly if the confidence is above 0.5.

    With ``adaptive``, drawing stops as soon as no further vote can change what the policy in force does. The decision
    is the one that all ``samples`` votes would have led to, if the policy is a function of the verification and does
    not look at the order of its verdicts; it need not be monotone. Confidence and signals are those of the votes that
    were drawn, so to calibrate a policy, or to decide again under another one, draw all of them.

    Attributes:
        judge: the model that judges, or its name.
        samples: how many votes to draw, from 1 to 100; with ``adaptive``, how many at most, from 1 to 32.
        temperature: of the draws; above 0, unless there is only one.
        quorum: how many of the samples must hold a decision, or there is no judgement; None: more than half.
        form: of a vote: ``"short"`` is a decision alone, ``"reasoned"`` a reason and then the decision.
        prompt: what the judge is asked; None takes the built-in prompt of the case.
        max_tokens: cap on each reply, in tokens; ``"auto"`` and None as in `ShortVerdict` and `ReasonedVerdict`.
        adaptive: whether to stop early. Where nobody has decided on a policy (`Case.goes`), all votes are drawn.

    Raises:
        ConfigurationError: an argument lies outside its range, or the judge is no model.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> verifier = Votes(judge=ScriptedChatModel(["Correct", "Incorrect", "Correct", "Correct"]), samples=4)
        >>> passages = (Passage(text="In May."),)
        >>> case = Case(question="When?", passages=passages, answer="In May", prompts=load_prompts("en"))
        >>> verifier.verify(case).verification.confidence
        0.75
    """

    samples: int = 8
    temperature: float = 1.0
    quorum: int | None = None
    form: WrittenForm = "short"
    prompt: VerifyPrompt | None = None
    max_tokens: MaxTokens = "auto"
    adaptive: bool = False

    def __post_init__(self) -> None:
        most = _MOST_ADAPTIVE if self.adaptive else _MOST_SAMPLES
        if not _is_count(self.samples, most):
            raise ConfigurationError(
                f"samples is {self.samples!r} with adaptive={self.adaptive!r}; use a whole number from 1 to {most}",
                code="bad-verifier",
            )
        if self.quorum is not None and not _is_count(self.quorum, self.samples):
            raise ConfigurationError(
                f"quorum is {self.quorum!r}; use a whole number from 1 to samples={self.samples}, or None for more "
                "than half",
                code="bad-verifier",
            )
        if self.form not in get_args(WrittenForm):
            raise ConfigurationError(f"form is {self.form!r}; use 'short' or 'reasoned'", code="bad-verifier")
        _check_temperature(self.temperature, self.samples)
        check_max_tokens(self.max_tokens)
        check_prompt(self.prompt)
        super().__post_init__()

    @property
    def method(self) -> str:
        """``votes``."""
        return "votes"

    @property
    def counting(self) -> Counting:
        """How the votes are counted."""
        quorum = self.samples // 2 + 1 if self.quorum is None else self.quorum
        return Counting(method=self.method, samples=self.samples, quorum=quorum)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer by votes."""
        ballot, calls = self._ballot(case), list[Call]()
        asked = judge_messages(self.prompt, case, self.form)
        while count := ballot.wanted():
            drawn = draw(self.model, asked, count=count, stage="verify", config=config, options=self._options)
            calls += self._cast(drawn, ballot, case)
        return Judgement(verification=ballot.verification(), calls=tuple(calls))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer by votes, asynchronously."""
        ballot, calls = self._ballot(case), list[Call]()
        asked = judge_messages(self.prompt, case, self.form)
        while count := ballot.wanted():
            drawn = await adraw(self.model, asked, count=count, stage="verify", config=config, options=self._options)
            calls += self._cast(drawn, ballot, case)
        return Judgement(verification=ballot.verification(), calls=tuple(calls))

    def _ballot(self, case: Case) -> Ballot:
        return Ballot(counting=self.counting, goes=case.goes if self.adaptive else None)

    def _cast(self, drawn: Drawn, ballot: Ballot, case: Case) -> tuple[Call, ...]:
        """Read the replies into the ballot; return the calls that they took."""
        for attempt in drawn.replies:
            ballot.add(*read_decision(attempt, case.prompts.words, self._options))
        return drawn.calls

    @property
    def _options(self) -> dict[str, Any]:
        model = self.model.model
        sampled = (model.profile or {}).get("temperature", True)
        return {**({"temperature": self.temperature} if sampled else {}), **capped(model, self.max_tokens, self.form)}


def _is_count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _check_temperature(temperature: float, samples: int) -> None:
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ConfigurationError(f"temperature is {temperature!r}; use a finite number, 0 or more", code="bad-verifier")
    if temperature == 0 and samples > 1:
        raise ConfigurationError(
            f"temperature 0 draws the same vote {samples} times; use one above 0, or samples=1 (or a single verdict)",
            code="bad-verifier",
        )
