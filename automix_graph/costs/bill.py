"""What a question cost, beside what asking only the large model would have: measured if it answered, else estimated.

The large model is that of the last tier, however many there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from automix_graph.costs.ledger import total_cost
from automix_graph.costs.prices import Prices
from automix_graph.records import LAST, Bill, Call, Usage, answer_stage, is_answer, is_verification


def bill_of(calls: Sequence[Call], *, large: str, prices: Prices) -> Bill:
    """Return what a question cost, and what the large model's answer alone would have cost.

    Args:
        calls: all of the question, with their costs.
        large: label of the large model.
        prices: of its tokens.

    Example:
        >>> from automix_graph.costs import Price
        >>> prices = Prices({"s": Price(1, 4), "l": Price(10, 40)})
        >>> read, judged = Usage(input_tokens=1000, output_tokens=50), Usage(input_tokens=1100, output_tokens=1)
        >>> small = Call(stage="small_answer", model="s", usage=read, seconds=1)
        >>> verify = Call(stage="verify", model="l", usage=judged, seconds=1)
        >>> bill = bill_of(prices.charge([small, verify]), large="l", prices=prices)
        >>> round(bill.cost, 6), bill.always_large, bill.estimated, round(bill.saved, 6)
        (0.01224, 0.012, True, -0.00024)
    """
    answered = asked_alone(calls)
    alone = answered or estimated_large(calls, large)
    sent = {call.usage.input_tokens for call in calls if call.stage == answer_stage(LAST)}
    return Bill(
        cost=total_cost(calls),
        at_least=sum(call.cost or 0.0 for call in calls),
        always_large=None if alone is None else prices.cost(alone),
        estimated=answered is None or answered.usage.input_tokens not in sent,
    )


def asked_alone(calls: Sequence[Call], tier: str = LAST) -> Call | None:
    """Return a tier's answer as it would have been charged had nothing of this question come before it.

    A judge of the same model has read the beginning of the prompt already, so that a cache serves the answer. That
    beginning may also hold the examples of judging (the shared layout), of which an answer alone needs none: it is
    taken to read what the model before it read for its answer, where that is less. In the cache it finds what the first
    call to that model found there, what is common to all questions, without what it then need not read. What it would
    have to read takes as many seconds for a token as the first call took for each token that it read or wrote. All of
    that is an estimate. An answer that came from a cache is charged as it was when it went there.

    Args:
        calls: all of the question.
        tier: whose answer it is; that of the large model if nothing is said.

    Returns:
        The call; None where the tier did not answer.
    """
    answers = [call for call in calls if call.stage == answer_stage(tier) and call.error is None]
    if not answers:
        return None
    answer = answers[-1]
    first = next(call for call in calls if call.model == answer.model and call.error is None)
    if first is answer:
        return dataclasses.replace(answer, cached=False) if answer.cached else answer
    usage, cached = answer.usage, first.usage.cached_input_tokens
    if usage.input_tokens is None:
        alone = dataclasses.replace(usage, cached_input_tokens=cached)
    else:
        read = min([usage.input_tokens, *_read_by_others(calls, answer)])
        spared = usage.input_tokens - read
        found = None if cached is None else max(0, min(cached, usage.input_tokens) - spared)
        alone = dataclasses.replace(usage, input_tokens=read, cached_input_tokens=found)
    more = _newly_read(alone) - _newly_read(usage)
    return dataclasses.replace(
        answer, cached=False, usage=alone, seconds=answer.seconds + _seconds_to_read(more, first)
    )


def _read_by_others(calls: Sequence[Call], answer: Call) -> list[int]:
    """Return the tokens that other models read for their answers to the same question."""
    others = [call for call in calls if is_answer(call.stage) and call.model != answer.model and call.error is None]
    return [call.usage.input_tokens for call in others if call.usage.input_tokens]


def _newly_read(usage: Usage) -> int:
    return (usage.input_tokens or 0) - (usage.cached_input_tokens or 0)


def _seconds_to_read(tokens: int, example: Call) -> float:
    """Return how long reading takes at the pace of another call; 0 where that told no tokens."""
    usage = example.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return 0.0
    worked = usage.input_tokens - (usage.cached_input_tokens or 0) + usage.output_tokens
    return example.seconds * max(0, tokens) / worked if worked > 0 else 0.0


def estimated_large(calls: Sequence[Call], large: str) -> Call | None:
    """Return the answer that the large model might have given, where it was not asked.

    It would have read what the model read that answered last: the number of tokens is that model's, or the judge's
    where the large model judged and read fewer (models cut text into tokens in different ways). It is taken to write as
    much as that model did, and to find nothing in a cache.

    Returns:
        The call; None where no model gave an answer, or the one that did not report its tokens.
    """
    drafted = [call.usage for call in calls if is_answer(call.stage) and call.error is None]
    if not drafted or drafted[-1].input_tokens is None:
        return None
    read = [drafted[-1].input_tokens]
    read += [
        call.usage.input_tokens
        for call in calls
        if is_verification(call.stage) and call.model == large and call.usage.input_tokens
    ]
    usage = Usage(input_tokens=min(read), output_tokens=drafted[-1].output_tokens)
    return Call(stage=answer_stage(LAST), model=large, usage=usage, seconds=0.0)
