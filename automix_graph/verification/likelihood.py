"""The likelihood of the draft: how probable the judge finds it, token by token, as its own answer.

No judgement is generated. The draft is scored under the prompt with which the judge would be asked for an answer
itself, so that a question that is escalated to the judge reads its context once: the verification is the prefill of
the answer.
Related: speculative cascades (arXiv 2405.19261), which decide token by token by the same probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, get_args

from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.logprobs import ScoredToken
from automix_graph.models.messages import as_messages
from automix_graph.models.scoring import Scored, Way, ascore_reply, score_reply, ways_of
from automix_graph.records import Verdict, Verification
from automix_graph.verification.bounds import check_threshold
from automix_graph.verification.content import content_positions
from automix_graph.verification.judged import Judged
from automix_graph.verification.logistic import Logistic
from automix_graph.verification.verifier import Case, Judgement, failed

_FLOOR: Final = -12.0
"""Least log-probability that counts: below it, a token is merely not what the judge would write."""
_SIGNALS: Final = ("mean", "content_mean", "content_min", "content_first", "tokens", "content_tokens")


@dataclass(frozen=True, kw_only=True)
class Likelihood(Judged):
    """Take the probability of the draft under the judge's own answer prompt as confidence.

    The confidence is the geometric mean of the probabilities of the tokens that carry content (see
    `content_positions`), or what a fitted scale makes of the signals. The signals of the verification are natural
    log-probabilities, at least -12 a token: ``mean`` over all tokens, ``content_mean``, ``content_min`` and
    ``content_first`` over those with content; and the counts ``tokens`` and ``content_tokens``.

    Attributes:
        judge: whose answer it might be, or its name. Its server must be able to score a given text: the embedded models
            and llama.cpp's server can (``"forced"``), and so can servers that report ``prompt_logprobs``, such as vLLM
            (``"prompt"``). Hosted models of OpenAI, Anthropic or Google cannot.
        max_tokens: how many tokens are scored, from the beginning of the draft.
        scale: from signals to a confidence, as `fit_logistic` fits it; None takes the geometric mean.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT. Without a scale, 0.5 means nothing in
            particular: how probable right answers are depends on the judge.
        scoring: the way of scoring; None takes what the server can do.

    Raises:
        ConfigurationError: the judge cannot score a text, a number is out of range, or the scale weighs other signals.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.testing import ScriptedChatModel, ScriptedReply
        >>> reply = ScriptedReply(text="In May", logprobs=(("In", -2.0), (" May", -0.25)))
        >>> verifier = Likelihood(judge=ScriptedChatModel([reply]), scoring="forced")
        >>> case = Case(question="When?", passages=(), answer="In May", prompts=load_prompts("en"))
        >>> round(verifier.verify(case).verification.confidence, 2)
        0.78
    """

    max_tokens: int = 32
    scale: Logistic | None = None
    threshold: float = 0.5
    scoring: Way | None = None
    _works: set[Way] = field(default_factory=set, init=False, repr=False, compare=False)
    _fails: set[Way] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_threshold(self.threshold)
        if isinstance(self.max_tokens, bool) or not isinstance(self.max_tokens, int) or self.max_tokens < 1:
            raise ConfigurationError(
                f"max_tokens is {self.max_tokens!r}; use a whole number: at least one token must be scored",
                code="bad-verifier",
            )
        if self.scoring is not None and self.scoring not in get_args(Way):
            raise ConfigurationError(
                f"scoring is {self.scoring!r}; use 'prompt', 'forced' or None", code="bad-verifier"
            )
        if self.scale is not None and (unknown := self.scale.weights.keys() - set(_SIGNALS)):
            raise ConfigurationError(
                f"scale weighs {sorted(unknown)!r}, which no likelihood has; it may weigh {', '.join(_SIGNALS)}",
                code="bad-verifier",
            )
        if not self._ways:
            raise ConfigurationError(
                f"{self.model.label} cannot tell how probable a given text is; use a local model, a server of your own "
                "with prompt_logprobs (vLLM) or grammars (llama.cpp), or another verifier such as TokenProbability",
                code="bad-verifier",
            )

    @property
    def method(self) -> str:
        """``likelihood``."""
        return "likelihood"

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Score one answer with one model call, or two until it is known what the server can do."""
        tried: list[Scored] = []
        for way in self._ways_to_try(case):
            scored = score_reply(
                self.model,
                as_messages(case.prompts.answer(case.question, case.passages)),
                case.answer.strip(),
                way=way,
                max_tokens=self.max_tokens,
                stage="verify",
                config=config,
            )
            tried.append(scored)
            if self._settles(scored, way):
                break
        return self._judgement(case, tried)

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Score one answer, asynchronously."""
        tried: list[Scored] = []
        for way in self._ways_to_try(case):
            scored = await ascore_reply(
                self.model,
                as_messages(case.prompts.answer(case.question, case.passages)),
                case.answer.strip(),
                way=way,
                max_tokens=self.max_tokens,
                stage="verify",
                config=config,
            )
            tried.append(scored)
            if self._settles(scored, way):
                break
        return self._judgement(case, tried)

    @cached_property
    def _ways(self) -> tuple[Way, ...]:
        return (self.scoring,) if self.scoring else ways_of(self.model.model)

    def _ways_to_try(self, case: Case) -> tuple[Way, ...]:
        if not case.answer.strip():
            return ()
        return tuple(way for way in self._ways if (way in self._works if self._works else way not in self._fails))

    def _settles(self, scored: Scored, way: Way) -> bool:
        """Whether no other way needs to be tried.

        A way that has worked is known to: where it fails later, that is about the one answer. A refusal may be about
        the way or about the prompt, so it rules a way out only once another way has worked.
        """
        if scored.tokens:
            self._works.add(way)
        elif scored.unsupported and way not in self._works:
            self._fails.add(way)
        return not (scored.unsupported or scored.refused)

    def _judgement(self, case: Case, tried: Sequence[Scored]) -> Judgement:
        last = tried[-1] if tried else None
        if last is not None and last.failure is None:
            found = self._read(case, last.tokens)
        else:
            found = failed(self.method, self._reason(case, last))
        return Judgement(verification=found, calls=tuple(call for scored in tried for call in scored.calls))

    def _reason(self, case: Case, last: Scored | None) -> str:
        if not case.answer.strip():
            return "the answer is empty: there is no token to score"
        if last is not None and last.failure is not None:
            if last.refused:
                return f"{last.failure}; its server may not score a given text, or not one of this length"
            if self._works or not last.unsupported:
                return last.failure
        return f"the server of {self.model.label} cannot score a given text; use TokenProbability"

    def _read(self, case: Case, tokens: Sequence[ScoredToken]) -> Verification:
        signals = likelihood_signals(tokens, case.question, case.prompts.words.form.split())
        if self.scale is None:
            confidence = math.exp(signals["content_mean"])
        else:
            confidence = self.scale.probability({name: signals[name] for name in self.scale.weights})
        verdict = Verdict.CORRECT if confidence > self.threshold else Verdict.INCORRECT
        return Verification(
            method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,), signals=signals
        )


def likelihood_signals(tokens: Sequence[ScoredToken], question: str, form: Sequence[str]) -> dict[str, float]:
    """Return the numbers that a likelihood is made of, see `Likelihood`.

    Args:
        tokens: the first tokens of an answer; at least one.
        question: to which they answer.
        form: words that carry no content.
    """
    logprobs = [max(token.logprob, _FLOOR) for token in tokens]
    content = [logprobs[position] for position in content_positions([token.text for token in tokens], question, form)]
    return {
        "mean": math.fsum(logprobs) / len(logprobs),
        "content_mean": math.fsum(content) / len(content),
        "content_min": min(content),
        "content_first": content[0],
        "tokens": float(len(logprobs)),
        "content_tokens": float(len(content)),
    }
