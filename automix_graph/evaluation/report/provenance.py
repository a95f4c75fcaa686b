"""Where the numbers come from: the data, the models, the resamples, and the command."""

from __future__ import annotations

from collections.abc import Sequence

from automix_graph.evaluation.call_costs import unit_label
from automix_graph.evaluation.results import Evaluation
from automix_graph.records import Recorded, Stage, agreement_scorers

Fact = tuple[str, str]
"""A label, and what there is to say."""


def facts(evaluation: Evaluation, records: Sequence[Recorded] | None, *, command: str | None) -> tuple[Fact, ...]:
    """Return what a reader needs to judge the numbers and to make them again.

    Args:
        evaluation: of any number of tiers.
        records: where the models are named; None where there are none.
        command: that made the report; None where nobody said.
    """
    outcomes = evaluation.outcomes
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in evaluation.left_out.counts.items())
    found = [
        ("Questions", f"{outcomes.n:,}"),
        ("Left out", f"{evaluation.left_out.n:,} ({left_out})" if left_out else "none known"),
        ("Tiers", " → ".join(tier.name for tier in outcomes.tiers)),
        *([] if records is None else _models(records)),
        ("Unit of cost", unit_label(outcomes.unit) or "as in the table; nobody named it"),
        (
            "Intervals",
            f"{evaluation.level:.0%} percentile bootstrap over questions, {evaluation.n_resamples:,} resamples, seed "
            f"{evaluation.seed}; all measures from the same resamples",
        ),
    ]
    return (*found, ("Command", command)) if command else tuple(found)


def _models(records: Sequence[Recorded]) -> list[Fact]:
    models: dict[Stage, set[str]] = {}
    scorers: set[str] = set()
    for each in records:
        scorers |= {each.scorer} if each.scorer else set()
        for call in each.record.calls if each.record else ():
            models.setdefault(call.stage, set()).add(call.model)
    told = [(f"Model, {stage.replace('_', ' ')}", ", ".join(sorted(found))) for stage, found in models.items()]
    if agreement_scorers(records):
        told.append(("Quality", "agreement with the large model's answer, not whether answers are right"))
    return [*told, ("Scored by", ", ".join(sorted(scorers)))] if scorers else told
