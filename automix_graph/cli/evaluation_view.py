"""How an evaluation looks for people: tables of tiers, policies and confidence, and what is left out or undefined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from automix_graph.evaluation import Evaluation, Interval, Measured, Measures, PolicyResult, RecordFile, Undefined
from automix_graph.evaluation.call_costs import unit_label
from automix_graph.evaluation.outcomes import has_judgement
from automix_graph.records import agreement_scorers

_POLICY_ROWS: Final = {
    "quality": "quality",
    "cost": "cost a question",
    "escalated": "escalated",
    "gain_over_small": "quality over small",
    "gain_over_large": "quality over large",
    "gain_over_random_mix": "quality over random mix",
    "ibc": "IBC",
    "ibc_lift": "IBC lift",
    "pgr": "PGR",
    "break_even_pgr": "PGR to break even",
}
_TIER_ROWS: Final = {
    "apgr": "APGR (random 0.5)",
    "cpt50": "CPT 50 %",
    "cpt80": "CPT 80 %",
    "aiq": "AIQ",
    "auroc": "AUROC, small answer right",
    "auroc_escalation_helps": "AUROC, escalation helps",
    "ece": "ECE",
    "brier": "Brier score",
}
_IN_COST: Final = {"cost", "small_cost", "large_cost", "oracle_cost", "ibc"}
"""Measures of no fixed size, since costs have any unit."""


def show(console: Console, evaluation: Evaluation, records: RecordFile | None = None) -> None:
    """Print an evaluation, of a file of records or of a table."""
    level = f"{evaluation.level:.0%}"
    unit = unit_label(evaluation.outcomes.unit) or "the unit of the table"
    console.print(
        f"{evaluation.outcomes.n} questions; in brackets {level} intervals from {evaluation.n_resamples} resamples "
        f"(seed {evaluation.seed}); costs in {unit}; – is undefined\n",
        *(f"{escape(line)}\n" for line in (*_of_records(records), *_not_counted(evaluation))),
        _compared(evaluation),
        _policies(evaluation),
        *_over_first(evaluation),
        _tiers(evaluation),
        _measures("Confidence", _TIER_ROWS, [("value", evaluation.tiers)]),
        *_gain(evaluation),
        sep="\n",
        highlight=False,
    )
    for line in _reasons(evaluation):
        console.print(f"– {escape(line)}", highlight=False)


def _of_records(records: RecordFile | None) -> list[str]:
    """Return which records of a file did not become questions, and what their scores do not say."""
    if records is None:
        return []
    lines = []
    if scorers := agreement_scorers(records.rows):
        lines.append(
            f"Quality here is agreement with the large model's answer ({', '.join(scorers)}): it does not say whether "
            "answers are right."
        )
    if records.replaced:
        lines.append(f"Records replaced by a later one with the same id: {records.replaced}.")
    if records.unfinished:
        lines.append("The last record was not finished, and is not read.")
    return lines


def _not_counted(evaluation: Evaluation) -> list[str]:
    """Return what the measures do not speak of."""
    left_out = evaluation.left_out
    lines = []
    if left_out.n:
        told = ", ".join(f"{count} {reason}" for reason, count in left_out.counts.items())
        lines.append(f"Left out of {left_out.n + evaluation.outcomes.n} questions: {told} (--json names them).")
    if left_out.uncharged:
        lines.append(
            "Costs are at least those shown; questions with a failed call that told no tokens: "
            f"{len(left_out.uncharged)}."
        )
    for tier in evaluation.outcomes.tiers[:-1]:
        failed = int((~has_judgement(tier)).sum())
        if failed:
            lines.append(
                f"Failed verifications of tier {tier.name!r}: {failed}. These questions escalate, and measures of "
                "confidence leave them out."
            )
    return lines


def _all_results(evaluation: Evaluation) -> list[PolicyResult]:
    best = evaluation.hindsight
    return [*evaluation.policies] if isinstance(best, Undefined) else [*evaluation.policies, best]


def _title(result: PolicyResult) -> str:
    return f"best in hindsight: {result.keeps}" if result.in_hindsight else f"keep: {result.keeps}"


def _compared(evaluation: Evaluation) -> Table:
    """Set the policies beside what needs none: each model alone, a random mix of the same cost, and the oracle."""
    table = _table("Quality and cost of a question", ["", "Quality", "Cost", "Escalated"])
    tiers = evaluation.tiers

    def reference(label: str, name: str, escalated: str) -> None:
        table.add_row(label, _named(tiers, name), _named(tiers, f"{name}_cost"), escalated)

    reference("small only", "small", "0.0%")
    for result in _all_results(evaluation):
        measures = result.measures
        share = measures.values["escalated"]
        escalated = "–" if isinstance(share, Undefined) else f"{share:.1%}"
        table.add_row(escape(_title(result)), _named(measures, "quality"), _named(measures, "cost"), escalated)
        mix = result.random_mix
        if not isinstance(mix, Undefined):
            quality, cost = (_number(name, value) for name, value in (("quality", mix.quality), ("cost", mix.cost)))
            table.add_row("  random mix for no more than that", quality, cost, f"{mix.share_large:.1%}")
    reference("large only", "large", "100.0%")
    reference("oracle: the cheapest of the best", "oracle", "")
    return table


def _policies(evaluation: Evaluation) -> Table:
    rows = {name: label for name, label in _POLICY_ROWS.items() if name not in {"quality", "cost"}}
    return _measures("Policies", rows, [(_title(result), result.measures) for result in _all_results(evaluation)])


def _over_first(evaluation: Evaluation) -> list[RenderableType]:
    results = [(_title(result), result.over_first) for result in _all_results(evaluation)]
    table = _table(f"Over the first policy ({escape(results[0][0])})", ["", "Quality", "Cost"])
    for title, over in results:
        if over is not None:
            table.add_row(escape(title), _named(over, "quality"), _named(over, "cost"))
    return [table] if table.rows else []


def _tiers(evaluation: Evaluation) -> Table:
    first = evaluation.policies[0]
    headers = ["Tier", "Quality", "Cost", "Cost alone", "Verification", "Asked", "Answered"]
    table = _table(f"Tiers ({escape(_title(first))})", headers)
    for at, tier in enumerate(evaluation.outcomes.tiers):
        table.add_row(
            escape(tier.name),
            f"{tier.quality.mean():.4f}",
            f"{tier.cost.mean():.4g}",
            f"{tier.alone_cost.mean():.4g}",
            "none" if tier.confidence is None else f"{tier.verify_cost.mean():.4g}",
            f"{first.asked[at]:.1%}",
            f"{first.answered[at]:.1%}",
        )
    return table


def _measures(title: str, rows: Mapping[str, str], columns: Sequence[tuple[str, Measures]]) -> Table:
    table = _table(title, ["", *(escape(header) for header, _ in columns)])
    for name, label in rows.items():
        table.add_row(label, *(_named(found, name) for _, found in columns))
    return table


def _gain(evaluation: Evaluation) -> list[RenderableType]:
    if isinstance(evaluation.gain, Undefined):
        return []
    table = _table("What the large model adds, by confidence", ["Confidence", "n", "Small", "Large", "Gain"])
    for found, interval in zip(evaluation.gain, evaluation.gain_intervals, strict=True):
        span = f"{found.low:.3f} to {found.high:.3f}"
        gain = _cell("gain", found.gain, interval)
        table.add_row(span, str(found.n), f"{found.small:.3f}", f"{found.large:.3f}", gain)
    return [table]


def _reasons(evaluation: Evaluation) -> list[str]:
    """Return why measures are undefined, each reason once with all the measures that it holds for."""
    measured: dict[str, Measured] = {
        _TIER_ROWS[name]: value for name, value in evaluation.tiers.values.items() if name in _TIER_ROWS
    }
    for result in evaluation.policies:
        measured |= {f"{_POLICY_ROWS[n]} ({result.keeps})": v for n, v in result.measures.values.items()}
    names: dict[str, list[str]] = {}
    for name, found in measured.items():
        if isinstance(found, Undefined):
            names.setdefault(found.reason, []).append(name)
    return [f"{', '.join(labels)}: {reason}" for reason, labels in names.items()]


def _named(measures: Measures, name: str) -> str:
    return _cell(name, measures.values[name], measures.intervals[name])


def _cell(name: str, measured: Measured, interval: Interval) -> str:
    if isinstance(measured, Undefined):
        return "–"
    if interval.low is None or interval.high is None:
        return _number(name, measured)
    return f"{_number(name, measured)} [{_number(name, interval.low)}, {_number(name, interval.high)}]"


def _number(name: str, value: float) -> str:
    return f"{value:.4g}" if name in _IN_COST else f"{value:.4f}"


def _table(title: str, headers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number else "left")
    return table
