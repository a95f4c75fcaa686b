"""Records of users' questions against the policy that decides about them. Nothing here calls a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automix_graph.auditing.drift import Drift, drift_between
from automix_graph.auditing.quality import Bound, Quality, quality_of
from automix_graph.auditing.sampled import confidences, sampled
from automix_graph.auditing.trend import Block, blocks_of
from automix_graph.auditing.verdict import AuditVerdict, verdict_on
from automix_graph.calibration.recorded_questions import made_for_records
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import RecordFile
from automix_graph.policies import Policy, Provenance
from automix_graph.records import Recorded


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What records say about a policy.

    Attributes:
        verdict: what is to be done.
        policy: its name.
        n: questions.
        kept: of which an answer was kept.
        quality: of those.
        drift: of the confidences; None without a reference.
        trend: over time.
        left_out: questions about which nothing can be said, by reason.
        notes: what should be known before this is believed, in sentences.
    """

    verdict: AuditVerdict
    policy: str
    n: int
    kept: int
    quality: Quality
    drift: Drift | None
    trend: tuple[Block, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return dataclasses.asdict(self)


def audit(
    records: RecordFile | Sequence[Recorded],
    policy: Policy,
    *,
    provenance: Provenance | None = None,
    reference: RecordFile | Sequence[Recorded] | None = None,
    max_error: float | None = None,
    level: float = 0.95,
    tolerance: float = 0.5,
    seed: int = 0,
) -> Audit:
    """Say whether a policy still does what was certified.

    Kept answers are a random share of all that were kept, drawn before anybody knew whether they were right, so that
    their mean loss is that of all of them. Loss is disagreement with the large model.

    Args:
        records: of shadow mode, or of a cascade with an ``audit_rate``.
        policy: that decided, or is to decide.
        provenance: with its certificate, as `load_provenance` returns it; None: there is none.
        reference: the records that it was calibrated on.
        max_error: bound on the error of kept answers in place of the certified one, in (0, 1).
        level: of intervals, in (0, 1).
        tolerance: relative excess over the bound that must be ruled out for the verdict ``"keep"``: 0.5 rules out
            15 % where 10 % are certified. The loosest threshold that is certified is mostly near its bound, which no
            number of answers can tell from the bound itself.
        seed: of permutations and resamples.

    Raises:
        ConfigurationError: a number lies outside its range, or nothing can be said about any question.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> from automix_graph.records import Record, Verdict, Verification
        >>> judged = Verification(method="v", verdict=Verdict.CORRECT, confidence=0.9)
        >>> record = Record(question="When?", language="en", prompts="", verifications=(judged,))
        >>> rows = [
        ...     Recorded(id=str(n), record=record, scores={"small": float(n % 20 > 0), "large": 1.0}, origin="shadow")
        ...     for n in range(400)
        ... ]
        >>> found = audit(rows, Threshold(0.7), max_error=0.1)
        >>> found.verdict.answer, found.kept, found.quality.estimate, round(found.quality.high, 3)
        ('keep', 400, 0.05, 0.094)
    """
    for name, value in (("level", level), ("tolerance", tolerance)):
        if not (0.0 < value < 1.0 or (name == "tolerance" and value > 0.0)):
            raise ConfigurationError(f"{name} is {value!r}; use a number above 0{' and below 1' * (name == 'level')}")
    rows = _rows(records)
    found = sampled(rows, policy)
    if not found.n:
        told = ", ".join(f"{reason}: {count}" for reason, count in found.left_out.counts.items()) or "there are none"
        raise ConfigurationError(
            f"nothing can be said about any question ({told}); give records of shadow mode, or of a graph with an "
            "audit_rate and this policy"
        )
    bound = Bound(alpha=max_error) if max_error is not None else Bound.of(provenance.facts if provenance else {})
    quality = quality_of(found, bound, level=level)
    compared = confidences(_rows(reference)) if reference is not None else None
    drift = None
    if compared is not None and compared.size:
        drift = drift_between(found.confidence, compared, level=level, seed=seed)
    return Audit(
        verdict=verdict_on(quality, drift, differences=_differences(rows, provenance), tolerance=tolerance),
        policy=policy.name,
        n=found.n,
        kept=int(found.kept.sum()),
        quality=quality,
        drift=drift,
        trend=blocks_of(found),
        left_out=found.left_out.counts,
        notes=tuple(_notes(bound, drift, found.left_out.counts, found.n)),
    )


def _rows(records: RecordFile | Sequence[Recorded]) -> Sequence[Recorded]:
    return records.rows if isinstance(records, RecordFile) else records


def _differences(rows: Sequence[Recorded], provenance: Provenance | None) -> tuple[str, ...]:
    running = made_for_records(RecordFile(rows=tuple(row for row in rows if row.error is None)))
    if provenance is None or provenance.made_for is None or running is None:
        return ()
    return tuple(
        f"Other parts run than the policy was made for: {one}." for one in provenance.made_for.differences(running)
    )


def _notes(bound: Bound | None, drift: Drift | None, left_out: Mapping[str, int], n: int) -> Sequence[str]:
    notes = []
    if bound is None:
        notes.append("The policy has no certificate: give a bound (--max-error) to compare kept answers with.")
    elif bound.label == "quality":
        notes.append(
            "The bound was certified for quality, and this is agreement with the large model: where that is wrong, an "
            "agreeing answer is wrong too, and a right one disagrees."
        )
    if drift is None:
        notes.append("Confidences were compared with nothing: give the records of the calibration (--reference).")
    failed = left_out.get("failed", 0) + left_out.get("not compared", 0)
    if failed > n / 20:
        notes.append(
            f"{failed} sampled questions could not be compared; if these are not like the others, neither is what is "
            "found here."
        )
    return notes
