"""What a calibration found, as values: the policy, what it is expected to do, what is guaranteed, and why it won."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from automix_graph.calibration.certificate import Certificate
from automix_graph.calibration.targets import Guarantee, MaxError, MaxRegret, Target
from automix_graph.evaluation.bootstrap import Interval
from automix_graph.policies import ColumnPolicy, MovingPolicy, Policy

Label = Literal["quality", "agreement with the large model"]
"""What the qualities of the outcomes are: what answers are worth, or whether they say what the large model says."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a policy is expected to do on further questions, a question in the mean, with 95 % intervals.

    Attributes:
        quality: of the answers that are given.
        cost: of all calls on the way.
        escalated: share of questions that go beyond the first tier.
    """

    quality: Interval
    cost: Interval
    escalated: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {entry.name: plain_estimate(getattr(self, entry.name)) for entry in dataclasses.fields(self)}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How a family of policies did on questions that it was not fitted to.

    Attributes:
        family: its name.
        expected: what it did there; None where it could not be used.
        advantage: of its net value, quality - lam * cost, over the simple family on the same questions; None for the
            simple family itself, and where it could not be used.
        chosen: whether the policy is of this family.
        verdict: why, or why not, in a few words.
    """

    family: str
    expected: Expected | None
    advantage: Interval | None
    chosen: bool
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "family": self.family,
            "chosen": self.chosen,
            "verdict": self.verdict,
            "expected": None if self.expected is None else self.expected.as_dict(),
            "advantage": None if self.advantage is None else plain_estimate(self.advantage),
        }


@dataclass(frozen=True, kw_only=True)
class Alone:
    """What asking one tier for everything, without a cascade, comes to in the rows at hand.

    Attributes:
        tier: its name.
        quality: mean.
        cost: mean, without any verification.
    """

    tier: str
    quality: float
    cost: float


@dataclass(frozen=True, kw_only=True)
class Band:
    """What the policy does in a range of the first confidence.

    Attributes:
        low: the lowest confidence that occurs in it; None for the rows whose verification failed.
        high: the highest.
        share: of all rows.
        escalated: share of its rows that go beyond the first tier.
        qualities: mean of each tier in it.
    """

    low: float | None
    high: float | None
    share: float
    escalated: float
    qualities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A policy that was chosen on records, with what is known about it.

    Attributes:
        policy: to be saved, or given to a graph.
        target: that was asked for.
        label: what quality means here.
        n: rows.
        questions: different ones.
        selection: rows that chose what was certified, or, where nothing is, on which families were compared.
        certification: rows that certified it, none of a question that chose; 0 where nothing is.
        seed: of folds, splits and resamples.
        lam: what a unit of cost is worth in quality where families were compared; None where there was one only.
        expected: on held-out questions.
        certificate: of the guarantee; None for targets that have none.
        compared: families of policies, the simple one first.
        alone: each tier by itself.
        bands: what the policy does by confidence.
        notes: what should be known before it is used, in sentences.
    """

    policy: Policy
    target: Target
    label: Label
    n: int
    questions: int
    selection: int
    certification: int
    seed: int
    lam: float | None
    expected: Expected
    certificate: Certificate | None
    compared: tuple[Compared, ...]
    alone: tuple[Alone, ...]
    bands: tuple[Band, ...]
    notes: tuple[str, ...]

    @property
    def keeps(self) -> str:
        """Which answers are kept, in a few words."""
        return self.policy.keeps if isinstance(self.policy, ColumnPolicy | MovingPolicy) else self.policy.name

    @property
    def guarantee(self) -> str:
        """What is guaranteed, in one plain sentence."""
        if not isinstance(self.target, Guarantee):
            return (
                "Nothing is guaranteed: quality and cost are what held-out questions let expect, within the intervals."
            )
        graded = self.certificate is not None and self.certificate.graded
        kept = "the small model" if len(self.alone) == 2 else "all tiers but the last"
        promise = _graded_promise(self.target, kept) if graded else _promise(self.target, self.label, kept)
        return f"With confidence {100 * (1 - self.target.delta):.4g} %, {promise}."

    @property
    def not_said(self) -> str:
        """What the guarantee, or the expectation, does not say."""
        drift = (
            "It is about questions drawn like these, and says nothing of other topics, documents, models, prompts or "
            "verifiers."
        )
        if self.label != "quality":
            drift += " Agreement is not correctness: where both models are wrong alike, it counts as right."
        if self.certificate is None:
            return drift
        return (
            f"{drift} It holds for the mean over all questions, not for each kind of them, nor for every month, and "
            "for one calibration, not for the best of several seeds or targets."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "policy": self.policy.name,
            "keeps": self.keeps,
            "label": self.label,
            "target": self.target.as_dict(),
            "n": self.n,
            "questions": self.questions,
            "selection_rows": self.selection,
            "certification_rows": self.certification,
            "seed": self.seed,
            "lam": self.lam,
            "expected": self.expected.as_dict(),
            "guarantee": self.guarantee if self.certificate else None,
            "not_said": self.not_said,
            "certificate": None if self.certificate is None else dataclasses.asdict(self.certificate),
            "compared": [found.as_dict() for found in self.compared],
            "alone": [dataclasses.asdict(found) for found in self.alone],
            "by_confidence": [{**dataclasses.asdict(band), "qualities": list(band.qualities)} for band in self.bands],
            "notes": list(self.notes),
        }


def plain_estimate(interval: Interval) -> dict[str, Any]:
    """Return an estimate and the ends of its interval as plain values; a mean is undefined on no resample."""
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high, "level": interval.level}


def _promise(target: MaxError | MaxRegret, label: Label, kept: str) -> str:
    share = f"at most {100 * target.alpha:.4g} %"
    match target, label:
        case MaxError(), "quality":
            return f"{share} of the answers that are kept from {kept} are wrong"
        case MaxError(), _:
            return f"{share} of the answers that are kept from {kept} differ from the large model's"
        case MaxRegret(), "quality":
            return f"{share} of all questions get a worse answer than the large model would have given"
        case _:
            return f"{share} of all questions get an answer that differs from the large model's"


def _graded_promise(target: MaxError | MaxRegret, kept: str) -> str:
    if isinstance(target, MaxError):
        return f"the answers that are kept from {kept} are worth at least {1 - target.alpha:.4g} in the mean"
    return f"what is lost against always asking the large model is at most {target.alpha:.4g} a question in the mean"
