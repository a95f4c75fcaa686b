"""The small model's own confidence: how probable the tokens of its answer were. It costs no further call.

The model must report log-probabilities. A quantile over the tokens rather than their mean or sum, because a long answer
dilutes the one token at which the model guessed (arXiv 2404.10136). This is a confidence in the words, not in
the passages: a model that sounds sure of an invention is not found out. What it is worth depends on the model, so fit a
`Logistic` to answers that are known to be correct or not, or combine it with a judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from langchain_core.runnables import RunnableConfig
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.records import Verdict, Verification
from automix_graph.verification.bounds import check_threshold, in_unit_interval
from automix_graph.verification.logistic import Logistic, check_scale
from automix_graph.verification.verifier import Case, Judgement, failed

ANSWER_FEATURES: Final = ("mean", "min", "q10", "q25", "q50", "first", "tokens")
"""What is known of an answer's tokens: mean, least, quantiles and first of their log-probabilities; their number."""

LEAST_LOGPROB: Final = -20.0
"""Lower log-probabilities count as this one: providers report ``-9999.0`` or ``-inf`` for what is too improbable."""

Values = NDArray[np.float64]

_DEFAULT_QUANTILE: Final = 0.1
_ROUNDING: Final = 1e-3
"""How far above 0 a log-probability may lie: servers compute in single precision."""


def answer_features(logprobs: Sequence[float]) -> dict[str, float]:
    """Return the `ANSWER_FEATURES` of an answer; what a `Logistic` for `AnswerConfidence` is fitted to.

    Args:
        logprobs: natural logarithms of the probabilities of its tokens, at least one.

    Raises:
        ValueError: there is none, or one is no log-probability.

    Example:
        >>> features = answer_features([-0.1, -0.3, -9999.0])
        >>> features["min"], features["q50"], features["tokens"]
        (-20.0, -0.3, 3.0)
    """
    clamped = _clamped(logprobs)
    quantiles = np.quantile(clamped, (0.1, 0.25, 0.5)).tolist()
    values = (float(clamped.mean()), float(clamped.min()), *quantiles, float(clamped[0]), float(len(clamped)))
    return dict(zip(ANSWER_FEATURES, values, strict=True))


@dataclass(frozen=True, kw_only=True)
class AnswerConfidence:
    """Take the confidence from the log-probabilities of the answer's own tokens.

    Attributes:
        quantile: in [0, 1]; without a scale, the confidence is the probability of the token at this quantile (linear
            interpolation between tokens): 0 takes the least probable token, 0.5 the median one. None takes 0.1.
        scale: turns `ANSWER_FEATURES`, or some of them, into the confidence; it takes the place of the quantile.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT.

    Raises:
        ConfigurationError: a number lies outside [0, 1], the scale weighs an unknown feature, or both a quantile and a
            scale are given.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> case = Case(question="When?", passages=(), answer="May", prompts=load_prompts("en"), logprobs=(-0.25, -0.5))
        >>> round(AnswerConfidence(quantile=0.0).verify(case).verification.confidence, 3)
        0.607
    """

    quantile: float | None = None
    scale: Logistic | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if self.quantile is not None and not in_unit_interval(self.quantile):
            raise ConfigurationError(f"quantile {self.quantile!r} is none; use a number in [0, 1]", code="bad-verifier")
        if self.scale is None:
            return
        check_scale(self.scale)
        if self.quantile is not None:
            raise ConfigurationError(
                "quantile and scale are both given; the scale takes its place, so give one of them", code="bad-verifier"
            )
        if unknown := sorted(self.scale.weights.keys() - set(ANSWER_FEATURES)):
            raise ConfigurationError(
                f"the scale weighs {unknown}; features of an answer are {list(ANSWER_FEATURES)}", code="bad-verifier"
            )

    @property
    def method(self) -> str:
        """``answer-confidence``."""
        return "answer-confidence"

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """None is called."""
        return ()

    @property
    def reads_logprobs(self) -> bool:
        """True: the answering model is asked for them."""
        return True

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer without a call."""
        return Judgement(verification=self._read(case.logprobs))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer without a call; there is nothing to wait for."""
        return self.verify(case, config)

    def _read(self, logprobs: tuple[float, ...]) -> Verification:
        if not logprobs:
            return failed(
                self.method,
                "the small model reported no log-probabilities; use one that does (OpenAI's chat completions, the "
                "models of a llama.cpp server), or another verifier",
            )
        try:
            features = answer_features(logprobs)
        except ValueError as error:
            return failed(self.method, f"the small model reported what cannot be read: {error}")
        confidence = self._confidence(logprobs, features)
        verdict = Verdict.CORRECT if confidence > self.threshold else Verdict.INCORRECT
        return Verification(
            method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,), signals=features
        )

    def _confidence(self, logprobs: tuple[float, ...], features: dict[str, float]) -> float:
        if self.scale is not None:
            return self.scale.probability({name: features[name] for name in self.scale.weights})
        quantile = _DEFAULT_QUANTILE if self.quantile is None else self.quantile
        return math.exp(float(np.quantile(_clamped(logprobs), quantile)))


def _clamped(logprobs: Sequence[float]) -> Values:
    values: Values = np.array(logprobs, dtype=float)
    if not values.size:
        raise ValueError("there are no log-probabilities")
    if np.isnan(values).any() or (values > _ROUNDING).any():
        raise ValueError("a log-probability is above 0 or no number")
    return np.asarray(np.clip(values, LEAST_LOGPROB, 0.0))
