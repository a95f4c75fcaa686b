"""The probability of the deciding word: the judge writes one token, and the tokens that it might have written are read.

Confidence = P(correct) / (P(correct) + P(incorrect)) over the spellings of the two words in the prompt's language. A
server that continues an opened reply, as llama.cpp's does, gets the decision's opening and adds the word; others are
asked for one word.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.models.logprobs import first_candidates
from automix_graph.records import Verdict, Verification
from automix_graph.verification.asking import aask, ask
from automix_graph.verification.bounds import check_threshold
from automix_graph.verification.one_call import OneCall
from automix_graph.verification.prompting import judge_messages
from automix_graph.verification.spelling import decision_masses
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed, models_of, reads_logprobs

_LEAST_MASS: Final = 0.5
"""Below this probability of all words of a decision together, the model was not about to decide."""

_Fact = Literal["reports", "lacks", "said"]
"""What is known of a provider: that it reports probabilities, that it has none to report, that the log says so."""

_saying: Final = threading.Lock()

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
            the verification fails. Mind that a policy's threshold for one need not suit the other. A judge that is
            known to give none is not asked again.

    Raises:
        ConfigurationError: the threshold lies outside [0, 1], top_logprobs is below 2, or the fallback is no verifier.

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
    _known: set[_Fact] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if isinstance(self.top_logprobs, bool) or not isinstance(self.top_logprobs, int) or self.top_logprobs < 2:
            raise ConfigurationError(
                f"top_logprobs is {self.top_logprobs!r}; use a whole number from 2 (there are two decisions to weigh) "
                "to what the provider allows, 5 to 20",
                code="bad-verifier",
            )
        if self.fallback is not None and not isinstance(self.fallback, Verifier):
            raise ConfigurationError(
                f"fallback is {self.fallback!r}; give a Verifier such as Votes(...), or None", code="bad-verifier"
            )
        super().__post_init__()

    @property
    def method(self) -> str:
        """``token-probability``."""
        return "token-probability"

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The judge, and whom the fallback calls."""
        return (self.model, *((models_of(self.fallback) or ()) if self.fallback else ()))

    @property
    def reads_logprobs(self) -> bool:
        """Whether the fallback reads the log-probabilities of the draft."""
        return self.fallback is not None and reads_logprobs(self.fallback)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call; see `fallback` for providers that give no probabilities."""
        if "lacks" in self._known:
            return self._unable() if self.fallback is None else self.fallback.verify(case, config)
        attempt = call_model(self.model, self._messages(case), stage="verify", config=config, options=self._options)
        found = self._judge(case, attempt)
        if not self._lacks_probabilities(attempt) or self.fallback is None:
            return found
        return self._joined(attempt, found, ask(self.fallback, case, config))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call, asynchronously."""
        if "lacks" in self._known:
            return self._unable() if self.fallback is None else await self.fallback.averify(case, config)
        attempt = await acall_model(
            self.model, self._messages(case), stage="verify", config=config, options=self._options
        )
        found = self._judge(case, attempt)
        if not self._lacks_probabilities(attempt) or self.fallback is None:
            return found
        return self._joined(attempt, found, await aask(self.fallback, case, config))

    def _lacks_probabilities(self, attempt: Attempt) -> bool:
        """Whether a reply came without probabilities, or the provider would not have the request for them."""
        if attempt.message is None:
            if attempt.refused:
                self._say_once("refuses a request for token probabilities")
                if isinstance(attempt.error and attempt.error.__cause__, TypeError):
                    self._known.add("lacks")  # the model's class knows no such option
            return attempt.refused
        if first_candidates(attempt.message):
            self._known.add("reports")
            return False
        # A filter leaves out more than probabilities, and a provider that has reported some does report them.
        if "reports" not in self._known and not attempt.withheld:
            self._known.add("lacks")
        self._say_once("returns no token probabilities")
        return True

    def _joined(self, attempt: Attempt, found: Judgement, instead: Judgement) -> Judgement:
        """Return what the fallback found, and learn from it what a refusal was about.

        A judge that answers without probabilities what it refused with them refuses the probabilities. Where the
        fallback fails as well, or asks another model, the refusal may have been about this prompt, such as its length.
        """
        answered = any(call.model == self.model.label and call.error is None for call in instead.calls)
        if attempt.refused and answered and "reports" not in self._known:
            self._known.add("lacks")
        return dataclasses.replace(instead, calls=(*found.calls, *instead.calls))

    def _say_once(self, what: str) -> None:
        with _saying:
            first = "said" not in self._known
            self._known.add("said")
        if first:
            instead = f"{self.fallback.method} judges instead" if self.fallback else "such verifications fail"
            _log.warning("%s %s: %s", self.model.label, what, instead)

    def _unable(self) -> Judgement:
        return Judgement(verification=failed(self.method, self._lacking))

    @property
    def _lacking(self) -> str:
        return f"{self.model.label} returned no token probabilities; use another verifier, or a fallback such as Votes"

    def _judge(self, case: Case, attempt: Attempt) -> Judgement:
        if not attempt.refused:
            return super()._judge(case, attempt)
        reason = f"the judge failed: {attempt.call.error}; its provider may refuse token probabilities, or so many"
        return Judgement(verification=failed(self.method, reason), calls=attempt.calls)

    @property
    def _opened(self) -> bool:
        return getattr(self.model.model, "continues_replies", False) if self.opened is None else self.opened

    @property
    def _options(self) -> dict[str, Any]:
        return {"max_tokens": 1, "logprobs": True, "top_logprobs": self.top_logprobs}

    def _messages(self, case: Case) -> list[BaseMessage]:
        if not self._opened:
            return judge_messages(self.prompt, case, "short")
        return [*judge_messages(self.prompt, case, "opened"), AIMessage(case.prompts.words.opening)]

    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        candidates = first_candidates(message)
        if not candidates:
            return failed(self.method, self._lacking)
        correct, incorrect = decision_masses(candidates, case.prompts.words)
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
