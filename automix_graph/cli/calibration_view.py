"""How a calibration looks for people: the policy, what to expect of it, why it won, and what is guaranteed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from automix_graph.calibration import Band, Calibration, Compared
from automix_graph.cli.source import Source
from automix_graph.evaluation import Interval
from automix_graph.evaluation.call_costs import unit_label


def show(console: Console, found: Calibration, source: Source, out: Path) -> None:
    """Print a calibration, and where its policy was written."""
    console.print(
        f"Target: {found.target.name}",
        f"Policy: {escape(found.policy.name)}, which keeps a small answer if: {escape(found.keeps)}\n",
        *(f"{escape(line)}\n" for line in _about(found, source)),
        _expected(found, source),
        _by_confidence(found, source),
        _families(found),
        sep="\n",
        highlight=False,
    )
    for line in _last(found, out):
        console.print(escape(line), highlight=False)


def _about(found: Calibration, source: Source) -> Iterator[str]:
    questions = "" if found.questions == found.n else f" of {found.questions} questions"
    if found.certification:
        split = f"{found.selection} questions chose the thresholds to test, {found.certification} others tested them"
    else:
        split = "held-out figures are from cross-validation, in which no question judges a policy that was fitted to it"
        if found.selection < found.n:
            split += f", over {found.selection} rows drawn at random"
    yield f"{found.n} rows{questions}; {split} (seed {found.seed}). In brackets 95 % intervals."
    if found.label != "quality":
        yield f"Quality is {found.label}: that of the large model is 1 by definition."
    if source.left_out.n:
        told = ", ".join(f"{count} {reason}" for reason, count in source.left_out.counts.items())
        yield f"Left out of {source.left_out.n + found.n} questions: {told}."


def _expected(found: Calibration, source: Source) -> Table:
    unit = unit_label(source.outcomes.unit) or "the unit of the table"
    table = _table(f"What to expect of a question (costs in {unit})", ["", "Quality", "Cost", "Escalated"])
    first, last = found.alone[0], found.alone[-1]
    for tier in found.alone:
        escalated = {first.tier: "0%", last.tier: "100%"}.get(tier.tier, "")
        table.add_row(f"{escape(tier.tier)} only", f"{tier.quality:.3f}", f"{tier.cost:.3g}", escalated)
    expected = found.expected
    table.add_row(
        "this policy", _number(expected.quality), _cost(expected.cost), _share(expected.escalated), style="bold"
    )
    return table


def _by_confidence(found: Calibration, source: Source) -> Table:
    names = [tier.name for tier in source.outcomes.tiers]
    headers = ["Confidence", "Questions", "Escalated", *(f"Quality {escape(name)}" for name in names)]
    table = _table("What it does, by confidence", headers)
    for band in found.bands:
        qualities = [f"{quality:.3f}" for quality in band.qualities]
        table.add_row(_range(band), f"{band.share:.1%}", f"{band.escalated:.1%}", *qualities)
    return table


def _range(band: Band) -> str:
    if band.low is None or band.high is None:
        return "verification failed"
    return f"{band.low:.3f} to {band.high:.3f}"


def _families(found: Calibration) -> Table:
    headers = ["Compared", "Quality", "Cost", "Escalated", "Worth over threshold"]
    table = _table("What was compared, on questions held out", headers)
    for compared in found.compared:
        table.add_row(*_family(compared), style="bold" if compared.chosen else None)
    table.caption = "\n".join(f"{compared.family}: {escape(compared.verdict)}" for compared in found.compared)
    table.caption_justify = "left"
    return table


def _family(compared: Compared) -> tuple[str, ...]:
    expected = compared.expected
    if expected is None:
        return compared.family, "–", "–", "–", "–"
    return (
        compared.family,
        f"{expected.quality.estimate:.4f}",
        f"{expected.cost.estimate:.4g}",
        f"{expected.escalated.estimate:.1%}",
        "–" if compared.advantage is None else _with_ends(compared.advantage, "+.4f"),
    )


def _last(found: Calibration, out: Path) -> Iterator[str]:
    if found.lam is not None:
        yield f"Worth is quality - {found.lam:.4g} x cost; a richer policy is taken only if its interval lies above 0."
    if found.certificate is not None:
        certificate = found.certificate
        yield (
            f"Tested: {certificate.kept} of {certificate.n} answers kept, mean loss {certificate.observed or 0.0:.4f}, "
            f"p = {certificate.p_value:.3g}."
        )
    yield found.guarantee
    yield found.not_said
    yield from (f"Note: {note}" for note in found.notes)
    yield f"Written: {out}"


def _number(interval: Interval) -> str:
    return _with_ends(interval, ".3f")


def _cost(interval: Interval) -> str:
    return _with_ends(interval, ".3g")


def _share(interval: Interval) -> str:
    return _with_ends(interval, ".0%")


def _with_ends(interval: Interval, form: str) -> str:
    if interval.estimate is None:
        return "–"
    if interval.low is None or interval.high is None:
        return format(interval.estimate, form)
    return f"{interval.estimate:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def _table(title: str, headers: list[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if header and number else "left")
    return table
