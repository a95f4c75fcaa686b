"""What recorded questions made the models read and write, and what they cost: the ground of a plan.

The means are over the questions that can be evaluated. Nothing here is estimated, and no text is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from automix_graph.costs import Price, QuestionCosts
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.cascade import replay
from automix_graph.evaluation.question_costs import question_costs
from automix_graph.evaluation.recorded_outcomes import outcomes_of
from automix_graph.policies import Policy
from automix_graph.records import Call, Record, Recorded, Stage


@dataclass(frozen=True, kw_only=True)
class RecordedWorkload:
    """What recorded questions came to, on average.

    Attributes:
        n: questions.
        small: label of the small model.
        large: label of the large model.
        verifier: its method.
        language: of most questions.
        prompt: tokens of the small model's prompt.
        small_answer: tokens that the small model wrote, hidden reasoning included.
        large_answer: tokens that the large model wrote, likewise.
        accept_rate: share of small answers that the policy keeps, in [0, 1].
        qualities: mean scores of the small and of the large model's answers, each in [0, 1].
        costs: in USD per question, as recorded, at the prices given.
    """

    n: int
    small: str
    large: str
    verifier: str
    language: str
    prompt: int
    small_answer: int
    large_answer: int
    accept_rate: float
    qualities: tuple[float, float]
    costs: QuestionCosts

    @classmethod
    def of(
        cls,
        rows: Sequence[Recorded],
        policy: Policy,
        prices: Mapping[str, Price | Sequence[float]] | None = None,
    ) -> Self:
        """Work out the means.

        Args:
            rows: recorded with the same settings.
            policy: decides which small answers are kept.
            prices: USD per million tokens by model label, where list prices do not apply.

        Raises:
            ConfigurationError: as for `outcomes_of`, there are more than two models, or no provider told how many
                tokens it read.
        """
        outcomes, _ = outcomes_of(rows, prices=prices)
        if len(outcomes.tiers) != 2:
            raise ConfigurationError(
                f"the records are of {len(outcomes.tiers)} models, and a plan weighs two against each other; see what "
                "they come to with: automix evaluate RECORDS",
                code="records",
            )
        evaluated = set(outcomes.ids or ())
        records = [row.record for row in rows if row.id in evaluated and row.record is not None]
        drafted, answered = (_answers(records, stage) for stage in ("small_answer", "large_answer"))
        return cls(
            n=outcomes.n,
            small=_most(call.model for call in drafted),
            large=_most(call.model for call in answered),
            verifier=_most(record.verifications[0].method for record in records),
            language=_most(record.language for record in records),
            prompt=_mean("input", [call.usage.input_tokens for call in drafted]),
            small_answer=_mean("output", [call.usage.output_tokens for call in drafted]),
            large_answer=_mean("output", [call.usage.output_tokens for call in answered]),
            accept_rate=1 - replay(outcomes, policy).escalated,
            qualities=(float(outcomes.small.quality.mean()), float(outcomes.large.quality.mean())),
            costs=question_costs(outcomes),
        )


def _answers(records: Iterable[Record], stage: Stage) -> list[Call]:
    """Return the call of each record that gave the answer."""
    return [
        next(call for call in reversed(record.calls) if call.stage == stage and call.error is None)
        for record in records
        if any(call.stage == stage and call.error is None for call in record.calls)
    ]


def _most(values: Iterable[str]) -> str:
    return Counter(values).most_common(1)[0][0]


def _mean(kind: str, counts: Sequence[int | None]) -> int:
    known = [count for count in counts if count is not None]
    if not known:
        raise ConfigurationError(
            f"the records tell no {kind} tokens of the answers: the provider reported none; give the token counts as "
            "options instead of the records",
            code="records",
        )
    return round(float(np.mean(known)))
