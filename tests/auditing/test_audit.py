"""The verdict on records whose truth is known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from automix_graph.auditing import Audit, audit
from automix_graph.auditing.quality import rows_to_tell
from automix_graph.auditing.verdict import LEAST_FOR_DRIFT
from automix_graph.errors import ConfigurationError
from automix_graph.policies import Policy, Provenance, Threshold
from automix_graph.policies.provenance import FACTS
from automix_graph.records import Decision, Draft, Record, Recorded, Verdict, Verification

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


def row(number: int, confidence: float | None, agreement: float, **more: Any) -> Recorded:
    verdict = Verdict.UNPARSED if confidence is None else Verdict.CORRECT
    judged = Verification(
        method="v", verdict=verdict, confidence=confidence, failure="none" if confidence is None else None
    )
    drafts = (Draft(tier="small", text="a"), Draft(tier="large", text="b"))
    record = Record(question=f"Q{number}?", language="en", prompts="", drafts=drafts, verifications=(judged,))
    time = (START + timedelta(hours=number)).isoformat()
    given: dict[str, Any] = {"origin": "shadow", "time": time, "scores": {"small": agreement, "large": 1.0}}
    return Recorded(id=str(number), record=record, **(given | more))


def traffic(n: int, *, error: float, seed: int = 0, power: float = 1.0) -> list[Recorded]:
    generator = np.random.default_rng(seed)
    sure, wrong = generator.random(n) ** power, generator.random(n) < error
    return [row(number, float(sure[number]), 1.0 - wrong[number]) for number in range(n)]


def certified(alpha: float, *, risk: str = "error", label: str = "agreement with the large model") -> Provenance:
    facts: dict[str, Any] = dict.fromkeys(FACTS)
    return Provenance(
        made_for=None, facts={**facts, "certificate": {"risk": risk, "alpha": alpha, "delta": 0.1}, "label": label}
    )


def audited(rows: Sequence[Recorded], policy: Policy | None = None, **more: Any) -> Audit:
    return audit(rows, policy or Threshold(0.5), **more)


def test_what_stays_below_the_bound_is_kept() -> None:
    found = audited(traffic(2000, error=0.05), provenance=certified(0.1), reference=traffic(800, error=0.3, seed=1))
    assert found.verdict.answer == "keep" and found.notes == ()
    assert found.kept == sum(1 for each in traffic(2000, error=0.05) if confidence_of(each) >= 0.5)
    assert found.quality.low < 0.05 < found.quality.high < 0.15


def test_a_broken_bound_is_found_and_stays_found() -> None:
    rows = traffic(1500, error=0.25)
    late = [row(1500 + number, 0.9, 1.0) for number in range(6000)]
    for records in (rows, [*rows, *late]):
        found = audited(records, provenance=certified(0.1))
        assert found.verdict.answer == "recalibrate" and "above the bound of 0.1" in found.verdict.reasons[0]
    assert found.quality.low < 0.1  # by now the mean is fine; the bound was broken all the same


def test_too_few_answers_say_how_many_it_takes() -> None:
    rows = [row(number, 0.9, float(number != 7)) for number in range(20)]
    verdict = audited(rows, provenance=certified(0.1)).verdict
    assert verdict.answer == "too few" and verdict.needed is not None
    kept = audited(rows, provenance=certified(0.1)).kept
    mean = audited(rows, provenance=certified(0.1)).quality.loss / kept
    more = [row(number, 0.9, float(number % round(1 / mean) > 0)) for number in range(verdict.needed + 40)]
    assert audited(more, provenance=certified(0.1)).verdict.answer == "keep"
    assert f"about {verdict.needed} in all" in verdict.reasons[0]


def test_shifted_confidences_call_for_a_calibration_though_the_bound_holds() -> None:
    found = audited(
        traffic(1500, error=0.02, power=0.4), provenance=certified(0.1), reference=traffic(800, error=0.3, seed=1)
    )
    assert found.verdict.answer == "recalibrate" and "stability index" in found.verdict.reasons[0]


def test_without_drift_recalibration_is_rarely_called_for() -> None:
    reference = traffic(400, error=0.1, seed=10_000)
    alarms = [
        audited(traffic(400, error=0.1, seed=seed), provenance=certified(0.1), reference=reference).verdict.answer
        == "recalibrate"
        for seed in range(30)
    ]
    assert sum(alarms) <= 2


@pytest.mark.slow
def test_the_interval_covers_the_truth_at_all_times_together() -> None:
    missed = 0
    for seed in range(300):
        rows = traffic(600, error=0.12, seed=seed)
        looks = [audited(rows[:n], max_error=0.3).quality for n in range(50, 601, 50)]
        missed += any(not quality.low <= 0.12 <= quality.high for quality in looks)
    assert missed <= 300 * 0.05 + 3 * np.sqrt(300 * 0.05 * 0.95)


def test_a_sample_of_audited_answers_estimates_all_kept_ones_without_bias() -> None:
    generator, means = np.random.default_rng(5), []
    everything = traffic(3000, error=0.3, seed=6)
    truth = np.mean([1 - each.scores["small"] for each in everything if confidence_of(each) >= 0.5])
    for _ in range(60):
        sample = [each for each in everything if generator.random() < 0.1]
        means.append(audited(sample, max_error=0.5).quality.estimate or 0.0)
    assert np.mean(means) == pytest.approx(truth, abs=3 * np.std(means) / np.sqrt(60))


def test_regret_counts_all_questions() -> None:
    rows = [row(number, 0.9 if number % 2 else 0.1, 0.0 if number % 10 == 1 else 1.0) for number in range(200)]
    found = audited(rows, provenance=certified(0.05, risk="regret"))
    assert (found.quality.risk, found.quality.n, found.quality.estimate) == ("regret", 200, 0.1)
    assert audited(rows, max_error=0.05).quality.estimate == 0.2


def test_rates_that_changed_are_weighed() -> None:
    rows = [row(number, 0.9, 0.0, rate=0.1) for number in range(10)] + [
        row(10 + number, 0.9, 1.0, rate=1.0) for number in range(100)
    ]
    assert audited(rows, max_error=0.1).quality.estimate == pytest.approx(0.5)


def test_questions_of_a_cascade_count_if_this_policy_decided() -> None:
    def decided(number: int, policy: str, route: str) -> Recorded:
        found = row(number, 0.9, 0.0, origin="audit")
        decision = Decision(accept=route == "small", policy=policy, reason="")
        assert found.record is not None
        return replace(found, record=replace(found.record, decisions=(decision,), route=route))

    name = Threshold(0.5).name
    rows = [decided(0, name, "small"), decided(1, name, "large"), decided(2, "threshold(0.2)", "small")]
    failed = Recorded(id="f", error="timeout")
    found = audited([*rows, failed, row(9, None, 1.0)], max_error=0.1)
    assert (found.n, found.kept, found.quality.loss) == (3, 1, 1.0)
    assert found.left_out == {"decided by another policy": 1, "failed": 1}


def test_weeks_are_told_apart() -> None:
    rows = [row(24 * number, 0.9, float(number < 14)) for number in range(28)]
    trend = audited(list(reversed(rows)), max_error=0.1).trend
    assert [(block.name, block.n, block.error) for block in trend] == [
        ("2026-W02", 7, 0.0),
        ("2026-W03", 7, 0.0),
        ("2026-W04", 7, 1.0),
        ("2026-W05", 7, 1.0),
    ]
    assert trend[0].high == pytest.approx(1 - 0.025 ** (1 / 7)) and trend[0].low == 0.0
    assert len(audited(rows[:5], max_error=0.1).trend) == 5


def test_agreement_is_not_sold_as_quality() -> None:
    found = audited(traffic(300, error=0.05), provenance=certified(0.1, label="quality"))
    assert any("agreement with the large model" in note for note in found.notes)


def test_nothing_to_go_by_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="failed: 1"):
        audited([Recorded(id="1", error="x")])
    with pytest.raises(ConfigurationError, match="bound on the error is 2"):
        audited(traffic(10, error=0.1), max_error=2)


def test_all_of_it_is_plain_data() -> None:
    import json

    found = audited(traffic(200, error=0.1), max_error=0.1, reference=traffic(100, error=0.1, seed=3))
    assert json.loads(json.dumps(found.as_dict()))["verdict"]["answer"] in {"keep", "recalibrate", "too few"}


def confidence_of(each: Recorded) -> float:
    assert each.record is not None
    return each.record.verifications[0].confidence or 0.0


def test_without_a_bound_only_drift_tells() -> None:
    reference = traffic(800, error=0.3, seed=1)
    same = audited(traffic(800, error=0.3), reference=reference)
    assert same.verdict.answer == "keep" and "nothing was certified" in same.verdict.reasons[0]
    assert same.quality.alpha is None
    few = audited(traffic(20, error=0.3), reference=reference).verdict
    assert (few.answer, few.needed) == ("too few", LEAST_FOR_DRIFT)
    assert "no bound to compare with" in few.reasons[0]


def test_questions_that_nobody_judged_or_compared_are_left_out_with_the_reason() -> None:
    known = [row(number, 0.9, 1.0) for number in range(4)]
    unjudged = row(4, 0.9, 1.0)
    assert unjudged.record is not None
    unjudged = replace(unjudged, record=replace(unjudged.record, verifications=()))
    uncompared = row(5, 0.9, 1.0, scores={"large": 1.0})
    failed = replace(row(6, 0.9, 1.0), error="timeout")
    found = audited([*known, unjudged, uncompared, failed], max_error=0.1)
    assert found.n == 4
    assert dict(found.left_out) == {"not verified": 1, "not compared": 1, "failed": 1}


@pytest.mark.parametrize("bound", [0.0, 1.0, -0.1, 2])
def test_a_bound_is_a_share(bound: float) -> None:
    with pytest.raises(ConfigurationError, match="use a number between 0 and 1"):
        audited(traffic(20, error=0.3), max_error=bound)


def test_no_number_of_questions_tells_a_mean_that_lies_at_the_bound() -> None:
    quality = audited([row(number, 0.9, float(number % 10 > 0)) for number in range(200)], max_error=0.1).quality
    assert quality.loss / quality.n == 0.1
    assert rows_to_tell(quality, tolerated=0.1) is None
    assert rows_to_tell(replace(quality, alpha=None), tolerated=0.1) is None
    assert rows_to_tell(quality, tolerated=0.5) is not None
