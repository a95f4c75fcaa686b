"""Whether the cascade pays, in three plain sentences that are worked out from the numbers and their intervals.

It pays where it is better than the small model alone and better than a random mix of both models at the same cost (or
the large model alone, where that costs no more). Nothing is called shown while an interval holds zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.call_costs import unit_label
from automix_graph.evaluation.report.numerals import numeral, span, with_span
from automix_graph.evaluation.results import Evaluation, PolicyResult
from automix_graph.evaluation.undefined import NOTHING, Undefined, value_of

Outlook = Literal["pays", "does not pay", "is not settled"]
Sign = Literal["better", "worse", "equal", "open"]
"""What an interval says of a difference."""

_LEADS: Final[dict[Outlook, str]] = {
    "pays": "The cascade pays on {data}",
    "does not pay": "The cascade does not pay on {data}{reason}",
    "is not settled": "Whether the cascade pays is not settled by {data}",
}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The headline.

    Attributes:
        outlook: in a word.
        sentences: three: what the first policy does, against always asking the large model, against a random mix.
    """

    outlook: Outlook
    sentences: tuple[str, str, str]


def summarise(evaluation: Evaluation) -> Summary:
    """Sum up the first policy of an evaluation."""
    first = evaluation.policies[0]
    outlook = _outlook(first)
    return Summary(
        outlook=outlook,
        sentences=(_first(evaluation, first, outlook), _against_large(evaluation, first), _against_mix(first)),
    )


def sign_of(interval: Interval) -> Sign:
    """Return what an interval says of a difference.

    Example:
        >>> ends = dict(estimate=0.1, level=0.95, n=9, failed_resamples=0)
        >>> sign_of(Interval(low=0.02, high=0.2, **ends)), sign_of(Interval(low=-0.1, high=0.2, **ends))
        ('better', 'open')
    """
    low, high = interval.low, interval.high
    if low is None or high is None:
        return "open"
    if low > NOTHING:
        return "better"
    if high < -NOTHING:
        return "worse"
    return "equal" if max(abs(low), abs(high)) <= NOTHING else "open"


def _outlook(result: PolicyResult) -> Outlook:
    if isinstance(result.measures.values["gain_over_random_mix"], Undefined):
        return "does not pay"
    signs = [sign_of(result.measures.intervals[name]) for name in ("gain_over_small", "gain_over_random_mix")]
    if any(sign in {"worse", "equal"} for sign in signs):
        return "does not pay"
    return "pays" if all(sign == "better" for sign in signs) else "is not settled"


def _first(evaluation: Evaluation, result: PolicyResult, outlook: Outlook) -> str:
    outcomes, measures = evaluation.outcomes, result.measures
    quality = with_span(measures.values["quality"], measures.intervals["quality"], "quality")
    cost = with_span(measures.values["cost"], measures.intervals["cost"], "amount")
    unit = f" {unit_label(outcomes.unit)}" if outcomes.unit else ""
    data = "one question" if outcomes.n == 1 else f"these {outcomes.n:,} questions"
    lead = _LEADS[outlook].format(data=data, reason=_reason(result, outcomes.small.name))
    return (
        f"{lead}: with the policy {result.name}, {outcomes.small.name} answers "
        f"{numeral(result.answered[0], 'share')} of them, and quality is {quality} at a mean cost of {cost}{unit}, "
        f"verification included."
    )


def _reason(result: PolicyResult, small: str) -> str:
    if isinstance(result.random_mix, Undefined):
        return ", since there is no cost to save"
    if sign_of(result.measures.intervals["gain_over_small"]) in {"worse", "equal"}:
        return f", since its answers are no better than those of {small} alone"
    return ", since sending questions to both models at random is no worse"


def _against_large(evaluation: Evaluation, result: PolicyResult) -> str:
    name = evaluation.outcomes.large.name
    always, quality = (value_of(evaluation.tiers.values[key]) for key in ("large_cost", "large"))
    cost = value_of(result.measures.values["cost"])
    assert always is not None  # means of columns are always defined
    assert quality is not None
    assert cost is not None
    if abs(cost - always) <= NOTHING:
        price = "the same"
    elif always <= NOTHING:
        price = f"{numeral(cost, 'amount')} in place of nothing"
    else:
        price = f"{numeral(abs(cost / always - 1), 'share')} {'less' if cost < always else 'more'}"
    found = _difference(result, "gain_over_large")
    return (
        f"Always asking {name} costs {numeral(always, 'amount')} a question and has quality "
        f"{numeral(quality, 'quality')}: the cascade costs {price}, and its quality is {found}."
    )


def _against_mix(result: PolicyResult) -> str:
    mix = result.random_mix
    if isinstance(mix, Undefined):
        return f"There is no random mix of the models to compare with: {mix.reason}."
    rival = (
        "The large model alone, which costs no more,"
        if mix.share_large >= 1.0
        else f"A random mix of both models at the same cost, {numeral(mix.share_large, 'share')} of the questions to "
        "the large one,"
    )
    found = _difference(result, "gain_over_random_mix")
    conclusion = {
        "better": "the verification earns what it costs",
        "worse": "the verification does not earn what it costs",
        "equal": "the verification earns nothing",
        "open": "it is not shown that the verification earns what it costs",
    }[sign_of(result.measures.intervals["gain_over_random_mix"])]
    return f"{rival} would reach {numeral(mix.quality, 'quality')}: the cascade is {found}, so {conclusion}."


def _difference(result: PolicyResult, name: str) -> str:
    value, interval = value_of(result.measures.values[name]), result.measures.intervals[name]
    assert value is not None  # asked for only where it is defined
    ends = span(interval, "difference")
    sign = sign_of(interval)
    if ends is None:
        return f"different by {numeral(value, 'difference')}, with no interval to judge that by"
    if sign == "equal":
        return "the same"
    if sign == "open":
        return f"not told apart from it (difference {numeral(value, 'difference')}, interval {ends})"
    return f"{numeral(abs(value), 'quality')} {'higher' if sign == 'better' else 'lower'} (interval {ends})"
