"""The table of policies, beside what they must be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.lift import Ends, pgr
from automix_graph.evaluation.outcomes import Tier
from automix_graph.evaluation.report.numerals import UNDEFINED, Kind, numeral, span
from automix_graph.evaluation.results import Evaluation, PolicyResult
from automix_graph.evaluation.undefined import Measured, Undefined, value_of

_COLUMNS: Final[dict[str, Kind]] = {
    "quality": "quality",
    "cost": "amount",
    "escalated": "share",
    "pgr": "share",
    "ibc_lift": "relative",
    "gain_over_large": "difference",
    "gain_over_random_mix": "difference",
}
_NOT_MEASURED: Final = Undefined("it is told of cascades only")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A measure in a table.

    Attributes:
        text: the number, or a dash.
        span: its interval; None where there is none.
        reason: why there is no number; None where there is one.
    """

    text: str
    span: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A policy, or what it is compared with.

    Attributes:
        name: of the policy.
        note: which answers it keeps, or what it is.
        reference: whether it is no policy that could be used.
        cells: quality, cost, escalated share, PGR, IBC lift, quality over large and over a random mix.
    """

    name: str
    note: str
    reference: bool
    cells: tuple[Cell, ...]


def cell(measured: Measured, interval: Interval | None, kind: Kind) -> Cell:
    """Return a measure as a table shows it."""
    if isinstance(measured, Undefined):
        return Cell(text=UNDEFINED, reason=measured.reason)
    text, ends = numeral(measured, kind), span(interval, kind)
    constant = ends == f"{text} to {text}"
    return Cell(text=text, span=None if constant else ends)


def policy_rows(evaluation: Evaluation) -> tuple[Row, ...]:
    """Return the policies in the order given, then the best threshold in hindsight, then the references."""
    rows = [_policy(result) for result in evaluation.policies]
    if isinstance(evaluation.hindsight, Undefined):
        missing = Cell(text=UNDEFINED, reason=evaluation.hindsight.reason)
        rows.append(_best((missing,) * len(_COLUMNS), "there is none"))
    else:
        flattered = f"keeps: {evaluation.hindsight.keeps}; chosen on these very questions, so it flatters"
        rows.append(_best(_policy(evaluation.hindsight).cells, flattered))
    return (*rows, *_references(evaluation))


def _policy(result: PolicyResult) -> Row:
    measures = result.measures
    cells = tuple(cell(measures.values[name], measures.intervals[name], kind) for name, kind in _COLUMNS.items())
    return Row(name=result.name, note=f"keeps: {result.keeps}", reference=False, cells=cells)


def _best(cells: tuple[Cell, ...], note: str) -> Row:
    return Row(name="best threshold in hindsight", note=note, reference=True, cells=cells)


def _references(evaluation: Evaluation) -> list[Row]:
    tiers, first = evaluation.outcomes.tiers, evaluation.policies[0]
    mix = first.random_mix
    rows = [
        _measured(evaluation, f"{tiers[0].name} alone", "always asked, nothing else is", "small", 0.0),
        *(_between(evaluation, tier) for tier in tiers[1:-1]),
        _measured(evaluation, f"{tiers[-1].name} alone", "always asked, nothing else is", "large", 1.0),
    ]
    if isinstance(mix, Undefined):
        missing = Cell(text=UNDEFINED, reason=mix.reason)
        cells: tuple[Cell, ...] = (missing,) * len(_COLUMNS)
    else:
        cells = _reference_cells(
            Ends.of(evaluation.outcomes),
            mix.quality,
            Cell(text=numeral(mix.quality, "quality")),
            Cell(text=numeral(mix.cost, "amount")),
            mix.share_large,
        )
    note = f"at the cost of {first.name}, or of {tiers[-1].name} alone where that is less; nothing is verified"
    rows.append(Row(name="random mix", note=note, reference=True, cells=cells))
    rows.append(
        _measured(evaluation, "oracle", "the cheapest tier that answers best, known beforehand", "oracle", None)
    )
    return rows


def _between(evaluation: Evaluation, tier: Tier) -> Row:
    """Return a tier that is neither the first nor the last; nobody has worked out intervals for it."""
    quality = float(tier.quality.mean())
    cells = _reference_cells(
        Ends.of(evaluation.outcomes),
        quality,
        Cell(text=numeral(quality, "quality")),
        Cell(text=numeral(float(tier.alone_cost.mean()), "amount")),
        1.0,
    )
    return Row(name=f"{tier.name} alone", note="always asked, nothing else is", reference=True, cells=cells)


def _measured(evaluation: Evaluation, name: str, note: str, measure: str, escalated: float | None) -> Row:
    values, intervals = evaluation.tiers.values, evaluation.tiers.intervals
    quality = cell(values[measure], intervals[measure], "quality")
    cost = cell(values[f"{measure}_cost"], intervals[f"{measure}_cost"], "amount")
    reached = value_of(values[measure])
    assert reached is not None  # means of columns are always defined
    cells = _reference_cells(Ends.of(evaluation.outcomes), reached, quality, cost, escalated)
    return Row(name=name, note=note, reference=True, cells=cells)


def _reference_cells(
    ends: Ends, reached: float, quality: Cell, cost: Cell, escalated: float | None
) -> tuple[Cell, ...]:
    nothing = cell(_NOT_MEASURED, None, "ratio")
    share = nothing if escalated is None else Cell(text=numeral(escalated, "share"))
    over_large = Cell(text=numeral(reached - ends.large_quality, "difference"))
    return quality, cost, share, cell(pgr(ends, reached), None, "share"), nothing, over_large, nothing
