"""How an evaluation looks for people: tables of tiers, policies and confidence, and what is undefined and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from automix_graph.evaluation import Evaluation, Interval, Measured, Undefined
from automix_graph.evaluation.evaluation import Measures, RuleResult

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
    "small": "quality of small",
    "large": "quality of large",
    "oracle": "quality of the best tier each time (oracle)",
    "apgr": "APGR (random 0.5)",
    "cpt50": "CPT 50 %",
    "cpt80": "CPT 80 %",
    "aiq": "AIQ",
    "auroc": "AUROC, small answer right",
    "auroc_escalation_helps": "AUROC, escalation helps",
    "ece": "ECE",
    "brier": "Brier score",
}


def show(console: Console, evaluation: Evaluation) -> None:
    """Print an evaluation."""
    level = f"{evaluation.level:.0%}"
    console.print(
        f"{evaluation.outcomes.n} questions; in brackets {level} intervals from {evaluation.n_resamples} resamples "
        f"(seed {evaluation.seed}); – is undefined\n",
        _tiers(evaluation),
        _measures("Models and confidence", _TIER_ROWS, {"value": evaluation.tiers}),
        _policies(evaluation),
        *_gain(evaluation),
        sep="\n",
        highlight=False,
    )
    for line in _reasons(evaluation):
        console.print(f"– {escape(line)}", highlight=False)


def _tiers(evaluation: Evaluation) -> Table:
    first = evaluation.rules[0]
    table = _table("Tiers", ["Tier", "Quality", "Cost", "Verification", "Asked", "Answered"])
    for at, tier in enumerate(evaluation.outcomes.tiers):
        table.add_row(
            escape(tier.name),
            f"{tier.quality.mean():.4f}",
            f"{tier.cost.mean():.4g}",
            "none" if tier.confidence is None else f"{tier.verify_cost.mean():.4g}",
            f"{first.asked[at]:.1%}",
            f"{first.answered[at]:.1%}",
        )
    return table


def _policies(evaluation: Evaluation) -> Table:
    results = list(evaluation.rules)
    if not isinstance(evaluation.hindsight, Undefined):
        results.append(evaluation.hindsight)
    return _measures("Policies", _POLICY_ROWS, {_title(result): result.measures for result in results})


def _title(result: RuleResult) -> str:
    return f"best in hindsight: {result.rule.keeps}" if result.rule.in_hindsight else f"keep: {result.rule.keeps}"


def _measures(title: str, rows: Mapping[str, str], columns: Mapping[str, Measures]) -> Table:
    table = _table(title, ["", *columns])
    for name, label in rows.items():
        table.add_row(label, *(_cell(found.values[name], found.intervals[name]) for found in columns.values()))
    return table


def _gain(evaluation: Evaluation) -> list[RenderableType]:
    if isinstance(evaluation.gain, Undefined):
        return []
    table = _table("What the large model adds, by confidence", ["Confidence", "n", "Small", "Large", "Gain"])
    for found, interval in zip(evaluation.gain, evaluation.gain_intervals, strict=True):
        span = f"{found.low:.3f} to {found.high:.3f}"
        table.add_row(span, str(found.n), f"{found.small:.3f}", f"{found.large:.3f}", _cell(found.gain, interval))
    return [table]


def _reasons(evaluation: Evaluation) -> list[str]:
    """Return why measures are undefined, each reason once with all the measures that it holds for."""
    measured: dict[str, Measured] = {
        _TIER_ROWS.get(n, n): v for n, v in evaluation.tiers.values.items() if n in _TIER_ROWS
    }
    for result in evaluation.rules:
        measured |= {f"{_POLICY_ROWS[n]} ({result.rule.keeps})": v for n, v in result.measures.values.items()}
    names: dict[str, list[str]] = {}
    for name, found in measured.items():
        if isinstance(found, Undefined):
            names.setdefault(found.reason, []).append(name)
    return [f"{', '.join(labels)}: {reason}" for reason, labels in names.items()]


def _cell(measured: Measured, interval: Interval) -> str:
    if isinstance(measured, Undefined):
        return "–"
    if interval.low is None or interval.high is None:
        return f"{measured:.4f}"
    return f"{measured:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _table(title: str, headers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number else "left")
    return table
